"""How many are asked at once, and that no money is granted twice."""

from __future__ import annotations

import threading
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.gate import Clock, Gate


def gate(most: int = 8) -> Gate:
    return Gate(most, Clock(lambda: 100.0, lambda seconds: None))


def enter(opened: Gate) -> int:
    ticket = opened.enter(lambda: "granted")
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
    first = enter(opened)
    answers = iter(["wait", "granted"])
    asked, found = threading.Event(), []

    def admit() -> str:
        asked.set()
        return next(answers)

    thread = threading.Thread(target=lambda: found.append(opened.enter(admit)))  # type: ignore[arg-type]
    thread.start()
    assert asked.wait(10)
    opened.leave(first)
    thread.join(10)

    assert found == [0]


def test_closing_lets_everyone_go() -> None:
    """Those who wait get nothing."""
    opened = gate(1)
    enter(opened)
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(opened.enter(lambda: "granted")))
    thread.start()

    opened.close()
    thread.join(10)

    assert found == [None]


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
    """However many threads say them."""
    budget = Budget(1.0)
    budget.say_once("A.")
    budget.say_once("A.")
    first = budget.sentences()
    budget.say_once("A.")
    budget.say_once("B.")

    assert (first, budget.sentences()) == (["A."], ["B."])
