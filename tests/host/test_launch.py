"""The controller's side of a real host process: when it starts, how it ends, what it leaves."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import HostLost
from evalkit.generation import Generation
from evalkit.host import client as client_module
from evalkit.host.client import HostClient
from evalkit.host.launch import Launcher
from evalkit.host.messages import Run

if TYPE_CHECKING:
    from conftest import House

    Wait = Callable[[Callable[[], bool]], bool]


NOBODY = 2**31 - 1
"""More than Linux counts processes; the number of one that has ended may be another's by now."""


def answer(client: HostClient, trial: str) -> str:
    reply = client.obtain(trial).replies[0]
    assert isinstance(reply, Generation)
    return reply.text


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_nothing_starts_until_somebody_calls(house: House) -> None:
    """There is a socket in a private folder, and no process and no log; submitting alone calls nobody."""
    client = house.client()
    client.submit(house.trials)

    assert (house.launcher.starts, house.hosts()) == (0, [])
    assert not Path(house.launcher.address.log).exists()
    folder = Path(house.launcher.address.socket).parent
    assert folder.name.startswith(f"evalkit-{os.getpid()}-")
    assert folder.stat().st_mode & 0o777 == 0o700

    assert answer(client, house.trials[2].id) == "Answer 2"
    assert house.launcher.starts == 1
    assert len(house.hosts()) == 1


def test_the_key_is_in_no_command_line(house: House) -> None:
    """Other users can read command lines; the key goes over standard input."""
    client = house.client()
    client.submit(house.trials)
    client.obtain(house.trials[0].id)

    [host] = house.hosts()

    assert house.launcher.address.key.encode() not in Path(f"/proc/{host}/cmdline").read_bytes()
    assert house.launcher.address.key.encode() not in Path(f"/proc/{host}/environ").read_bytes()


def test_close_leaves_no_process_no_folder_no_thread_and_no_open_file(house: House) -> None:
    """Of a launcher whose host has worked; a second close does nothing."""
    files, threads = open_files(), set(threading.enumerate())
    launcher = Launcher(house.root / ".evalkit" / "host-other.log", lambda status: None)
    client = HostClient(launcher.address, Run("run", str(house.root)))
    client.submit(house.trials)
    client.obtain(house.trials[0].id)
    client.close()

    launcher.close()
    launcher.close()

    assert house.hosts() == []
    assert not Path(launcher.address.socket).parent.exists()
    assert open_files() <= files
    assert set(threading.enumerate()) <= threads  # those of other tests may end meanwhile
    assert (house.root / ".evalkit" / "host-other.log").read_text().splitlines() == [
        f"--- host started (number 1) by process {os.getpid()}",
        "--- host ended with 0",
    ]


def test_close_of_an_uncalled_launcher_leaves_nothing(house: House) -> None:
    """Neither folder nor open file."""
    files = open_files()
    launcher = Launcher(house.root / "never.log", lambda status: None)

    launcher.close()

    assert open_files() <= files
    assert not Path(launcher.address.socket).parent.exists()
    assert not (house.root / "never.log").exists()


def test_a_wrong_key_is_refused_and_the_right_one_served_after_it(house: House) -> None:
    """A stranger learns nothing and stops nothing."""
    with pytest.raises(AuthenticationError):
        Client(house.launcher.address.socket, family="AF_UNIX", authkey=b"a guess")
    stranger = HostClient(replace(house.launcher.address, key="00"), Run("run", str(house.root)))
    with pytest.raises(HostLost):
        stranger.obtain("any")

    client = house.client()
    client.submit(house.trials)

    assert answer(client, house.trials[0].id) == "Answer 0"
    assert house.launcher.starts == 1


def test_folders_of_the_dead_are_swept_and_of_the_living_kept(house: House) -> None:
    """A launcher removes what a killed controller left, and nothing else."""
    names = [f"evalkit-{NOBODY}-left", f"evalkit-{os.getpid()}-mine", "evalkit-notes-mine", "evalkit-1x-mine"]
    for name in names:
        (house.temporary / name).mkdir()
        (house.temporary / name / "host").write_text("")

    Launcher(house.root / "never.log", lambda status: None).close()

    assert [name for name in names if (house.temporary / name).exists()] == names[1:]


def test_a_host_killed_once_is_started_again_and_twice_is_lost(house: House, wait_until: Wait) -> None:
    """Clients find the second host by themselves; after it there is a sentence, at once and for everybody."""
    client = house.client()
    client.submit(house.trials)
    client.obtain(house.trials[0].id)
    kill_host(house, wait_until)

    assert answer(client, house.trials[1].id) == "Answer 1"
    assert house.launcher.starts == 2
    kill_host(house, wait_until)

    sentence = (
        f"Host lost after 6 of 6 trials. Host log: {house.root}/.evalkit/host-run.log. "
        "Run the same command again: finished answers are kept, only the rest is generated."
    )
    with pytest.raises(HostLost) as caught:
        client.obtain(house.trials[2].id)
    assert str(caught.value) == sentence
    with pytest.raises(HostLost, match=r"^Host lost after 0 of 0 trials\. "):
        house.client().obtain("any")
    assert [line for line in house.log().splitlines() if line.startswith("---")] == [
        f"--- host started (number 1) by process {os.getpid()}",
        "--- host ended with -9",
        f"--- host started (number 2) by process {os.getpid()}",
        "--- host ended with -9",
    ]


@pytest.mark.parametrize("most_ahead", [0, 3], ids=["one by one", "in bundles"])
def test_a_dead_host_is_started_again_before_its_last_answers_are_judged(
    house: House, wait_until: Wait, monkeypatch: pytest.MonkeyPatch, most_ahead: int
) -> None:
    """Whoever gets one that came before it died calls the next host at once; where there is none, the answer stays."""
    monkeypatch.setattr(client_module, "MOST_AHEAD", most_ahead)
    monkeypatch.setattr(client_module, "ENOUGH_AHEAD", 1)
    client = house.client()
    client.submit(house.trials)
    trials = [trial.id for trial in house.trials]
    client.foresee(trials)
    client.obtain(trials[0])

    for number in (1, 2):
        assert most_ahead or wait_until(lambda: client._connection is not None and client._connection.poll())
        kill_host(house, wait_until)
        assert wait_until(client._is_hung_up)  # its files are gone a moment before its sockets are
        [reply] = client.obtain(trials[number]).replies

        assert isinstance(reply, Generation)
        assert reply.text == f"Answer {number}"
        assert house.launcher.starts == 2

    lost = 4 if most_ahead else 3
    for trial in trials[3:lost]:
        client.obtain(trial)
    with pytest.raises(HostLost, match=r"^Host lost after 6 of 6 trials\. "):
        client.obtain(trials[lost])


def kill_host(house: House, wait_until: Wait) -> None:
    [host] = house.hosts()
    os.kill(host, signal.SIGKILL)
    assert wait_until(lambda: host not in house.hosts())


def test_status_lines_reach_the_controller(house: House, wait_until: Wait) -> None:
    """The last says that everything is done, with one load."""
    client = house.client()
    client.submit(house.trials)
    for trial in house.trials:
        client.obtain(trial.id)

    assert wait_until(lambda: bool(house.statuses) and house.statuses[-1].phase == "idle")
    last = house.statuses[-1]
    assert (last.done, last.total, last.stored, last.loads) == (6, 6, 0, 1)
