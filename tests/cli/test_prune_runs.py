"""``evalkit list runs --prune`` on the stores of real runs, also where it is killed or is not alone."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.cli import prune
from evalkit.cli.run_rows import size_on_disk
from evalkit.host.messages import Status
from evalkit.host.state import HostState
from evalkit.store.database import open_database
from evalkit.store.holdings import holdings

if TYPE_CHECKING:
    from conftest import Command

    Write = Callable[[str, str], Path]

pytestmark = pytest.mark.slow

NAMES = ("one", "two", "three")
PROBES = "probes:\n" + "".join(
    f"  - {{id: {name}, prompt: Ask {name}, expect: {{contains: check}}}}\n" for name in NAMES
)
PRUNE = ("list", "runs", "--prune", "--newest", "1", "--yes")
KILLED = """\
import os, signal, sys
from evalkit.cli import main, prune
left = iter(range(int(sys.argv[1])))
remove = prune.remove

def counting(connection, doomed):
    connection.set_progress_handler(lambda: next(left, None) is None and os.kill(os.getpid(), signal.SIGKILL), 10)
    remove(connection, doomed)

prune._labelled_elsewhere = lambda workspace: {}
prune.remove = counting
sys.exit(main(["list", "runs", "--prune", "--newest", "1", "--yes"]))
"""
WAITING = """\
import pathlib, sys
from evalkit.store.database import open_database
print("ready", flush=True)
connection = open_database(pathlib.Path(sys.argv[1])).connection
print(connection.execute("SELECT count(*) FROM runs").fetchone()[0], flush=True)
connection.close()
"""


@pytest.fixture
def history(workspace: Path) -> Any:
    spec = spec_from_file_location("evalkit_tests_run_history", Path(__file__).parent / "run_history.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.History(workspace)


def test_runs_that_really_ran(evalkit: Command, workspace: Path, write: Write) -> None:
    """What the newest run needs of the others stays, so that it has all its answers, and the next generates nothing."""

    def run(*options: str) -> str:
        words = [sys.executable, "-m", "pytest", "suites/small", "-p", "no:randomly", *options]
        done = subprocess.run(words, cwd=workspace, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
        return done.stdout

    write("suites/small/first.yaml", PROBES)
    write("pytest.ini", "[pytest]\n")
    write(
        "fixtures/recordings/answers.jsonl",
        "".join(
            json.dumps(
                {
                    "messages": [{"role": "user", "content": f"Ask {name}"}],
                    "target": "one:fp32:naked:greedy", "sample": 0, "text": "Please check the list by the door.",
                }
            ) + "\n"
            for name in NAMES
        ),
    )  # fmt: skip
    run("-k", "one or two")
    run("--eval-fresh", "-k", "two or three")
    assert "3 of 3 trials answered from it" in run()

    done = evalkit(*PRUNE)
    (row,) = json.loads(evalkit("list", "runs", "--json").out)

    assert "2 of 3 runs removed, freed" in done.out
    assert (row["trials"], row["verdict"], row["outcomes"]) == (3, "passed", {"pass": 3})
    assert [folder.name for folder in (workspace / "reports" / "out").iterdir()] == [row["run"]]
    assert "3 of 3 trials answered from it" in run()


def test_killed_at_any_moment(evalkit: Command, history: Any) -> None:
    """The store stays whole, every run that is still listed has all its answers, and a second command ends the work."""
    days = range(1, 6)

    def fill() -> None:
        for day in days:
            seen = (f"a{day - 1}",) if day > 1 else ()
            history.run(day, {f"a{day}": "A" * 30_000, f"b{day}": "B" * 30_000}, sees=seen)

    store = history.workspace.store_file
    steps, was_killed, left = 1, 0, []
    while True:
        fill()
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(steps)], cwd=history.workspace.root, capture_output=True, text=True
        )
        with closing(open_database(store).connection) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            runs = holdings(connection).runs
            identities = {row[0] for row in connection.execute("SELECT identity FROM generations")}
        left.append(len(runs))
        for run in runs:
            day = int(run.run[6:8])
            assert {f"a{day}", f"b{day}"} <= identities
            assert day == 1 or f"a{day - 1}" in identities
        assert evalkit(*PRUNE).status == 0
        assert sorted(history.answers()) == ["a4", "a5", "b5"]
        assert [folder.name for folder in history.workspace.out.iterdir()] == [history.name(5)]
        evalkit("list", "runs", history.name(5), "--prune", "--yes")
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
        was_killed, steps = was_killed + 1, steps * 2

    assert was_killed >= 5
    assert {1, 5} <= set(left)
    assert any(1 < count < 5 for count in left), left


def test_whoever_comes_meanwhile_waits(history: Any) -> None:
    """And finds the store as it is afterwards."""
    history.run(1, {"a": "A"})
    store = history.workspace.store_file
    with closing(open_database(store).connection) as connection:
        connection.take_alone()
        waiting = subprocess.Popen([sys.executable, "-c", WAITING, str(store)], stdout=subprocess.PIPE, text=True)
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "ready\n"
        connection.execute("DELETE FROM runs")
    out, _ = waiting.communicate(timeout=300)

    assert (waiting.returncode, out) == (0, "0\n")


def test_the_run_that_is_in_the_way_is_named(evalkit: Command, history: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its host says what it is."""
    history.run(1, {"a": "A"})
    root = str(history.workspace.root)
    state = HostState("20260201-090000-beef", root, "log", 4711, 4710, 0.0, 0.0, Status("generating"))
    monkeypatch.setattr(prune, "live_hosts", lambda base: [state])

    with closing(open_database(history.workspace.store_file).connection):
        done = evalkit(*PRUNE)

    assert done.err == (
        ".evalkit/store.sqlite3: is in use by run 20260201-090000-beef (process 4711). Nothing was removed; try again "
        "when that has ended.\n"
    )


def test_a_full_disk_is_told(evalkit: Command, history: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SQLite cannot write is one sentence, and the run is listed as before."""
    history.run(1, {"a": "A"})
    history.run(2, {"b": "B"})
    with closing(sqlite3.connect(history.workspace.store_file)) as connection:
        connection.execute("CREATE TRIGGER full BEFORE DELETE ON trials BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        connection.commit()

    done = evalkit(*PRUNE)

    assert (done.status, done.err) == (2, "The store cannot be used: disk full.\n")
    left = [row["run"] for row in json.loads(evalkit("list", "runs", "--json").out)]
    assert left == [history.name(2), history.name(1)]
    assert sorted(history.answers()) == ["a", "b"]


def test_what_another_process_takes_away_meanwhile_counts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends puts its reports in place while they are counted."""
    (tmp_path / "report.html").write_bytes(b"x" * 7)
    (tmp_path / "loop").symlink_to(tmp_path)
    monkeypatch.setattr("os.walk", lambda folder: [(str(folder), ["loop"], ["report.html", ".report.html.4711"])])

    assert size_on_disk(tmp_path) == 7
    monkeypatch.undo()
    assert [size_on_disk(tmp_path / name) for name in ("report.html", "gone")] == [7, 0]
