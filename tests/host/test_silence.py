"""A host that falls silent while its process lives: the controller hears of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from evalkit.host import launch
from evalkit.host.pipe import lines_or_silence

if TYPE_CHECKING:
    from conftest import House

    Wait = Callable[[Callable[[], bool]], bool]


def test_lines_come_whole_and_silence_is_counted() -> None:
    """Two lines in pieces, a pause, and half a line at the end."""
    reading, writing = os.pipe()
    heard = lines_or_silence(reading, 0.001)
    os.write(writing, b"one\ntw")

    found: list[bytes | float] = [next(heard)]
    silences = [next(heard), next(heard)]
    os.write(writing, b"o\nhalf")
    found += [next(heard)]
    os.close(writing)
    found += [line for line in heard if isinstance(line, bytes)]
    os.close(reading)

    assert found == [b"one", b"two", b"half"]
    assert isinstance(silences[0], float)
    assert isinstance(silences[1], float)
    assert 0 < silences[0] < silences[1]


def test_the_controller_hears_of_silence(house: House, wait_until: Wait, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last status again, with how long nothing has come; the host is left alone."""
    monkeypatch.setattr(launch, "silence_bound_s", lambda status: 0.0)
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(house.launcher.address.socket)  # and never says what it wants

        assert wait_until(lambda: bool(house.statuses))

    assert house.statuses[0].phase == "starting"
    assert house.statuses[0].silent_s >= 1.0
    assert len(house.hosts()) == 1


def test_an_idle_host_is_not_silent(house: House, wait_until: Wait, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has nothing to say, but for its status once a second; a silence in between is not told."""
    silences: list[float] = []

    def noting(descriptor: int) -> Iterator[bytes | float]:
        for line in lines_or_silence(descriptor, 0.01):
            if isinstance(line, float):
                silences.append(line)
            yield line

    monkeypatch.setattr(launch, "silence_bound_s", lambda status: 0.0)
    monkeypatch.setattr(launch, "lines_or_silence", noting)
    client = house.client()
    client.submit(house.trials)
    for trial in house.trials:
        client.obtain(trial.id)
    assert wait_until(lambda: house.statuses[-1].phase == "idle")

    told, heard = len(house.statuses), len(silences)
    assert wait_until(lambda: len(silences) >= heard + 10)
    house.launcher.close()

    assert {(status.phase, status.silent_s) for status in house.statuses[told:]} <= {("idle", 0.0)}
