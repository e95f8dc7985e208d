"""A client may say in which order it obtains trials."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evalkit.errors import HostLost
from evalkit.generation import Generation
from evalkit.host import client as client_module
from evalkit.host.bundles import bundle
from evalkit.host.client import HostClient
from evalkit.host.messages import Run, Settled, Want

PATIENCE_S = 300.0
"""How long a host may take on a busy machine."""


def answer(settled: Settled) -> str:
    reply = settled.replies[0]
    assert isinstance(reply, Generation)
    return reply.text


def wants(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What clients want from now on, with what follows it."""
    wanted: list[tuple[str, ...]] = []

    def noting(trial: str, following: tuple[str, ...] = ()) -> Want:
        wanted.append((trial, *following))
        return Want(trial, following)

    monkeypatch.setattr(client_module, "Want", noting)
    return wanted


def test_what_is_settled_comes_in_one_bundle(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first trial brings those that follow it, so that the host is asked once, whatever is obtained next."""
    client: HostClient = house.client()
    trials = [trial.id for trial in house.trials]
    client.submit(house.trials)
    client.foresee(trials)
    wanted = wants(monkeypatch)

    found = [answer(client.obtain(trials[place])) for place in (0, 1, 4, 2, 3, 5)]

    assert found == ["Answer 0", "Answer 1", "Answer 4", "Answer 2", "Answer 3", "Answer 5"]
    assert wanted == [tuple(trials)]


def test_the_next_bundle_is_asked_for_before_the_last_is_used_up(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No trial is brought twice, and none that was not foreseen."""
    monkeypatch.setattr(client_module, "MOST_AHEAD", 2)
    monkeypatch.setattr(client_module, "ENOUGH_AHEAD", 1)
    client: HostClient = house.client()
    trials = [trial.id for trial in house.trials]
    client.submit(house.trials)
    client.foresee(trials[:5])
    wanted = wants(monkeypatch)

    found = [answer(client.obtain(trial)) for trial in trials]

    assert found == [f"Answer {number}" for number in range(6)]
    assert wanted == [tuple(trials[:3]), tuple(trials[3:5]), (trials[5],)]


def test_without_an_order_every_trial_comes_alone(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker among others holds no answer that it does not judge now."""
    client: HostClient = house.client()
    client.submit(house.trials)
    wanted = wants(monkeypatch)

    for trial in house.trials:
        client.obtain(trial.id)

        assert not client.come
    assert wanted == [(trial.id,) for trial in house.trials]


@pytest.mark.slow
def test_what_was_asked_for_ahead_is_asked_again_of_the_next_host(
    house: Any, wait_until: Callable[[Callable[[], bool]], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that dies between two trials takes nothing with it."""
    client: HostClient = house.client()
    trials = house.trials
    monkeypatch.setattr(client_module, "MOST_AHEAD", 0)
    client.submit(trials)
    client.foresee(trial.id for trial in trials)
    client.obtain(trials[0].id)
    [host] = house.hosts()

    os.kill(host, signal.SIGKILL)
    assert wait_until(lambda: house.hosts() != [host])

    assert [answer(client.obtain(trial.id)) for trial in trials[1:3]] == ["Answer 1", "Answer 2"]


def test_a_bundle_ends_where_its_texts_get_long() -> None:
    """What a socket takes while its reader judges is little; what is wanted comes whatever its length."""
    short, long = (Generation(text, text, (), "stop", 1, 1) for text in ("x" * 12_000, "y" * 40_000))
    plan = {name: Settled(name, (short,)) for name in "abcdef"} | {"long": Settled("long", (long,))}

    def of(*names: str) -> str:
        return " ".join(settled.trial for settled in bundle(plan[names[0]], names[1:], plan.get))

    assert of("a", "b", "c", "d") == "a b"
    assert of("long", "a") == "long"
    assert of("a", "unsettled", "b") == "a"


def test_a_client_may_call_before_it_waits(house: Any) -> None:
    """The host works from then on; that there is none is told to whoever obtains something."""
    client: HostClient = house.client()
    client.submit(house.trials)
    stranger = HostClient(replace(house.launcher.address, key="00"), Run("run", str(house.root)))

    client.call()
    stranger.call()

    assert house.launcher.starts == 1
    assert answer(client.obtain(house.trials[0].id)) == "Answer 0"
    for _ in range(2):
        with pytest.raises(HostLost, match=r"^Host lost after 0 of 0 trials\. "):
            stranger.obtain("any")


@pytest.mark.slow
def test_a_long_plan_goes_out_while_a_long_answer_comes(house: Any) -> None:
    """Neither waits for the other to read; what was on its way is asked for again."""
    client: HostClient = house.client()
    first, second = house.trials[:2]
    long_one = house.trial("x" * 2_000_000)
    messages = [{"role": "user", "content": "Ask probe-1"}]
    line = {"messages": messages, "target": "one:fp32:naked:greedy", "text": "A long answer. " * 200_000}
    recordings = house.root / "fixtures" / "recordings" / "all.jsonl"
    kept = recordings.read_text().splitlines()
    recordings.write_text("\n".join([kept[0], json.dumps(line), *kept[2:], ""]))
    found: list[Settled] = []

    def obtain() -> None:
        client.submit([first, second])
        client.foresee([first.id, second.id])
        found.append(client.obtain(first.id))
        client.submit([long_one])
        found.extend([client.obtain(long_one.id), client.obtain(second.id)])

    obtaining = threading.Thread(target=obtain, daemon=True)
    obtaining.start()
    obtaining.join(PATIENCE_S)

    assert [settled.trial for settled in found] == [first.id, long_one.id, second.id]
    assert answer(found[2]) == line["text"]
