"""The chance that gates turn red by themselves."""

from __future__ import annotations

from random import Random
from statistics import fmean
from typing import Any

import pytest

from evalkit.gates import Gate, GateResult, false_red_sentence
from evalkit.gates.false_red import chance_of_difference, chance_of_measure
from evalkit.gates.measuring import Measure


def rule(**settings: Any) -> Gate:
    return Gate(**{"name": "g", "suite": "it", "metric": "pass_rate"} | settings)


def rate(part: int, n: int) -> Measure:
    return Measure("x", n, part / n, 0.0, 1.0, n, part=part, worth=float(n))


@pytest.mark.parametrize(
    ("gate", "found", "chance"),
    [
        (rule(at_least=0.9), rate(95, 100), 0.01147),  # scipy.stats.binom.cdf(89, 100, 0.95)
        (rule(at_least=0.95), rate(95, 100), 0.38400),  # binom.cdf(94, 100, 0.95)
        (rule(at_least=0.95, fail_below=0.9), rate(95, 100), 0.01147),  # what only warns is not red
        (rule(at_least=0.9), rate(100, 100), 0.0),
        (rule(at_most=0.1, metric="collapse_rate"), rate(5, 100), 0.01147),  # binom.sf(10, 100, 0.05)
        (rule(equals=0.95, tolerance=0.005), rate(95, 100), 0.81998),  # 1 - binom.pmf(95, 100, 0.95)
        (rule(at_least=0.8, end="low"), rate(95, 100), 0.00146),  # Wilson's low end is under 80 % at 87 of 100
        (rule(metric="count", flag="collapsed", at_most=0.0), Measure("x", 50, 0.0, n=50, worth=50.0), 0.0),
        (rule(metric="count", flag="collapsed", at_most=3.0), Measure("x", 50, 2.0, n=50, worth=50.0), 0.13913),
        (rule(metric="mean_score", at_least=20.0), Measure("x", 9, 21.0, 19.0, 23.0, 9, spread=1.0), 0.15866),
        (rule(metric="mean_score", at_least=19.0, end="low"), Measure("x", 9, 21.0, 19.0, 23.0, 9, spread=1.0), 0.5),
        (rule(metric="mean_score", equals=21.0, tolerance=1.0), Measure("x", 9, 21.0, n=9, spread=1.0), 0.31731),
        (rule(metric="median_score", at_least=20.0), Measure("x", 9, 21.0, n=9, spread=1.0), 0.21248),
        (rule(metric="mean_score", at_least=20.0), Measure("x", 2, 21.0, 21.0, 21.0, 2, spread=0.0), 0.0),
        (rule(metric="mean_score", at_least=20.0), Measure("x", 1, 21.0, n=1), None),
        (rule(metric="worst_score", at_least=8.0), Measure("x", 9, 9.0, n=9), None),
    ],
)  # fmt: skip
def test_chances_are_those_of_the_distribution(gate: Gate, found: Measure, chance: float | None) -> None:
    """Binomial for rates and counts, normal for means; None where nothing tells of the spread."""
    assert chance_of_measure(gate, found) == (None if chance is None else pytest.approx(chance, abs=2e-5))


def test_the_binomial_chance_is_how_often_it_happens() -> None:
    """Drawn anew 4,000 times, a model of 90 % fails a gate of 85 % over 200 probes as often as is said."""
    random = Random(7)
    gate = rule(at_least=0.85)
    drawn = [sum(random.random() < 0.9 for _ in range(200)) / 200 for _ in range(4_000)]

    chance = chance_of_measure(gate, rate(180, 200))

    assert chance == pytest.approx(fmean(gate.zone(share) == "fail" for share in drawn), abs=0.006)


def test_families_are_worth_less() -> None:
    """Forty trials worth ten turn red more often than forty."""
    gate = rule(at_least=0.8)

    alone, family = (Measure("x", 40, 0.9, 0.7, 1.0, 40, worth=worth) for worth in (40.0, 10.0))

    assert (chance_of_measure(gate, alone) or 0.0) < (chance_of_measure(gate, family) or 0.0)


def test_a_difference_with_bounds_is_normal() -> None:
    """Its interval tells of its spread; without one there is no chance."""
    gate = rule(against="baseline", at_least=-0.02)

    assert chance_of_difference(gate, 0.0, -0.0196, 0.0196) == pytest.approx(0.02275, abs=1e-4)
    assert chance_of_difference(gate, 0.0, None, None) is None


def result(outcome: Any, chance: float | None) -> GateResult:
    return GateResult(rule(), outcome, 0.5, 9, "", false_red=chance)


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        ([], ""),
        ([result("fail", None), result("undecided", None), result("pass", None)], ""),
        ([result("pass", 0.1), result("fail", None)],
         "chance of a false red: up to about 10.0 % that the same models, run again, turn the gate that holds red (an "
         "approximation: trials as if drawn anew, gates as if independent)"),
        ([result("pass", 0.1), result("warn", 0.2), result("pass", None)],
         "chance of a false red: up to about 28.0 % that the same models, run again, turn one of the 2 gates that hold "
         "red (an approximation: trials as if drawn anew, gates as if independent; 1 gate is left out, whose chance "
         "cannot be reckoned)"),
        ([result("pass", 0.0), result("pass", None), result("pass", None)],
         "chance of a false red: up to 0.1 % that the same models, run again, turn the gate that holds red (an "
         "approximation: trials as if drawn anew, gates as if independent; 2 gates are left out, whose chance cannot "
         "be reckoned)"),
    ],
)  # fmt: skip
def test_one_sentence_over_all_gates(results: list[GateResult], sentence: str) -> None:
    """1 − Π(1 − p) over those that hold or warn; what is red already turns no redder."""
    assert false_red_sentence(results) == sentence
