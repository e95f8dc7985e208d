"""``evalkit list runs``: what every run was and takes, and which of them may go."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.cli.run_rows import run_list, table
from evalkit.review import Label
from evalkit.store import pruning
from evalkit.store.database import open_database
from evalkit.store.labels import LabelStore
from evalkit.store.queues import QueueStore

if TYPE_CHECKING:
    from conftest import Command

    Write = Callable[[str, str], Path]

MIB = 2**20


@pytest.fixture
def history(workspace: Path) -> Any:
    """An empty store's history; ``history.run(day, {identity: text}, sees)`` adds a run."""
    spec = spec_from_file_location("evalkit_tests_run_history", Path(__file__).parent / "run_history.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.History(workspace)


@pytest.fixture
def three(history: Any) -> tuple[str, str, str]:
    """Three runs: the second uses an answer of the first, the third has all its own; the newest is last."""
    return (
        history.run(1, {"a": "A" * MIB, "b": "B" * MIB}),
        history.run(2, {"c": "C" * MIB}, sees=("a",)),
        history.run(3, {"z": "Z" * MIB}),
    )


TABLE = """\
run                   started                trials    pass  verdict    target                   answers    shared    \
records    reports    total  command
--------------------  -------------------  --------  ------  ---------  ---------------------  ---------  --------  \
---------  ---------  -------  -----------------------------------
20260103-120000-0003  2026-01-03 12:00:00         1       0  passed     one:fp32:naked:greedy    2.0 MiB   0.0 MiB    \
0.0 MiB    1.0 MiB  3.0 MiB  pytest suites/small -k 'day 3'
20260102-120000-0002  2026-01-02 12:00:00         2       2  passed     one:fp32:naked:greedy    2.0 MiB   2.0 MiB    \
0.0 MiB    1.0 MiB  3.0 MiB  pytest suites/small -k 'day 2'
20260101-120000-0001  2026-01-01 12:00:00         2       2  passed     one:fp32:naked:greedy    2.0 MiB   2.0 MiB    \
0.0 MiB    1.0 MiB  3.0 MiB  pytest suites/small -k 'day 1'
"""


def test_what_runs_take(evalkit: Command, history: Any, three: tuple[str, str, str]) -> None:
    """Shared answers stand apart, so that the total is what would be free without that run alone."""
    shown = evalkit("list", "runs").out

    table, totals = shown.split("\n\n")
    assert [line.split() for line in table.splitlines()] == [
        line.split() for line in TABLE.replace("-----------------------------------", "-" * 30).splitlines()
    ]
    assert totals == "store 8.1 MiB, reports and logs 3.0 MiB\n"

    first = json.loads(evalkit("list", "runs", three[0], "--json").out)[0]
    assert {name: first[name] for name in ("run", "trials", "outcomes", "status", "verdict", "took_s", "reviewed")} == {
        "run": three[0], "trials": 2, "outcomes": {"pass": 2}, "status": 0, "verdict": "passed", "took_s": 60.0,
        "reviewed": 0,
    }  # fmt: skip
    assert first["targets"] == ["one:fp32:naked:greedy"]
    assert first["total_bytes"] == first["answers_bytes"] + first["records_bytes"] + first["reports_bytes"]
    assert 0 <= first["answers_bytes"] - 2 * MIB < 8000
    assert 0 <= first["shared_bytes"] - 2 * MIB < 8000
    assert first["reports_bytes"] == MIB + len("host started\n")


def test_in_a_narrow_terminal(history: Any, three: tuple[str, str, str]) -> None:
    """Columns go, the least important first, before a line would wrap; the total stays."""
    history.baseline("main", three[0])
    rows = run_list(history.workspace).rows

    wide, narrow, least = (table(rows, width).splitlines() for width in (190, 100, 30))

    assert wide[0].split()[7:10] == ["shared", "records", "reports"]
    assert narrow[0].split() == ["run", "trials", "pass", "verdict", "total", "needed", "by", "command"]
    assert narrow[4].endswith("  3.0 MiB  baseline main  pytest suites/small -k '…")
    assert max(map(len, narrow)) <= 100
    assert least[2] == "20260103-120000-0003         …"
    assert table(rows, 1000) == table(rows)


def test_names_and_order(evalkit: Command, history: Any, three: tuple[str, str, str]) -> None:
    """By name, place or pattern; newest first unless --sort says otherwise."""

    def listed(*words: str) -> list[str]:
        return [row["run"] for row in json.loads(evalkit("list", "runs", *words, "--json").out)]

    history.run(4, {}, ends=False)

    assert listed("previous") == [three[2]]
    assert listed("latest", "20260102*") == [history.name(4), three[1]]
    assert listed("--sort", "trials")[:2] == [three[1], three[0]]
    assert listed("--sort", "size")[-1] == history.name(4)
    assert json.loads(evalkit("list", "runs", "latest", "--json").out)[0]["status"] == "unfinished"


def test_what_refers_to_a_run(evalkit: Command, history: Any, three: tuple[str, str, str]) -> None:
    """Baselines, labels, queues and calibrations are named, and hold it; nothing of it goes."""
    history.baseline("main", three[0])
    with closing(open_database(history.workspace.store_file).connection) as connection:
        LabelStore(connection).put([Label("0" * 64, "t", three[1], "correct", "anna", 1.0)])
        QueueStore(connection).put(three[1], {}, ())

    rows = json.loads(evalkit("list", "runs", "--json").out)
    pruned = evalkit("list", "runs", "--prune", "--newest", "0", "--yes").out

    assert [row["needed_by"] for row in rows] == [[], ["1 label", "1 review queue"], ["baseline main"]]
    assert rows[1]["reviewed"] == 1
    assert pruned.splitlines()[-5:] == [
        "1 of 3 runs removed, freed 3.0 MiB: answers 2.0 MiB, records 0.0 MiB, reports and logs 1.0 MiB",
        f"  stays: 1 label: {three[1]}",
        f"  stays: 1 review queue: {three[1]}",
        f"  stays: baseline main: {three[0]}",
        "the store's file is 2.0 MiB smaller",
    ]
    assert sorted(history.answers()) == ["a", "b", "c"]


def test_nothing_is_changed_without_yes(evalkit: Command, history: Any, three: tuple[str, str, str]) -> None:
    """It is said what would go, oldest first, and what it would free together: the shared answer counts once."""
    done = evalkit("list", "runs", "--prune", "--newest", "1")

    assert done.status == 0
    assert [line.split()[0] for line in done.out.splitlines()[2:4]] == [three[0], three[1]]
    assert done.out.splitlines()[-3:] == [
        "2 of 3 runs would be removed, freeing 8.0 MiB: answers 6.0 MiB, records 0.0 MiB, reports and logs 2.0 MiB",
        f"  stays: one of the 1 newest: {three[2]}",
        "Nothing was changed. --yes removes them.",
    ]
    assert len(history.answers()) == 4
    assert (history.workspace.out / three[0] / "results.jsonl").exists()


def test_answers_that_another_run_needs_stay(evalkit: Command, history: Any, three: tuple[str, str, str]) -> None:
    """The first run goes with its reports, its log and its own answer; what the second saw of it goes with that."""
    evalkit("list", "runs", three[0], "--prune", "--yes")

    assert sorted(history.answers()) == ["a", "c", "z"]
    assert not (history.workspace.out / three[0]).exists()
    assert not (history.workspace.state / f"host-{three[0]}.log").exists()
    assert [row["run"] for row in json.loads(evalkit("list", "runs", "--json").out)] == [three[2], three[1]]

    evalkit("list", "runs", "--prune", "--newest", "1", "--yes")
    assert sorted(history.answers()) == ["z"]
    assert (history.workspace.out / three[2]).exists()


def test_the_ages_that_stay(evalkit: Command, history: Any, three: tuple[str, str, str]) -> None:
    """Ten newest and a fortnight where nothing is said; --days alone counts where it stands alone; --keep always."""
    usual = json.loads(evalkit("list", "runs", "--prune", "--json").out)
    days = json.loads(evalkit("list", "runs", "--prune", "--days", "1", "--keep", three[1], "--json").out)

    assert usual["going"] == []
    assert set(map(tuple, usual["staying"].values())) == {("one of the 10 newest",)}
    assert [row["run"] for row in days["going"]] == [three[0], three[2]]
    assert days["staying"] == {three[1]: ["--keep"]}
    assert days["done"] is False
    assert evalkit("list", "runs", "--prune").out == (
        "nothing would be removed, of 3 runs\n  stays: one of the 10 newest: " + ", ".join(three[::-1]) + "\n"
    )


def test_answers_of_no_run(evalkit: Command, history: Any, three: tuple[str, str, str]) -> None:
    """What evalkit judge paid for stays, also when a run that goes used it; a run ended before its first trial goes."""
    connection = open_database(history.workspace.store_file).connection
    with closing(connection):
        connection.execute("UPDATE generations SET run = 'judge-77' WHERE identity = 'b'")
        connection.execute("UPDATE generations SET run = '20260101-000000-dead' WHERE identity = 'z'")
        connection.execute("DELETE FROM runs WHERE run = ?", (three[2],))
        connection.execute("DELETE FROM trials WHERE run = ? OR record LIKE '%::b[%'", (three[2],))

    listed = evalkit("list", "runs").out
    evalkit("list", "runs", "--prune", "--newest", "0", "--yes")

    assert listed.splitlines()[-1] == "2.0 MiB of answers belong to no run, such as those to evalkit judge"
    assert "20260101-000000-dead  2026-01-03 12:00:01         0       0  unfinished" in listed
    assert sorted(history.answers()) == ["b"]


def test_a_label_of_an_equal_answer_holds_the_newest_run_that_has_it(
    evalkit: Command, history: Any, three: tuple[str, str, str]
) -> None:
    """Where the run in which it was given is not here any more."""
    from evalkit.reviewed import texts_of
    from evalkit.store.runs import RunStore

    store = history.workspace.store_file
    with closing(RunStore.open(store)) as runs:
        texts = texts_of(store, runs.records(three[0]), three[0])
    [labelled] = [text.text_hash for trial, text in texts.items() if "::a[" in trial]
    with closing(LabelStore.open(store)) as labels:
        labels.put([Label(labelled, "t", "elsewhere", "wrong", "ben", 1.0)])

    evalkit("list", "runs", "--prune", "--newest", "0", "--yes")

    assert sorted(history.answers()) == ["a", "c"]


def test_no_room_to_make_the_file_smaller(
    evalkit: Command, history: Any, three: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runs are gone, the file keeps its size, and the same command gives the room back later."""
    with monkeypatch.context() as patched:
        patched.setattr(pruning.shutil, "disk_usage", lambda place: pruning.shutil._ntuple_diskusage(9, 9, MIB))
        done = evalkit("list", "runs", "--prune", "--newest", "1", "--yes")
    folder = history.workspace.state
    again = evalkit("list", "runs", "--prune", "--newest", "1", "--yes")

    assert sorted(history.answers()) == ["z"]
    needed = "4.5" if folder.stat().st_dev == pruning._temporary_folder().stat().st_dev else "2.2"
    assert done.err == (
        f".evalkit/store.sqlite3: the file keeps its size, because making it smaller takes {needed} MiB in {folder}, "
        "where 1.0 MiB are free. The next runs write into the room within it. Free some and run the same command "
        "again to give it back to the disk.\n"
    )
    assert again.out == (
        f"nothing was removed, of 1 run\n  stays: one of the 1 newest: {three[2]}\n"
        "the store's file is 6.0 MiB smaller\n"
    )


def test_a_store_in_use_is_left_alone(evalkit: Command, history: Any, three: tuple[str, str, str]) -> None:
    """While any other command or run has it open; looking at what would go is allowed."""
    with closing(open_database(history.workspace.store_file).connection):
        looked, done = (evalkit("list", "runs", "--prune", "--newest", "0", *more) for more in ((), ("--yes",)))

    assert looked.status == 0
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        ".evalkit/store.sqlite3: is in use by a run or another command of evalkit. Nothing was removed; try again "
        "when that has ended.\n"
    )
    assert len(history.answers()) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("suites --prune", "--prune is for list runs alone."),
        ("--sort size", "--sort is for list runs alone."),
        ("runs --yes", "--yes is for list runs --prune alone."),
        ("runs --newest 3", "--newest is for list runs --prune alone."),
        ("runs --sort sise", "Runs cannot be sorted by 'sise'. Did you mean 'size'?"),
        ("runs 2025", "There is no run '2025'. Nothing was run here yet."),
    ],
)
def test_what_makes_no_sense(words: str, message: str, evalkit: Command, workspace: Path) -> None:
    """Exit 2 with what was meant for what."""
    done = evalkit("list", *words.split())

    assert (done.status, done.out, done.err) == (2, "", f"{message}\n")


def test_what_cannot_be_pruned(evalkit: Command, history: Any, write: Write) -> None:
    """No store; a run that is not there; a baseline that does not say which run it needs; no such number."""
    empty = evalkit("list", "runs", "--prune")
    history.run(1, {"a": "A"})
    unknown = evalkit("list", "runs", "--prune", "--keep", "20260101-120000-0002")
    write("reports/baselines/old.json", "{")
    broken = evalkit("list", "runs", "--prune", "--newest", "0", "--yes")
    many, ages = (evalkit("list", "runs", "--prune", *words) for words in (("--newest", "few"), ("--days", "-1")))

    root = history.workspace.root
    assert empty.err == f"{root}: nothing was run here yet, so there is nothing to prune.\n"
    assert unknown.err == ("There is no run '20260101-120000-0002'. Did you mean '20260101-120000-0001'?\n")
    assert broken.err == (
        "reports/baselines/old.json: is no baseline that can be read, so nobody knows which run it needs. Restore it "
        "from version control, or remove it; nothing was pruned.\n"
    )
    assert [done.status for done in (empty, unknown, broken, many, ages)] == [2] * 5
    assert many.err.endswith("argument --newest: expected a whole number from 0 up; found 'few'\n")
    assert ages.err.endswith("argument --days: expected a number of days, such as 30; found '-1'\n")
    assert history.answers() == {"a": "A"}
