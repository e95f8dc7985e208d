"""Two runs of one user on one device, real processes on the demo model, and what ``evalkit host`` says of them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.host.state import HostState, live_hosts

if TYPE_CHECKING:
    from conftest import Desk

    Wait = Callable[[Callable[[], bool], float], bool]

pytestmark = [pytest.mark.slow, pytest.mark.long]

HANG_GUARD_S = 300.0
SOON_S = 60.0
TARGETS = """\
include: [fixtures/demo/targets.yaml]
engines: {local: {max_batch_rows: 2}}
default: ['demo:fp32:naked:greedy']
"""
HELD = """\
from pathlib import Path

from evalkit.host.devices import Devices

take = Devices.take

def take_and_stay(self, *arguments):
    take(self, *arguments)
    while not Path({go!r}).exists():
        self._pause(0.05)

Devices.take = take_and_stay
"""
PROBES = "probes:\n" + "".join(
    f"  - {{id: ask{number}, prompt: 'Why does the tide rise {number} times?', expect: {{min_words: 1}},"
    " category: TIDE, decoding: {max_new_tokens: 40}}\n"
    for number in range(12)
)


@pytest.fixture
def second(desk: Desk, tmp_path: Path) -> Desk:
    """Another workspace of the same user; both hold the suite."""
    made = type(desk)(tmp_path / "second", desk.temporary)
    made.write("pytest.ini", "[pytest]\n")
    for one in (desk, made):
        one.write("fixtures/targets.yaml", TARGETS)
        one.write("suites/tides/tides.yaml", PROBES)
    return made


def holding(desk: Desk) -> list[HostState]:
    return [state for state in live_hosts(desk.temporary) if state.holds and state.workspace == str(desk.root)]


def waiting(desk: Desk) -> list[HostState]:
    found = live_hosts(desk.temporary)
    return [state for state in found if state.status.phase == "waiting" and state.workspace == str(desk.root)]


def hold_first(desk: Desk, wait_until: Wait) -> tuple[subprocess.Popen[str], HostState]:
    """A run whose host has its weights' place on the device and does not go on, until it is ``let_go``."""
    desk.in_host(HELD.format(go=str(desk.root / "go")))
    run = desk.start("suites", "-n", "0")
    assert wait_until(lambda: bool(holding(desk)), HANG_GUARD_S), desk.output()
    [state] = holding(desk)
    return run, state


def let_go(desk: Desk) -> None:
    desk.write("go", "")


def unfolded(text: str) -> str:
    """Without any blanks: the terminal's width breaks lines, and long paths within a word."""
    return "".join(text.split())


def shown(desk: Desk, *words: str) -> subprocess.CompletedProcess[str]:
    """``evalkit host`` as this user would see it."""
    return subprocess.run(
        [sys.executable, "-m", "evalkit", "host", *words], cwd=desk.root, capture_output=True, text=True,
        env={**os.environ, "TMPDIR": str(desk.temporary)}, timeout=HANG_GUARD_S,
    )  # fmt: skip


def test_a_second_run_shares_the_cpu_and_says_so(desk: Desk, second: Desk, wait_until: Wait) -> None:
    """It comes to its end although the first does not go on; then the first does."""
    first, state = hold_first(desk, wait_until)

    status, output = second.run("suites", "-n", "0")

    let_go(desk)
    assert status == 0, output
    said = (
        f"Run {state.run} of yours (process {state.process}, {desk.root}) has weights loaded on cpu too, so both are "
        "slower and share its memory. --eval-when-busy wait waits for it."
    )
    assert unfolded(said) in unfolded(output), output
    assert first.wait(HANG_GUARD_S) == 0, desk.output()
    assert len(second.identities()) == len(desk.identities()) == 12
    assert live_hosts(desk.temporary) == []
    assert desk.socket_folders() == []


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_second_run_waits_by_choice_until_the_first_is_done(
    desk: Desk, second: Desk, wait_until: Wait, workers: str
) -> None:
    """It generates nothing before, and says for whom it waited."""
    first, state = hold_first(desk, wait_until)
    run = second.start("suites", "-n", workers, "--eval-when-busy", "wait")
    assert wait_until(lambda: bool(waiting(second)), HANG_GUARD_S), second.output()
    [late] = waiting(second)
    told = json.loads(shown(desk, "--json").stdout)

    assert [item["run"] for item in told] == [state.run, late.run]
    assert [bool(item["holds"]) for item in told] == [True, False]
    assert told[1]["status"]["phase"] == "waiting"
    for_whom = rf"for run {state.run} \(process {state.process}\) on cpu  \d+:\d\d"
    assert re.fullmatch(for_whom, told[1]["status"]["target"])
    assert second.identities() == []
    let_go(desk)

    assert first.wait(HANG_GUARD_S) == 0, desk.output()
    assert run.wait(HANG_GUARD_S) == 0, second.output()
    named = f"run {state.run} of yours (process {state.process}, {desk.root})"
    output = unfolded(second.output())
    first_said = f"Waiting for {named}, which has weights loaded on cpu. --eval-when-busy share goes on beside it."
    assert unfolded(first_said) in output, second.output()
    assert unfolded(f"for {named} to let go of cpu.") in output
    log = next((second.root / ".evalkit").glob("host-*.log")).read_text(encoding="utf-8")
    assert f"Waiting for {named}" in log
    assert len(second.identities()) == 12
    assert (second.processes(), second.socket_folders()) == ({}, [])


@pytest.mark.parametrize("controller_too", [True, False], ids=["with its pytest", "alone"])
def test_a_second_run_goes_on_when_the_first_is_killed(
    desk: Desk, second: Desk, wait_until: Wait, controller_too: bool
) -> None:
    """kill -9 of the first's host: it is not reported alive for a moment, and nothing of it is left in the end."""
    first, state = hold_first(desk, wait_until)
    run = second.start("suites", "-n", "0", "--eval-when-busy", "wait")
    assert wait_until(lambda: bool(waiting(second)), HANG_GUARD_S), second.output()

    if controller_too:
        first.kill()
    os.kill(state.process, signal.SIGKILL)
    let_go(desk)

    assert wait_until(lambda: state.process not in {host.process for host in live_hosts(desk.temporary)}, SOON_S)
    assert run.wait(HANG_GUARD_S) == 0, second.output()
    first.wait(HANG_GUARD_S)
    second.run("suites", "-n", "0", "--eval-fresh")
    assert live_hosts(desk.temporary) == []
    assert desk.socket_folders() == []


def test_the_state_of_a_run_at_work(desk: Desk, second: Desk, wait_until: Wait) -> None:
    """``evalkit host`` names run, workspace, process, device and counts; after the run there is none."""
    first, state = hold_first(desk, wait_until)

    seen = shown(desk)

    let_go(desk)
    lines = seen.stdout.splitlines()
    assert (seen.returncode, seen.stderr) == (0, "")
    assert lines[0].startswith(f"run {state.run}: ")
    assert lines[1] == f"  workspace  {desk.root}"
    assert re.match(rf"  process    {state.process}, for \d+:\d\d, alive \d+ s ago$", lines[2])
    assert lines[3] == "  device     cpu, loaded for demo:fp32:naked:greedy"
    assert first.wait(HANG_GUARD_S) == 0
    assert shown(desk).stdout == "No host of yours runs now.\n"
    assert second.processes() == {}
