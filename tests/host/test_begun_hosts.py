"""A host that is begun before anybody calls it, because somebody is going to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines.table import preparations
from evalkit.errors import HostLost
from evalkit.host import launch as launch_module
from evalkit.host.heartbeat import Heartbeat
from evalkit.host.launch import Launcher
from evalkit.host.messages import Status
from evalkit.host.pipe import lines_or_silence
from evalkit.host.server import Server, StatusLine

Wait = Callable[[Callable[[], bool]], bool]


def test_it_starts_at_once_and_serves_whoever_calls(house: Any, wait_until: Wait) -> None:
    """The first call finds a host that is there already, and starts no other."""
    house.launcher.begin(["replay"])
    assert wait_until(lambda: len(house.hosts()) == 1)
    [host] = house.hosts()
    client = house.client()
    client.submit(house.trials)

    assert client.obtain(house.trials[2].id).replies[0].text == "Answer 2"

    assert house.hosts() == [host]
    house.launcher.close()  # all that the host said is read by then
    assert (house.launcher.starts, house.launcher.is_used) == (1, True)


def test_one_that_dies_before_a_call_is_not_missed(house: Any, wait_until: Wait) -> None:
    """Nobody waits for it; the first call starts the second host, which makes nothing ready."""
    house.launcher.begin(["local"])
    assert wait_until(lambda: len(house.hosts()) == 1)
    os.kill(house.hosts()[0], 9)
    assert wait_until(lambda: "ended with -9" in house.log())
    assert house.launcher.starts == 1
    client = house.client()
    client.submit(house.trials)

    assert client.obtain(house.trials[0].id).replies[0].text == "Answer 0"

    assert house.launcher.starts == 2


@pytest.mark.parametrize("is_begun", [True, False], ids=["begun", "called"])
def test_one_that_was_only_begun_is_not_said_to_be_silent(
    house: Any, monkeypatch: pytest.MonkeyPatch, is_begun: bool
) -> None:
    """Other tests may run for minutes before the first probe; whoever called it waits."""
    statuses: list[Status] = []

    def silent(descriptor: int) -> Iterator[bytes | float]:
        yield 500.0
        yield from (line for line in lines_or_silence(descriptor) if isinstance(line, bytes))

    monkeypatch.setattr(launch_module, "lines_or_silence", silent)
    monkeypatch.setattr(house.launcher, "_on_status", statuses.append)
    if is_begun:
        house.launcher.begin([])
    client = house.client()
    client.submit(house.trials)

    client.obtain(house.trials[0].id)
    house.launcher.close()

    assert [status.silent_s for status in statuses if status.silent_s] == ([] if is_begun else [500.0])


def launcher_of(folder: Path) -> Launcher:
    return Launcher(folder / ".evalkit" / "host-run.log", lambda status: None)


def test_of_one_that_nobody_called_nothing_is_left(tmp_path: Path, wait_until: Wait) -> None:
    """Neither a process nor its log, nor the folder that was made for it."""
    launcher = launcher_of(tmp_path)
    launcher.begin([])
    assert wait_until(lambda: launcher.starts == 1)

    launcher.close()

    assert list(tmp_path.iterdir()) == []
    assert not Path(launcher.address.socket).parent.exists()
    assert not launcher.is_used


def test_of_one_whose_lease_ends_before_it_is_started_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that starts it may come to that late: no host, no log, no folder."""
    is_at_it, may_go_on = threading.Event(), threading.Event()
    start = Launcher._start

    def late(launcher: Launcher) -> object:
        is_at_it.set()
        may_go_on.wait()
        return start(launcher)

    monkeypatch.setattr(Launcher, "_start", late)
    launcher = launcher_of(tmp_path)
    launcher.begin([])
    is_at_it.wait()

    launcher.end()
    may_go_on.set()
    launcher.close()

    assert launcher.starts == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text"), [("host-run.log", "Fatal Python error\n"), ("store.sqlite3", "")], ids=["a word", "another file"]
)
def test_what_else_is_there_stays(tmp_path: Path, wait_until: Wait, name: str, text: str) -> None:
    """A log that says something, and a folder that holds anything."""
    launcher = launcher_of(tmp_path)
    file = tmp_path / ".evalkit" / name
    file.parent.mkdir()
    file.write_text(text)
    launcher.begin([])
    assert wait_until(lambda: launcher.starts == 1)

    launcher.close()

    assert file.read_text().startswith(text)
    assert (tmp_path / ".evalkit" / "host-run.log").exists() == (name == "host-run.log")


