"""The words of a gate: what it measures, where, what it wants, and figures in its unit."""

from __future__ import annotations

from evalkit.comparing import Metric as ComparedMetric
from evalkit.comparing import words_of
from evalkit.comparing.sentences import MINUS, signed
from evalkit.gates.gate import Gate


def trials_words(gate: Gate, n: int = 0) -> str:
    """Which trials its metric divides by, or looks at: ``scored trials``, ``trials with a score``."""
    trials = "trial" if n == 1 else "trials"
    if gate.is_score:
        return f"{trials} with a score"
    if gate.signal is not None:
        return f"{trials} with the signal"
    if gate.metric == "error_rate":
        return trials
    return f"scored {trials}" if gate.metric == "pass_rate" else f"answered {trials}"


def metric_words(gate: Gate) -> str:
    """``pass rate``; ``count of trials with degeneration of 0.5 or more``."""
    if gate.flag is not None:
        return f"count of {gate.flag} trials"
    if gate.signal is not None:
        return f"count of trials with {gate.signal} of {gate.signal_from:g} or more"
    if gate.metric == "count":
        return "count"
    return words_of(gate.metric) if gate.is_rate else gate.metric.replace("_", " ")  # type: ignore[arg-type]


def compared_metric(gate: Gate) -> ComparedMetric:
    """The metric that a comparison knows; the reader of gates refuses the others."""
    if gate.metric in ("corrected_pass_rate", "median_score", "worst_score", "count"):
        raise ValueError(f"{gate.metric} cannot be compared")
    return gate.metric  # type: ignore[return-value]


def where_words(gate: Gate) -> str:
    """`` in CONTROL on probe P11* in language en``, or nothing."""
    places = (("in", gate.category), ("on probe", gate.probe), ("in language", gate.language))
    return "".join(f" {where} {name}" for where, name in places if name is not None)


def whom_words(gate: Gate) -> str:
    """Which targets it is about: ``any subject``, ``any target 'gemma*' under 'json'``."""
    whom = "any subject" if gate.target == "*" else f"any target {gate.target!r}"
    return whom if gate.condition is None else f"{whom} under {gate.condition!r}"


def figure(gate: Gate, value: float) -> str:
    """A measured value: ``80.0 %``, ``−3.0 points``, ``21.45``, ``11``."""
    if gate.metric == "count":
        return f"{value:g}"
    if gate.against:
        return f"{signed(compared_metric(gate), value)}{' points' if gate.is_rate else ''}"
    return f"{100 * value:.1f} %" if gate.is_rate else _minus(f"{value:.2f}")


def interval_words(gate: Gate, low: float | None, high: float | None) -> str:
    """``95 % interval 37.6 to 96.4 %``, empty where there is none."""
    if low is None or high is None:
        return ""
    unit = "" if not gate.is_rate else " points" if gate.against else " %"
    ends = [f"{100 * end:.1f}" if gate.is_rate else f"{end:.2f}" for end in (low, high)]
    return _minus(f"95 % interval {ends[0]} to {ends[1]}{unit}")


def bound_words(gate: Gate) -> str:
    """The pass zone: ``at least 80 % and at most 90 %``; ``96.3 % ± 0.05``."""
    if gate.equals is not None:
        tolerance = f" ± {_plain(gate, gate.tolerance)}" if gate.tolerance else ""
        unit = " points" if gate.is_rate and gate.against else " %" if gate.is_rate else ""
        return f"{_minus(_plain(gate, gate.equals))}{unit}{tolerance}"
    bounds = (
        ("at least", gate.at_least), ("above", gate.above), ("at most", gate.at_most), ("below", gate.below),
    )  # fmt: skip
    return " and ".join(f"{word} {_bound(gate, value)}" for word, value in bounds if value is not None)


def wanted_words(gate: Gate) -> str:
    """What it wants and when it fails: ``at least 80 % wanted, below 70 % fails``."""
    whose = "" if gate.end == "estimate" else f"its {gate.end} end "
    zones = (("below", gate.fail_below), ("above", gate.fail_above))
    fails = [f"{word} {_bound(gate, value)}" for word, value in zones if value is not None]
    return f"{whose}{bound_words(gate)} wanted" + (f", {' or '.join(fails)} fails" if fails else "")


def share_words(share: float) -> str:
    """``85 %``."""
    return f"{100 * share:.3g} %"


def _bound(gate: Gate, value: float) -> str:
    unit = "" if not gate.is_rate else " points" if gate.against else " %"
    return _minus(f"{_plain(gate, value)}{unit}")


def _plain(gate: Gate, value: float) -> str:
    return f"{100 * value if gate.is_rate else value:.10g}"


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
