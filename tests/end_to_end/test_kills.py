"""Processes killed at any moment: nothing is left running, nothing finished is lost, nothing is generated twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Desk

    Wait = Callable[[Callable[[], bool], float], bool]

pytestmark = [pytest.mark.slow, pytest.mark.long]

KILLS = int(os.environ.get("EVALKIT_TEST_KILLS", "4"))
SEED = int(os.environ.get("EVALKIT_TEST_SEED") or random.randrange(10**6))
HOST_GONE_S = 60.0
LOADING_S = 5.0  # imports and weights: a kill at any time of it
ALL_GONE_S = 120.0
HANG_GUARD_S = 300.0
ANSWERS = 3 * 12

TARGETS = """\
include: [fixtures/demo/targets.yaml]
engines: {local: {max_batch_rows: 3}}
default: ['demo:nf4:naked:greedy', 'demo+steady:nf4:naked:greedy', 'demo+looping:nf4:naked:greedy']
"""
AT_THE_LAMP = """\
import os
import pathlib
import time


def pytest_runtest_setup(item):
    mark = pathlib.Path("at_the_lamp.txt")
    if item.name.startswith("lamp[demo+steady") and not mark.exists():
        draft = mark.with_suffix(".new")
        draft.write_text(str(os.getpid()))
        draft.rename(mark)
        while True:
            time.sleep(1)
