"""How long a run still takes, on a clock that the tests turn."""

from __future__ import annotations

import itertools

import pytest

from evalkit.host.forecast import Forecast, Left
from evalkit.target import Engine, Model, Quantisation, Target

NF4, BF16 = (
    Target(Model("m", "/m", True, "m"), Quantisation(name, name))  # type: ignore[arg-type]
    for name in ("nf4", "bf16")
)
SERVER, OTHER = (
    Target(Model(name, name, False, name), Quantisation("served", "served"), engine=Engine(name, "openai"))
    for name in ("fast", "slow")
)


def batch(forecast: Forecast, now: float, target: Target, *, seconds: float, answers: int, tokens: int) -> float:
    """Generates for so long, all answers coming at the end; the time then."""
    forecast.run(now)
    forecast.tokens(tokens)
    forecast.run(now + seconds)
    forecast.came(target, answers, tokens, now + seconds)
    return now + seconds


def test_nothing_is_told_before_something_was_measured() -> None:
    """Three answers and two seconds; from then on what is left at the speed so far."""
    forecast = Forecast()
    assert forecast.left(0.0) is None
    forecast.plan(NF4, 100)
    assert forecast.left(0.0) is None
    forecast.begin(NF4, 100, 0.0)

    now = batch(forecast, 0.0, NF4, seconds=5.0, answers=2, tokens=20)
    assert forecast.left(now) is None
    now = batch(forecast, now, NF4, seconds=5.0, answers=8, tokens=80)

    assert forecast.left(now) == Left(90.0)


def test_unfinished_answers_count_in_proportion() -> None:
    """Half a batch's tokens are half of its answers, though none of them is there."""
    forecast = Forecast()
    forecast.plan(NF4, 20)
    forecast.begin(NF4, 20, 0.0)
    now = batch(forecast, 0.0, NF4, seconds=10.0, answers=10, tokens=1000)

    forecast.run(now)
    forecast.tokens(500)
    forecast.run(now + 5.0)

    assert forecast.left(now + 5.0) == Left(pytest.approx(5.0))


def test_weight_sets_still_to_come() -> None:
    """At the speed of those that ran, with the time that loading took; told as such until they are there."""
    forecast = Forecast()
    forecast.plan(NF4, 20)
    forecast.plan(BF16, 10)
    forecast.load(NF4, 0.0)
    forecast.begin(NF4, 20, 30.0)
    now = batch(forecast, 30.0, NF4, seconds=10.0, answers=10, tokens=1000)

    assert forecast.left(now) == Left(10.0 + 10.0 + 30.0, 1)

    now = batch(forecast, now, NF4, seconds=10.0, answers=10, tokens=1000)
    forecast.load(BF16, now)
    forecast.begin(BF16, 10, now + 30.0)
    assert forecast.left(now + 30.0) == Left(10.0, 0)


def test_loading_costs_no_speed() -> None:
    """Seconds in which nothing is generated are not counted."""
    forecast = Forecast()
    forecast.plan(NF4, 20)
    forecast.begin(NF4, 20, 0.0)
    now = batch(forecast, 0.0, NF4, seconds=10.0, answers=10, tokens=1000)

    forecast.pause(now)
    forecast.run(now + 500.0)

    assert forecast.left(now + 500.0) == Left(10.0)


def test_servers_work_side_by_side() -> None:
    """The slowest decides, not the sum; one that is not measured yet is left out."""
    forecast = Forecast()
    for target in (SERVER, OTHER):
        forecast.plan(target, 10)
        forecast.begin(target, 10, 0.0)
    forecast.came(SERVER, 5, 0, 5.0)

    assert forecast.left(5.0) == Left(5.0)

    forecast.came(OTHER, 4, 0, 40.0)
    assert forecast._reckoned() == Left(60.0)
    assert forecast.left(60.0) == Left(60.0)


def test_it_glides_where_the_speed_leaps() -> None:
    """What is told never jumps: it follows within some seconds."""
    forecast = Forecast()
    forecast.plan(NF4, 1000)
    forecast.begin(NF4, 1000, 0.0)
    now = batch(forecast, 0.0, NF4, seconds=10.0, answers=100, tokens=1000)
    told = [forecast.left(now)]
    for _ in range(200):
        now = batch(forecast, now, NF4, seconds=0.2, answers=0, tokens=0)
        told.append(forecast.left(now))

    seconds = [left.seconds for left in told if left is not None]
    steps = [after - before for before, after in itertools.pairwise(seconds)]
    assert seconds[0] == 90.0
    assert len(seconds) == 201
    assert max(map(abs, steps)) < 2.0
    assert seconds[-1] == pytest.approx(forecast._reckoned().seconds, rel=0.2)  # type: ignore[union-attr]


def test_what_is_known_or_never_comes_is_taken_out() -> None:
    """Stored answers, and turns of a trial that failed; nothing below nothing."""
    forecast = Forecast()
    forecast.plan(NF4, 20)
    forecast.begin(NF4, 20, 0.0)
    now = batch(forecast, 0.0, NF4, seconds=10.0, answers=10, tokens=1000)

    forecast.plan(NF4, -5)
    assert forecast.left(now) == Left(5.0)
    forecast.plan(NF4, -50)
    assert forecast.left(now) is None
