"""What happens when a process dies in the middle of a run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.host.client import MOST_AHEAD

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow


HOST_KILLER = """\
import os
import pathlib
import signal


def hosts():
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                log = os.readlink(process / "fd" / "2")
            except OSError:
                continue
            if log.startswith(str(pathlib.Path.cwd() / ".evalkit")):
                yield int(process.name)


def killed():
    return sorted(pathlib.Path.cwd().glob("killed-*"))


def began(process):
    # When it began; None where it is gone, with its sockets. Its files seem to be gone a moment before.
    try:
        return pathlib.Path(f"/proc/{{process}}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def judge(case):
    # Kills one host that nobody else has killed, unless {times} are gone already; each counts once.
    while len(killed()) < {times}:
        for process in list(hosts()):
            begun_at = began(process)
            try:
                pathlib.Path(f"killed-{{process}}").touch(exist_ok=False)
            except FileExistsError:
                continue
            os.kill(process, signal.SIGKILL)
            while began(process) == begun_at is not None:
                pass
            return True
    return True
"""
WAITING = """\
import pathlib


def judge(case):
    while len(list(pathlib.Path.cwd().glob("killed-*"))) < 2:
        pass
    return True
"""


def hosts(bench: Bench) -> list[str]:
    """Processes that serve this workspace: their log is open in it."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if (process / "fd" / "2").readlink().is_relative_to(bench.root / ".evalkit"):
                    found.append(process.name)
            except OSError:
                continue
    return found


def test_a_crashed_worker_costs_one_error(bench: Bench) -> None:
    """The trial it died in is an ERROR with a sentence; every other trial passes."""
    bench.suite(*(f"Question number {number}?" for number in range(8)))
    bench.write("judges/deadly.py", "import os\n\n\ndef judge(case):\n    os._exit(3)\n")
    bench.write("suites/small/deadly.yaml", "probes: [{id: d, prompt: Die now?, judges: [deadly]}]\n")
    bench.record("Die now?", "I would rather not, thank you.")

    result = bench.run("suites/small", "-n2")

    result.assert_outcomes(passed=8, errors=1)
    assert result.ret == 1
    broken = [line for line in bench.results() if line["outcome"] == "error"]
    assert [line["probe"] for line in broken] == ["d"]
    assert broken[0]["reason"] == (
        "the xdist worker crashed in this trial; run the same command again, finished answers are kept"
    )


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["bare", "n2"])
def test_a_host_killed_once_is_started_again(bench: Bench, workers: list[str]) -> None:
    """Nothing is lost: the run passes, and says that the host was lost once."""
    count = 2 * MOST_AHEAD  # more than come in one bundle, and than another worker takes: a host is needed again
    bench.suite(*(f"Question number {number}?" for number in range(count)))
    bench.write("judges/killer.py", HOST_KILLER.format(times=1))
    bench.write("suites/small/a_kill.yaml", "probes: [{id: k, prompt: Kill it?, judges: [killer]}]\n")
    bench.record("Kill it?", "It is done, as you asked me.")

    result = bench.run("suites/small", *workers)

    result.assert_outcomes(passed=count + 1)
    result.stdout.fnmatch_lines(
        ["note     The model host was lost and started again. Host log:", "         .evalkit/host-*.log"]
    )
    assert result.ret == 0


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["bare", "n2"])
def test_a_host_killed_twice_gives_errors_and_the_next_run_resumes(bench: Bench, workers: list[str]) -> None:
    """What had no answer is an ERROR that names the log; the same command again passes."""
    bench.write("judges/killer.py", HOST_KILLER.format(times=2))
    bench.write("judges/waiting.py", WAITING)  # holds the other worker back until both hosts are gone
    count = 2 * MOST_AHEAD  # more than come in one bundle: those are judged whatever became of the host
    probes = [f"  - {{id: w{number}, prompt: Question number {number}?, judges: [waiting]}}" for number in range(count)]
    bench.write("suites/small/c_wait.yaml", "\n".join(["probes:", *probes, ""]))
    for number in range(count):
        bench.record(f"Question number {number}?", "That is a fine thing to ask.")
    for name in ("a_kill", "b_kill"):
        bench.write(f"suites/small/{name}.yaml", f"probes: [{{id: {name}, prompt: Kill {name}?, judges: [killer]}}]\n")
        bench.record(f"Kill {name}?", "It is done, as you asked me.")

    result = bench.run("suites/small", *workers)

    outcomes = result.parseoutcomes()
    assert outcomes["errors"] >= 1
    assert outcomes["errors"] + outcomes["passed"] == count + 2
    assert result.ret == 1
    reasons = {str(line["reason"]) for line in bench.results() if line["outcome"] == "error"}
    assert all(reason.startswith("Host lost after ") and ".evalkit/host-" in reason for reason in reasons)
    bench.run("suites/small", *workers).assert_outcomes(passed=count + 2)  # nobody kills: two are gone already


@pytest.mark.slow
def test_nothing_is_left_behind(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a run there is no host, and no folder of its socket."""
    bench.suite("What does the kettle cost?")
    with tempfile.TemporaryDirectory(prefix="ek-", dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)

        bench.run("suites/small", "-n2").assert_outcomes(passed=1)

        assert hosts(bench) == []
        assert list(Path(folder).glob("evalkit-*")) == []