def test_the_end_of_the_lease_waits_for_the_hosts_last_word(house: Any) -> None:
    """``end`` comes back when its status has ended; ``close`` when it has left. Both are safe to call twice."""
    client = house.client()
    client.submit(house.trials)
    for trial in house.trials:
        client.obtain(trial.id)

    house.launcher.end()
    house.launcher.end()
    said = list(house.statuses)
    house.launcher.close()
    house.launcher.close()

    assert house.statuses == said
    assert said[-1].done == 6
    assert house.hosts() == []


@pytest.mark.parametrize("is_begun", [False, True], ids=["never started", "started"])
def test_whoever_calls_after_the_lease_is_told(house: Any, wait_until: Wait, is_begun: bool) -> None:
    """A worker that runs on, or a fixture that is torn down late, waits for nobody."""
    if is_begun:
        house.launcher.begin([])
        assert wait_until(lambda: len(house.hosts()) == 1)
    house.launcher.end()
    client = house.client()
    client.submit(house.trials)

    with pytest.raises(HostLost, match=r"^Host lost after 0 of 6 trials\."):
        client.obtain(house.trials[0].id)


@contextmanager
def server_of(folder: Path, preparing: Iterator[str]) -> Iterator[Server]:
    with socket.socket(socket.AF_UNIX) as listener, (folder / "status").open("wb") as status:
        yield Server(listener, b"", StatusLine(status.fileno()), Heartbeat(folder, ""), preparing=preparing)


def test_it_gets_ready_piece_by_piece(tmp_path: Path) -> None:
    """So that calls are taken in between."""
    done: list[str] = []

    def pieces() -> Iterator[str]:
        for name in ("first", "second"):
            done.append(name)
            yield name

    with server_of(tmp_path, pieces()) as server:
        found = [(server._prepare(), list(done)) for _ in range(3)]

    assert found == [(True, ["first"]), (True, ["first", "second"]), (False, ["first", "second"])]


def test_what_cannot_be_made_ready_is_left_to_its_use(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The host goes on; its log says what it was."""

    def pieces() -> Iterator[str]:
        yield "first"
        raise ImportError("libcudart is missing")

    with server_of(tmp_path, pieces()) as server:
        found = [server._prepare() for _ in range(3)]

    assert found == [True, False, False]
    assert "ImportError: libcudart is missing" in capfd.readouterr().err


def test_only_local_engines_need_to_be_made_ready() -> None:
    """Servers are elsewhere, and what is replayed is read when its trials are known."""
    assert list(preparations(["", "anthropic", "openai", "replay"])) == []


@pytest.mark.slow
def test_a_local_engine_is_ready_when_its_libraries_are_imported() -> None:
    """Each once, and out of the way of every search for garbage; what is there already is not done again."""
    program = (
        "import gc, sys; from evalkit.engines.table import preparations; found = list(preparations(['local'])); "
        "assert gc.isenabled() and gc.get_freeze_count() > 100_000 and 'evalkit.engines.local.loaded' in sys.modules; "
        "print(found, list(preparations(['local'])))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == (
        "['torch', 'transformers', 'transformers.modeling_utils', 'evalkit.engines.local.preflight.examination', "
        "'evalkit.engines.local.loaded'] []"
    )
