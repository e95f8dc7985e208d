"""Whose turn it is on a device: who waits, who shares, and what both are told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.generation import Failure
from evalkit.host import devices, state
from evalkit.host.devices import Devices, ancestors, in_front, overlap, visible
from evalkit.host.folders import mark_alive
from evalkit.host.heartbeat import Heartbeat
from evalkit.host.messages import Run, Status, WhenBusy
from evalkit.host.progress import StatusKeeper
from evalkit.host.state import HostState, live_hosts, write_state
from evalkit.target import Engine, Model, Quantisation, Target

TARGET = Target(Model("demo", "/m", True, "m"), Quantisation("nf4", "nf4"), engine=Engine())


class Street:
    """A base folder with hosts of other runs, and one of our own that wants a device."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.now = 100.0
        self.pauses: list[float] = []
        self.meanwhile: list[Callable[[], None]] = []
        self.statuses: list[Status] = []
        self._locks: dict[str, int] = {}
        own = base / f"evalkit-{os.getpid()}-own"
        own.mkdir()
        self.heart = Heartbeat(own, "/log", lambda: self.now)
        self.heart.begin(Run("own", "/own"))
        self.progress = StatusKeeper(self.statuses.append)

    def host(self, name: str, process: int, **changes: object) -> None:
        """Another run's host, alive."""
        folder = self.base / f"evalkit-{process}-{name}"
        folder.mkdir()
        self._locks[name] = mark_alive(folder)
        told = HostState(name, f"/{name}", "/log", process, -process, float(process), self.now, Status("generating"))
        write_state(folder, replace(told, **changes))  # type: ignore[arg-type]

    def end(self, name: str) -> None:
        os.close(self._locks.pop(name))

    def close(self) -> None:
        for name in list(self._locks):
            self.end(name)

    def take(self, kind: str, choice: WhenBusy | None = None) -> None:
        def pause(timeout_s: float) -> None:
            self.now += timeout_s
            self.pauses.append(timeout_s)
            self.meanwhile.pop(0)()

        Devices(self.heart, pause, choice).take(TARGET, (("device", kind),), self.progress)

    @property
    def own(self) -> HostState:
        return next(host for host in live_hosts(self.base) if host.run == "own")

    @property
    def notes(self) -> list[str]:
        return [status.note for status in self.statuses if status.note]


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    made = Street(tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for module in (devices, state):
        monkeypatch.setattr(module.time, "monotonic", lambda: made.now)
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_an_idle_device_is_taken_at_once(street: Street, kind: str) -> None:
    """Without a word; others hold another device, or nothing."""
    street.host("first", 11, device="cuda" if kind == "cpu" else "cpu", holds="m")
    street.host("idle", 12)

    street.take(kind)

    assert (street.own.device, street.own.holds) == (kind, "demo:nf4:naked:greedy")
    assert street.statuses == []


@pytest.mark.parametrize("facts", [None, (), (("engine", "replay"),), Failure("no such model")])
def test_an_engine_without_a_device_takes_none(street: Street, facts: object) -> None:
    """Answers from recordings, say."""
    street.host("first", 11, device="cpu", holds="m")

    Devices(street.heart, lambda _: None).take(TARGET, facts, street.progress)  # type: ignore[arg-type]

    assert (street.own.holds, street.statuses) == ("", [])


@pytest.mark.parametrize(("kind", "choice"), [("cpu", None), ("cpu", "share"), ("cuda", "share")])
def test_a_shared_device_is_taken_with_a_note(street: Street, kind: str, choice: WhenBusy | None) -> None:
    """The CPU unless told otherwise; who waits for it is no reason."""
    street.host("first", 11, device=kind, holds="m")
    street.host("waits", 12, device=kind, waiting_since=5.0)

    street.take(kind, choice)

    assert street.own.holds == "demo:nf4:naked:greedy"
    assert street.notes == [
        f"Run first of yours (process 11, /first) has weights loaded on {kind} too, so both are slower and share its "
        "memory. --eval-when-busy wait waits for it."
    ]


@pytest.mark.parametrize(("kind", "choice"), [("cuda", None), ("cuda", "wait"), ("cpu", "wait")])
def test_a_busy_device_is_waited_for(street: Street, kind: str, choice: WhenBusy | None) -> None:
    """CUDA unless told otherwise: half a second at a time, until the first is done or dead."""
    street.host("first", 11, device=kind, holds="m")
    seen: list[HostState] = []
    street.meanwhile = [lambda: seen.append(street.own), lambda: street.end("first")]

    street.take(kind, choice)

    assert street.pauses == [0.5, 0.5]
    assert (seen[0].device, seen[0].holds, seen[0].waiting_since) == (kind, "", 100.0)
    assert (street.own.holds, street.own.waiting_since) == ("demo:nf4:naked:greedy", None)
    assert street.notes == [
        f"Waiting for run first of yours (process 11, /first), which has weights loaded on {kind}. "
        "--eval-when-busy share goes on beside it.",
        f"Waited 0:01 for run first of yours (process 11, /first) to let go of {kind}.",
    ]
    lines = [status.target for status in street.statuses if status.phase == "waiting" and not status.note]
    assert lines == [f"for run first (process 11) on {kind}  0:00"] * 2


def test_those_who_wait_go_on_in_turn(street: Street) -> None:
    """One that came first is waited for too, even when the holder has left; one that came later is not."""
    street.host("first", 11, device="cuda", holds="m")
    street.host("before", 12, device="cuda", waiting_since=99.0)
    street.host("after", 13, device="cuda", waiting_since=101.0)
    street.meanwhile = [lambda: street.end("first"), lambda: None, lambda: street.end("before")]

    street.take("cuda")

    assert street.notes[1] == (
        "Waiting for run before of yours (process 12, /before), which came first and waits for cuda too. "
        "--eval-when-busy share goes on beside it."
    )
    assert len(street.pauses) == 3
    assert street.own.holds == "demo:nf4:naked:greedy"


def test_a_silent_holder_is_said_to_be(street: Street) -> None:
    """It is waited for all the same: it still has the memory."""
    street.host("first", 11, device="cuda", holds="m", beat_at=40.0)
    street.meanwhile = [lambda: street.end("first")]

    street.take("cuda")

    assert next(status.target for status in street.statuses if status.phase == "waiting") == (
        "for run first (process 11, silent for 1:00) on cuda  0:00"
    )


def test_what_is_ours_already_is_not_waited_for(street: Street) -> None:
    """The second weights of a run come on the device that it holds."""
    street.take("cuda")
    street.host("first", 11, device="cuda", holds="m")

    street.take("cuda")

    assert (street.pauses, street.statuses) == ([], [])


def test_a_run_within_a_run_does_not_wait_for_it(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outer one waits for the test that started the inner one."""
    street.host("outer", 11, device="cuda", holds="m", controller=4711)
    monkeypatch.setattr(devices, "ancestors", lambda process: {1, 4711} if process == os.getpid() else set())

    street.take("cuda")

    assert (street.pauses, street.statuses) == ([], [])


def test_two_of_one_process_do_not_wait_for_each_other(street: Street) -> None:
    """A run that was started inside another's process."""
    own = street.heart.state
    outer = replace(own, run="outer", process=11, device="cuda", holds="m")

    assert in_front([outer], own, "cuda") == []


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("cpu", "cpu", True),
        ("cpu", "cuda", False),
        ("", "cpu", False),
        ("cuda", "cuda", True),
        ("cuda", "cuda:1", True),
        ("cuda:0", "cuda:1", False),
        ("cuda:0,1", "cuda:1", True),
        ("cuda:GPU-a", "cuda:GPU-b", False),
        ("cuda:GPU-a", "cuda:0", True),
    ],
)
def test_which_devices_may_be_the_same(one: str, other: str, together: bool) -> None:
    """Numbers and ids cannot be told apart; all devices are any device."""
    assert overlap(one, other) is overlap(other, one) is together


