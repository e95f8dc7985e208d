"""The chance that a gate turns red although nothing changed."""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, floor, lgamma, log, log1p, sqrt

from evalkit.gates.gate import Gate
from evalkit.gates.measuring import Measure
from evalkit.gates.results import GateResult, any_of
from evalkit.stats import percent, quantile, wilson_interval

REGRESSED_BY_CHANCE = 0.025
"""Half of the two-sided alpha of 0.05: a comparison of equals is REGRESSED that often."""
MEDIAN_SPREAD = 1.2533
"""The standard error of a normal sample's median is √(π/2) times that of its mean."""
FAR = 12.0
"""Standard deviations beyond which a binomial count is not looked for."""


def chance_of_measure(gate: Gate, found: Measure) -> float | None:
    """The chance that a re-run would fail the gate, every trial drawn anew; None where it cannot be reckoned.

    Rates and counts: binomial at the measured share and the number of independent trials these are worth. Means and
    medians: normal with the standard error of the mean.
    """
    if found.value is None or gate.metric == "worst_score":
        return None
    if gate.is_rate or gate.metric == "count":
        return _binomial_chance(gate, found)
    if found.spread is None:
        return None
    spread = found.spread * (MEDIAN_SPREAD if gate.metric == "median_score" else 1.0)
    ends = {"estimate": found.value, "low": found.low, "high": found.high}
    return _normal_chance(gate, ends[gate.end], spread)


def chance_of_difference(gate: Gate, delta: float, low: float | None, high: float | None) -> float | None:
    """The same for a paired difference with bounds: normal, with the spread that its interval tells of."""
    if low is None or high is None:
        return None
    ends = {"estimate": delta, "low": low, "high": high}
    return _normal_chance(gate, ends[gate.end], (high - low) / (2 * quantile(0.95)))


def false_red_sentence(results: Sequence[GateResult]) -> str:
    """The chance over all gates that hold, in one sentence; empty where no gate holds."""
    holding = [result for result in results if result.outcome in ("pass", "warn")]
    chances = [result.false_red for result in holding if result.false_red is not None]
    if not chances:
        return ""
    left_out = len(holding) - len(chances)
    without = f"; {_gates(left_out)} left out, whose chance cannot be reckoned" if left_out else ""
    chance = any_of(chances)
    much = "0.1 %" if chance < 0.001 else f"about {percent(chance)}"
    which = "the gate that holds" if len(chances) == 1 else f"one of the {len(chances)} gates that hold"
    return (
        f"chance of a false red: up to {much} that the same models, run again, turn {which} red "
        f"(an approximation: trials as if drawn anew, gates as if independent{without})"
    )


def _gates(count: int) -> str:
    return "1 gate is" if count == 1 else f"{count} gates are"


def _binomial_chance(gate: Gate, found: Measure) -> float:
    n = max(1, round(found.worth))
    value = found.value or 0.0
    share = min(1.0, max(0.0, value if gate.is_rate else value / n))
    spread = FAR * sqrt(n * share * (1 - share)) + 1
    counts = range(max(0, floor(n * share - spread)), min(n, floor(n * share + spread)) + 1)
    failing = (count for count in counts if gate.zone(_tested(gate, count, n)) == "fail")
    return min(1.0, sum(_binomial(count, n, share) for count in failing))


def _tested(gate: Gate, count: int, n: int) -> float:
    """The value that would have to lie in the zone, had ``count`` of ``n`` been hits."""
    if gate.metric == "count":
        return float(count)
    if gate.end == "estimate":
        return count / n
    interval = wilson_interval(count, n)
    return interval.low if gate.end == "low" else interval.high


def _binomial(count: int, n: int, share: float) -> float:
    if share in (0.0, 1.0):
        return float(count == n * share)
    ways = lgamma(n + 1) - lgamma(count + 1) - lgamma(n - count + 1)
    return exp(ways + count * log(share) + (n - count) * log1p(-share))


def _normal_chance(gate: Gate, centre: float | None, spread: float) -> float | None:
    if centre is None:
        return None
    if spread == 0:
        return float(gate.zone(centre) == "fail")
    low = 0.0 if gate.fails_below is None else _below((gate.fails_below - centre) / spread)
    high = 0.0 if gate.fails_above is None else _below((centre - gate.fails_above) / spread)
    return min(1.0, low + high)


def _below(z: float) -> float:
    """The share of a normal distribution below ``z`` standard deviations."""
    return erfc(-z / sqrt(2)) / 2
