"""Python's last searches for garbage: once before pytest's own, and not for what goes with the process."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from evalkit.reading.garbage import last_garbage_search

if TYPE_CHECKING:
    from conftest import Bench

LEAVES_A_CYCLE = """\
import gc

class Broken:
    def __init__(self):
        self.me = self

    def __del__(self):
        raise RuntimeError("could not let go")

def test_own():
    gc.disable()  # so that pytest finds it at its end, and not earlier by chance
    Broken()
"""
HOLDS_ON = """\
import atexit, gc, os, pathlib

class Log:
    def __init__(self):
        self.me = self
        self.file = open("log.txt", "w")
        self.file.write("all of it")

log = Log()
atexit.register(lambda: pathlib.Path("frozen.txt").write_text(str(gc.get_freeze_count() > 1_000)))
"""
WAITS = """

class Waiting:
    def __init__(self):
        self.me = self
        self.write, self.out = os.write, os.open("waiting.txt", os.O_WRONLY | os.O_CREAT)

    def __del__(self):
        self.write(self.out, b"finalised")

waiting = Waiting()
"""
STANDS = """

def standing(write=os.write, out=os.open("waiting.txt", os.O_WRONLY | os.O_CREAT)):
    try:
        yield
    finally:
        write(out, b"finalised")

class Standing:
    def __init__(self):
        self.me, self.code = self, standing()
        next(self.code)

held = Standing()
"""
IN_PROCESS = """\
import gc, sys, pytest

def state():
    gc.collect()  # Python 3.12 takes its own out of searches again
    return gc.get_freeze_count(), gc.get_threshold(), gc.isenabled()

before = state()
for _ in range(2):
    assert pytest.main(sys.argv[1:]) == 0
assert state() == before, (state(), before)
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Python is asked to do: other tests of this process may have taken objects out of its searches for good."""
    found: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: found.append("freeze"))
    monkeypatch.setattr(gc, "unfreeze", lambda: found.append("unfreeze"))
    return found


@pytest.mark.parametrize("pythons_own", [0, 375], ids=["3.11", "3.12"])
def test_what_stays_comes_back_to_all_searches(
    pythons_own: int, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    """Also where the run breaks off."""
    monkeypatch.setattr(gc, "get_freeze_count", lambda: pythons_own)

    def interrupted() -> None:
        with last_garbage_search():
            assert asked == ["freeze"]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert asked == ["freeze", "unfreeze"]


def test_what_others_took_out_of_searches_stays_out(monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    """Python can only take back everything or nothing."""
    monkeypatch.setattr(gc, "get_freeze_count", lambda: 7_000)

    with last_garbage_search():
        pass

    assert asked == []


@pytest.mark.parametrize("named", [["test_own.py"], ["suites/small", "test_own.py"]], ids=["alone", "with suites"])
def test_pytest_still_finds_what_a_test_left(named: list[str], bench: Bench) -> None:
    """A cycle whose end raises is told as in a run without suites."""
    bench.suite("Where is the lamp?")
    bench.write("test_own.py", LEAVES_A_CYCLE)

    done = bench.run("-W", "error::pytest.PytestUnraisableExceptionWarning", *named)

    said = done.stderr.str() + done.stdout.str()
    assert re.search(r"PytestUnraisableExceptionWarning: Exception ignored in: <function Broken\.__del__", said)
    assert "RuntimeError: could not let go" in said


@pytest.mark.slow
def test_a_run_within_a_process_leaves_its_searches_as_they_were(bench: Bench) -> None:
    """Nothing stays frozen, rare or off after ``pytest.main``, however often it is called."""
    bench.suite("Where is the lamp?")

    command = [sys.executable, "-c", IN_PROCESS, "-q", "-p", "no:randomly", "suites/small"]
    done = subprocess.run(command, cwd=bench.root, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("named", "frozen"), [("suites/small", "True"), ("test_own.py", "False")])
def test_only_a_run_of_suites_ends_without_search(named: str, frozen: str, bench: Bench) -> None:
    """What somebody wrote to a file and never closed is in it all the same."""
    bench.suite("Where is the lamp?")
    bench.write("test_own.py", "def test_own():\n    pass\n")
    bench.write("conftest.py", HOLDS_ON)

    bench.run(named).assert_outcomes(passed=1)

    assert (bench.root / "frozen.txt").read_text(encoding="utf-8") == frozen
    assert (bench.root / "log.txt").read_text(encoding="utf-8") == "all of it"


@pytest.mark.slow
@pytest.mark.parametrize("waiting", [WAITS, STANDS], ids=["object", "generator"])
def test_whoever_waits_for_an_end_of_its_own_gets_it(waiting: str, bench: Bench) -> None:
    """An object with ``__del__``, or the ``finally`` of a generator, that lives until the process ends."""
    bench.suite("Where is the lamp?")
    bench.write("conftest.py", HOLDS_ON + waiting)

    bench.run("suites/small").assert_outcomes(passed=1)

    assert (bench.root / "frozen.txt").read_text(encoding="utf-8") == "False"
    assert (bench.root / "waiting.txt").read_text(encoding="utf-8") == "finalised"