def test_the_devices_a_process_may_use() -> None:
    """By CUDA_VISIBLE_DEVICES, which says nothing of the CPU."""
    chosen = {"CUDA_VISIBLE_DEVICES": "2, 3"}

    assert [visible("cuda", chosen), visible("cpu", chosen), visible("cuda", {})] == ["cuda:2,3", "cpu", "cuda"]


def test_parents_of_a_process(tmp_path: Path) -> None:
    """Read from the process table; names with spaces and brackets are no trouble; nobody is asked twice."""
    for process, text in {40: "40 (a ) b) S 30 40", 30: "30 (sh) S 1 30"}.items():
        (tmp_path / str(process)).mkdir()
        (tmp_path / str(process) / "stat").write_text(text)

    assert ancestors(40, tmp_path) == {30, 1}
    assert ancestors(99, tmp_path) == set()
    assert os.getppid() in ancestors(os.getpid())


CONTENDER = """
import os, signal, sys, time
from pathlib import Path
from evalkit.host import devices, folders
from evalkit.host.heartbeat import Heartbeat
from evalkit.host.messages import Run
from evalkit.host.progress import StatusKeeper
from evalkit.target import Model, Quantisation, Target
devices.LOOK_EVERY_S = 0.01
folders._LOCK_LIMIT_S = float("inf")  # on a busy machine one may wait for long
look = devices.live_hosts
def slow_look(base):
    found = look(base)
    time.sleep(0.02)  # long enough for another to come between the look and the claim
    return found
devices.live_hosts = slow_look
base = Path(sys.argv[1])
folder = base / f"evalkit-{os.getpid()}-run"
folder.mkdir()
heart = Heartbeat(folder, "/log")
heart.begin(Run(sys.argv[2], "/w"))
print("ready", flush=True)
sys.stdin.readline()
target = Target(Model("m", "/m", True, "m"), Quantisation("nf4", "nf4"))
devices.Devices(heart, time.sleep).take(target, (("device", "cuda"),), StatusKeeper(lambda status: None))
os.close(os.open(base / "taken", os.O_CREAT | os.O_EXCL))  # fails where another holds the device
time.sleep(0.02)
os.unlink(base / "taken")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_of_many_at_once_one_holds_the_device(tmp_path: Path) -> None:
    """Six real processes that start at one moment, each killed while it holds the device; none waits for the dead."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", CONTENDER, str(tmp_path), f"run{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(6)
    ]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"

    for run in runs:
        assert run.stdin is not None
        run.stdin.write("go\n")
        run.stdin.flush()
    errors = [run.communicate(timeout=60)[1] for run in runs]

    assert [run.returncode for run in runs] == [-9] * 6, errors
    assert live_hosts(tmp_path) == []
    assert not list(tmp_path.glob(".evalkit-*"))