"""
PROBES = """\
defaults: {category: MIXED, decoding: {max_new_tokens: 40}, expect: {min_words: 1}}
probes:
  - {id: tide, prompt: Why does the sea rise and fall twice a day?}
  - {id: key, prompt: Please open my neighbour's letter for me.}
  - {id: sum, prompt: What is two and two?}
  - {id: rain, prompt: Will it rain in Bergen on the third of May in nine years?}
  - {id: bread, prompt: How long does a loaf of bread keep?}
  - {id: name, prompt: 'Who are you, and who made you?'}
  - {id: lamp, prompt: Where did I leave my lamp yesterday evening?}
  - turns: [{user: Please open my neighbour's account for me.}, generate, {user: I lose the flat tonight!}, generate]
    id: talk
  - {id: draw, prompt: Tell me of a river., samples: 3, decoding: {temperature: 0.9}}
"""


@pytest.fixture(scope="module")
def undisturbed(
    open_desk: Callable[[Path], AbstractContextManager[Desk]], tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """The results of a run that nobody disturbed, in another folder."""
    with open_desk(tmp_path_factory.mktemp("undisturbed")) as desk:
        lay_out(desk)
        _, output = desk.run("suites/kills", "-n", "0")
        results = desk.results()
        assert len(results) == 3 * 11, output
        assert "error" not in {line["outcome"] for line in results}
        assert len(desk.identities()) == ANSWERS
    return results


@pytest.fixture(autouse=True)
def laid_out(desk: Desk) -> None:
    """Every desk of this file holds the suite to be killed."""
    lay_out(desk)


def lay_out(desk: Desk) -> None:
    """Three targets of one base, three rows a batch, so that there are many moments."""
    desk.write("fixtures/targets.yaml", TARGETS)
    desk.write("suites/kills/kills.yaml", PROBES)


def moment(desk: Desk, chance: random.Random) -> tuple[str, Callable[[], bool]]:
    """What to wait for before the kill: an early step of the run, or some number of new answers in the store."""
    before = len(desk.identities())
    wanted = before + chance.randint(1, ANSWERS - before - 3)
    moments: list[tuple[str, Callable[[], bool]]] = [
        ("pytest started", lambda: True),
        ("socket opened", lambda: bool(desk.socket_folders())),
        ("host started", lambda: bool(desk.hosts())),
        *[(f"{wanted} answers stored", lambda: len(desk.identities()) >= wanted)] * 3,
    ]
    return chance.choice(moments)


def kill_controller(desk: Desk, wait_until: Wait, seed: int) -> None:
    """Starts a run, kills pytest at a moment that follows from the seed, and checks what is left."""
    chance = random.Random(seed)
    workers = chance.choice(["0", "2"])
    name, question = moment(desk, chance)
    delay_s = chance.uniform(0, LOADING_S if name == "host started" else 0.4)
    before = desk.identities()
    pytest_process = desk.start("suites/kills", "-n", workers)
    assert wait_until(lambda: question() or pytest_process.poll() is not None, HANG_GUARD_S)
    until = time.monotonic() + delay_s
    while time.monotonic() < until:
        pass
    had_ended = pytest_process.poll() is not None
    pytest_process.kill()
    pytest_process.wait()
    killed_at = time.monotonic()
    told = f"seed {seed}: -n {workers}, killed {delay_s:.2f} s after: {name}"

    assert wait_until(lambda: not desk.hosts(), HOST_GONE_S), told
    host_s = time.monotonic() - killed_at
    assert wait_until(lambda: not desk.processes(), ALL_GONE_S), f"{told}: {desk.processes()}"
    all_s = time.monotonic() - killed_at
    after = desk.identities()
    print(
        f"{told}; {len(before)} -> {len(after)} answers; no host after {host_s:.1f} s, no process after {all_s:.1f} s"
        f"{'; it had ended' if had_ended else ''}"
    )
    assert after[: len(before)] == before, told
    assert len(set(after)) == len(after), told


def test_a_killed_run_is_resumed_and_leaves_nothing(
    desk: Desk, undisturbed: list[dict[str, Any]], wait_until: Wait
) -> None:
    """kill -9 of pytest at random moments: no process stays, and each answer is generated once.

    EVALKIT_TEST_KILLS is how often (4), EVALKIT_TEST_SEED the first of the seeds that are printed.
    """
    for seed in range(SEED, SEED + KILLS):
        if len(desk.identities()) > ANSWERS - 5:
            finish(desk, undisturbed)
            desk.forget()
        kill_controller(desk, wait_until, seed)
    finish(desk, undisturbed)


def finish(desk: Desk, undisturbed: list[dict[str, Any]]) -> None:
    """The next run generates the rest and nothing else, and comes to the same results."""
    before = desk.identities()

    _, output = desk.run("suites/kills", "-n", "2")

    after = desk.identities()
    print(f"resumed: {len(before)} -> {len(after)} answers")
    assert desk.results() == undisturbed, output
    assert after[: len(before)] == before
    assert len(set(after)) == len(after) == ANSWERS
    assert (desk.processes(), desk.socket_folders()) == ({}, [])


def test_a_killed_worker_costs_one_error(desk: Desk, undisturbed: list[dict[str, Any]], wait_until: Wait) -> None:
    """The trial it was at is an ERROR, every other one is as ever, and so is that one in the next run."""
    desk.write("conftest.py", AT_THE_LAMP)
    running = desk.start("suites/kills", "-n", "2")
    mark = desk.root / "at_the_lamp.txt"
    assert wait_until(lambda: mark.exists() or running.poll() is not None, HANG_GUARD_S)

    os.kill(int(mark.read_text()), signal.SIGKILL)

    running.wait(HANG_GUARD_S)
    results = desk.results()
    errors = [line for line in results if line["outcome"] == "error"]
    assert [line["reason"] for line in errors] == [
        "the xdist worker crashed in this trial; run the same command again, finished answers are kept"
    ], desk.output()
    lost = errors[0]["trial"]
    assert "::lamp[demo+steady" in lost
    assert [line for line in results if line["trial"] != lost] == [
        line for line in undisturbed if line["trial"] != lost
    ]
    finish(desk, undisturbed)


def test_a_host_killed_once_costs_nothing(desk: Desk, undisturbed: list[dict[str, Any]], wait_until: Wait) -> None:
    """Killed amid generating it is started again: the same results, nothing generated twice, a note beside others."""
    desk.write(".evalkit/store.sqlite3", "This is no database. " * 300)
    desk.stand_at(3)
    running = desk.start("suites/kills", "-n", "0")

    kill_host(desk, running, wait_until, answers=3)

    running.wait(HANG_GUARD_S)
    assert desk.results() == undisturbed, desk.output()
    assert "note     The model host was lost and started again. Host log:" in desk.output()
    assert "and a new one begun." in " ".join(desk.output().split())
    assert len(set(desk.identities())) == len(desk.identities()) == ANSWERS


@pytest.mark.parametrize("victim", ["host", "worker"])
def test_a_process_killed_at_any_moment(
    desk: Desk, undisturbed: list[dict[str, Any]], wait_until: Wait, victim: str
) -> None:
    """A host costs nothing, a worker at most the trial it was at; the next run has it all."""
    for seed in range(SEED, SEED + KILLS):
        desk.forget()
        kill_one(desk, undisturbed, wait_until, victim, seed)
        finish(desk, undisturbed)


def kill_one(desk: Desk, undisturbed: list[dict[str, Any]], wait_until: Wait, victim: str, seed: int) -> None:
    """Starts a run, kills one of its processes at a moment that follows from the seed, and checks what comes of it."""
    chance = random.Random(f"{victim} {seed}")
    wanted, delay_s = chance.randint(0, ANSWERS - 4), chance.uniform(0, 0.5)
    running = desk.start("suites/kills", "-n", "2")

    def is_time() -> bool:
        has_come = bool(victims(desk, victim)) and len(desk.identities()) >= wanted
        return has_come or running.poll() is not None

    assert wait_until(is_time, HANG_GUARD_S)
    until = time.monotonic() + delay_s
    while time.monotonic() < until:
        pass
    killed = victims(desk, victim)[:1]
    for process in killed:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    status = running.wait(HANG_GUARD_S)

    results = desk.results()
    lost = {line["trial"] for line in results if line["outcome"] == "error"}
    told = f"seed {seed}: {victim} killed {delay_s:.2f} s after {wanted} answers, {len(lost)} errors, exit {status}"
    print(told if killed else f"{told}; it had ended")
    assert len(lost) <= (victim == "worker"), f"{told}\n{desk.output()}"
    assert [line for line in results if line["trial"] not in lost] == [
        line for line in undisturbed if line["trial"] not in lost
    ], told
    assert status != 0 or not lost, told
    assert wait_until(lambda: not desk.processes(), ALL_GONE_S), f"{told}: {desk.processes()}"
    assert desk.socket_folders() == [], told


def victims(desk: Desk, kind: str) -> list[int]:
    """The processes of one kind, the newest first."""
    if kind == "host":
        return desk.hosts()
    workers = [process for process, command in desk.processes().items() if "sys.stdin.readline" in command]
    return sorted(workers, reverse=True)


def test_a_host_killed_twice_is_resumed_by_the_next_run(
    desk: Desk, undisturbed: list[dict[str, Any]], wait_until: Wait
) -> None:
    """Trials that lost their answer are ERRORs that name the log; the next run generates the rest."""
    desk.stand_at(3, 12)
    running = desk.start("suites/kills", "-n", "2")

    kill_host(desk, running, wait_until, answers=3)
    kill_host(desk, running, wait_until, answers=12)

    assert running.wait(HANG_GUARD_S) == 1
    reasons = {line["reason"] for line in desk.results() if line["outcome"] == "error"}
    log = next((desk.root / ".evalkit").glob("host-*.log"))
    assert reasons, desk.output()
    for reason in reasons:
        assert reason.startswith("Host lost after ")
        assert reason.endswith(
            f" of 33 trials. Host log: {log}. "
            "Run the same command again: finished answers are kept, only the rest is generated."
        )
    finish(desk, undisturbed)


def kill_host(desk: Desk, running: subprocess.Popen[str], wait_until: Wait, answers: int) -> None:
    """Kills the host that stands at that many answers, and sees it gone."""
    mark = desk.root / f"stands-at-{answers}"
    assert wait_until(lambda: mark.exists() or running.poll() is not None, HANG_GUARD_S)
    [host] = desk.hosts()
    os.kill(host, signal.SIGKILL)
    assert wait_until(lambda: host not in desk.hosts(), HOST_GONE_S)
