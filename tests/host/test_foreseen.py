"""A client may say which trial it obtains next."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from evalkit.generation import Generation
from evalkit.host import client as client_module
from evalkit.host.client import HostClient
from evalkit.host.messages import Settled, Want


def answer(settled: Settled) -> str:
    reply = settled.replies[0]
    assert isinstance(reply, Generation)
    return reply.text


def test_the_next_trial_is_asked_for_ahead_and_once(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every trial is wanted once, one ahead of its turn, and comes right in any order it is then obtained in."""
    client: HostClient = house.client()
    trials = house.trials
    client.submit(trials)
    wanted: list[str] = []
    want = client_module.Want

    def noting(trial: str) -> Want:
        wanted.append(trial)
        return want(trial)

    monkeypatch.setattr(client_module, "Want", noting)

    first = client.obtain(trials[0].id, trials[1].id)
    skipped = client.obtain(trials[4].id)
    second = client.obtain(trials[1].id, trials[2].id)
    third = client.obtain(trials[2].id)

    assert [answer(one) for one in (first, skipped, second, third)] == ["Answer 0", "Answer 4", "Answer 1", "Answer 2"]
    assert wanted == [trials[place].id for place in (0, 1, 4, 2)]


@pytest.mark.slow
def test_what_was_asked_for_ahead_is_asked_again_of_the_next_host(
    house: Any, wait_until: Callable[[Callable[[], bool]], bool]
) -> None:
    """A host that dies between two trials takes nothing with it."""
    client: HostClient = house.client()
    trials = house.trials
    client.submit(trials)
    client.obtain(trials[0].id, trials[1].id)
    [host] = house.hosts()

    os.kill(host, signal.SIGKILL)
    assert wait_until(lambda: house.hosts() != [host])

    assert [answer(client.obtain(trial.id)) for trial in trials[1:3]] == ["Answer 1", "Answer 2"]
