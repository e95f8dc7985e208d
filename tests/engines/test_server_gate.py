"""How many are asked at once, and that no money is granted twice."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.clock import LoopClock
from evalkit.engines.servers.gate import Gate


def gate(most: int = 8) -> Gate:
    return Gate(most, LoopClock(lambda: 100.0))


def enter(opened: Gate) -> int:
    ticket = asyncio.run(opened.enter(lambda: "granted"))
    assert isinstance(ticket, int)
    return ticket


def test_a_burst_halves_once() -> None:
    """Eight that were under way are refused together: four are left, not one."""
    opened = gate()
    tickets = [enter(opened) for _ in range(8)]

    for ticket in tickets:
        opened.leave(ticket, was_too_much=True)

    assert opened.allowed == 4


def test_it_falls_to_one_and_creeps_up_again() -> None:
    """Never to none; never above what is set."""
    opened = gate()
    for _ in range(6):
        opened.leave(enter(opened), was_too_much=True)
    lowest = opened.allowed

    grown = []
    for _ in range(60):
        opened.leave(enter(opened), succeeded=True)
        grown.append(opened.allowed)

    assert lowest == 1
    assert grown == sorted(grown)
    assert grown[0] == 2
    assert grown[-1] == 8


def test_other_failures_change_nothing() -> None:
    """A dropped connection says nothing of the load."""
    opened = gate()

    opened.leave(enter(opened))

    assert opened.allowed == 8


def test_the_longest_pause_counts() -> None:
    """A short one does not cut a long one."""
    opened = gate()
    opened.pause(9)
    opened.pause(2)

    assert opened.pause_left_s == 9


def test_who_is_not_admitted_waits_for_another_to_leave() -> None:
    """And is asked again then."""
    opened = gate()
    answers = iter(["granted", "wait", "granted"])
    order: list[str] = []

    def admit() -> str:
        order.append("asked")
        return next(answers)

    async def second() -> None:
        await opened.enter(admit)  # type: ignore[arg-type]
        order.append("in")

    async def both() -> None:
        first = await opened.enter(admit)  # type: ignore[arg-type]
        waiting = asyncio.ensure_future(second())
        await asyncio.sleep(0)
        order.append("left")
        assert isinstance(first, int)
        opened.leave(first)
        await waiting

    asyncio.run(both())

    assert order == ["asked", "asked", "left", "asked", "in"]


def test_who_waits_may_be_sent_away() -> None:
    """A request that nobody wants any more leaves no trace."""
    opened = gate(1)

    async def cancelled() -> None:
        ticket = await opened.enter(lambda: "granted")
        waiting = asyncio.ensure_future(opened.enter(lambda: "granted"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert isinstance(ticket, int)
        opened.leave(ticket)
        await opened.enter(lambda: "granted")

    asyncio.run(asyncio.wait_for(cancelled(), 10))


AMOUNT = st.integers(0, 300).map(lambda cents: Decimal(cents) / 100)


@given(limit=st.integers(0, 10), calls=st.lists(st.tuples(AMOUNT, st.integers(0, 100), st.booleans()), max_size=40))
def test_the_limit_holds_whatever_comes(limit: int, calls: list[tuple[Decimal, int, bool]]) -> None:
    """As long as no call costs more than was reserved for it, spent and unknown together stay under the limit."""
    budget = Budget(float(limit))
    worst = spent = Decimal(0)
    for most, percent, is_known in calls:
        if budget.reserve(most) == "granted":
            cost = most * percent / 100
            budget.settle(most, cost if is_known else None)
            worst += cost if is_known else most
            spent += cost if is_known else 0

    assert worst <= limit
    assert budget.spent_usd == spent
    assert budget.left_usd == limit - worst


def test_sentences_are_said_once() -> None:
    """However many requests say them."""
    budget = Budget(1.0)
    budget.say_once("A.")
    budget.say_once("A.")
    first = budget.sentences()
    budget.say_once("A.")
    budget.say_once("B.")

    assert (first, budget.sentences()) == (["A."], ["B."])
