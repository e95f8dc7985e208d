"""A host's sign of life: what is written when, and who counts as alive."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from evalkit.host import folders
from evalkit.host import state as states
from evalkit.host.folders import alone, is_alive, mark_alive
from evalkit.host.heartbeat import Heartbeat
from evalkit.host.messages import Run, Status
from evalkit.host.state import HostState, live_hosts, write_state

RUN = Run("20261121-a1", "/home/u/evals")


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / f"evalkit-{os.getpid()}-own"
    made.mkdir()
    return made


@pytest.fixture
def living(tmp_path: Path) -> Iterator[Callable[..., tuple[Path, int]]]:
    """``living(name, state)``: a host's folder with its state and its held lock; the lock's descriptor."""
    held: list[int] = []

    def make(name: str, state: HostState) -> tuple[Path, int]:
        made = tmp_path / f"evalkit-{os.getpid()}-{name}"
        made.mkdir()
        held.append(mark_alive(made))
        write_state(made, state)
        return made, held[-1]

    yield make
    for descriptor in held:
        try:
            os.close(descriptor)
        except OSError:
            continue


def state(run: str, **changes: object) -> HostState:
    plain = HostState(run, "/w", "/w/.evalkit/host.log", 7, 6, 1000.0, 50.0, Status("generating"))
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_nothing_is_told_before_there_is_a_run(folder: Path) -> None:
    """A host that nobody has given a plan has no state, and begins with one."""
    heart = Heartbeat(folder, "/log", Clock())
    heart.beat()

    assert live_hosts(folder.parent) == []

    heart.begin(RUN)
    [told] = live_hosts(folder.parent)
    assert (told.run, told.workspace, told.log) == ("20261121-a1", "/home/u/evals", "/log")
    assert (told.process, told.controller) == (os.getpid(), os.getpid())


def test_it_beats_at_most_once_a_second(folder: Path) -> None:
    """Whatever it learns meanwhile waits for the next beat; notes are never told."""
    clock = Clock()
    heart = Heartbeat(folder, "/log", clock)
    heart.begin(RUN)
    heart.know(Status("generating", "demo:nf4", done=3, total=9, note="for the user"))

    clock.now += 0.9
    heart.beat()
    early = live_hosts(folder.parent)[0]
    clock.now += 0.1
    heart.beat()
    late = live_hosts(folder.parent)[0]

    assert (early.beat_at, early.status) == (100.0, Status("starting"))
    assert (late.beat_at, late.status) == (101.0, Status("generating", "demo:nf4", done=3, total=9))


def test_what_it_holds_and_waits_for_is_told_at_once(folder: Path) -> None:
    """Other runs decide by it."""
    heart = Heartbeat(folder, "/log", Clock())
    heart.begin(RUN)

    heart.wait_for("cuda")
    waiting = live_hosts(folder.parent)[0]
    heart.hold("cuda", "demo:nf4")
    holding = live_hosts(folder.parent)[0]

    assert (waiting.device, waiting.holds, waiting.waiting_since) == ("cuda", "", 100.0)
    assert (holding.device, holding.holds, holding.waiting_since) == ("cuda", "demo:nf4", None)


def test_after_the_end_nothing_is_written(folder: Path) -> None:
    """The folder can be removed while the loop still turns."""
    clock = Clock()
    heart = Heartbeat(folder, "/log", clock)
    heart.begin(RUN)
    (folder / "state.json").unlink()

    heart.stop()
    clock.now += 5
    heart.beat()

    assert sorted(file.name for file in folder.iterdir()) == ["alive"]


def test_a_state_that_cannot_be_written_stops_nothing(folder: Path) -> None:
    """The folder is gone, say."""
    heart = Heartbeat(folder / "gone", "/log", Clock())

    heart.begin(RUN)
    heart.hold("cpu", "demo")

    assert live_hosts(folder.parent) == []


def test_a_state_without_a_lock_is_of_the_dead(living: Callable[..., tuple[Path, int]], tmp_path: Path) -> None:
    """The kernel lets go of the lock whatever ends a process; its number may be another's by then."""
    _, descriptor = living("one", state("one", process=os.getpid()))
    living("two", state("two", started_at=999.0))

    assert [host.run for host in live_hosts(tmp_path)] == ["two", "one"]

    os.close(descriptor)
    assert [host.run for host in live_hosts(tmp_path)] == ["two"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run": "x"}', "\ud800"])
def test_a_state_that_cannot_be_read_is_left_out(
    living: Callable[..., tuple[Path, int]], tmp_path: Path, text: str
) -> None:
    """Of another version of evalkit, say."""
    made, _ = living("one", state("one"))
    (made / "state.json").write_bytes(text.encode("utf-8", "surrogatepass"))

    assert live_hosts(tmp_path) == []


def test_a_state_of_a_newer_evalkit_is_left_out(living: Callable[..., tuple[Path, int]], tmp_path: Path) -> None:
    """It has a field that nobody here knows."""
    made, _ = living("one", state("one"))
    (made / "state.json").write_text(json.dumps({**asdict(state("one")), "mood": "fine"}))

    assert live_hosts(tmp_path) == []


def test_folders_that_are_no_runs_are_left_out(tmp_path: Path) -> None:
    """By their names; and one without a lock's file."""
    for name in ("evalkit-notes-x", "evalkit-1x-x", "evalkit-5-x"):
        (tmp_path / name).mkdir()
        write_state(tmp_path / name, state(name))

    assert live_hosts(tmp_path) == []
    assert not is_alive(tmp_path / "evalkit-5-x")


@pytest.mark.parametrize(
    ("phase", "silent_s", "is_silent"),
    [("generating", 19, False), ("generating", 21, True), ("loading", 100, False), ("loading", 130, True)],
)
def test_silence_is_long_in_its_phase(
    monkeypatch: pytest.MonkeyPatch, phase: str, silent_s: float, is_silent: bool
) -> None:
    """Weights come in without a sign of life."""
    monkeypatch.setattr(states.time, "monotonic", lambda: 50.0 + silent_s)

    told = state("one", status=Status(phase))  # type: ignore[arg-type]

    assert (told.silent_s, told.is_silent) == (silent_s, is_silent)


def test_one_process_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen threads, each with the lock's file opened anew, never meet; the file is gone in the end."""
    monkeypatch.setattr(folders, "_LOCK_LIMIT_S", float("inf"))  # on a busy machine one may wait for long
    inside, met = [], []

    def enter() -> None:
        for _ in range(20):
            with alone(tmp_path):
                inside.append(1)
                met.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert met == [1] * 320
    assert list(tmp_path.iterdir()) == []


def test_one_that_stands_still_within_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others go on without the lock after a while, and leave its file alone."""
    monkeypatch.setattr(folders, "_LOCK_LIMIT_S", 0.02)
    file = tmp_path / f".evalkit-{os.getuid()}.lock"

    with alone(tmp_path):
        with alone(tmp_path):
            assert file.exists()
        assert file.exists()

    assert not file.exists()


def test_where_no_lock_can_be_it_goes_on(tmp_path: Path) -> None:
    """A stranger's file in its place, or a link to one, is left alone."""
    (tmp_path / "theirs").write_text("kept")
    (tmp_path / f".evalkit-{os.getuid()}.lock").symlink_to(tmp_path / "theirs")

    with alone(tmp_path):
        pass

    assert (tmp_path / "theirs").read_text() == "kept"
