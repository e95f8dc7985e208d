"""A comparison in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.comparing.deciding import Verdict
from evalkit.comparing.metrics import MORE_IS_WORSE, Metric, words_of

MINUS = "−"


@dataclass(frozen=True, slots=True)
class Facts:
    """The figures of a sentence, in the metric's unit."""

    verdict: Verdict
    metric: Metric
    margin: float
    before_name: str
    after_name: str
    before: float
    after: float
    delta: float
    low: float | None
    high: float | None
    p: float
    pairs: int
    worse: int
    better: int
    needed: int | None
    is_same: bool = False


def sentence_of(facts: Facts) -> str:
    """``REGRESSED: pass rate of X fell from 92.0 % to 88.3 %, −3.7 points [−6.6, −1.6], 12 probes worse, …``."""
    unit = "" if facts.metric == "mean_score" else " points"
    parts = [
        f"{facts.verdict}: {_movement(facts)}",
        f"{signed(facts.metric, facts.delta)}{unit} {interval(facts.metric, facts.low, facts.high)}",
        f"{_probes(facts.worse)} worse, {facts.better} better of {facts.pairs}",
        p_words(facts.p),
    ]
    return f"{', '.join(parts)}; {margin_words(facts.metric, facts.margin)}{_ending(facts)}"


def incomparable_sentence(reasons: Sequence[str]) -> str:
    return f"INCOMPARABLE: {'; '.join(reasons)}"


def nothing_sentence(metric: Metric, before: str, after: str, margin: float) -> str:
    whom = f"of {after}" if before == after else f"of {before} and {after}"
    return (
        f"UNDERPOWERED: no probe has a {words_of(metric)} on both sides {whom}; {margin_words(metric, margin)}"
    )  # fmt: skip


def margin_words(metric: Metric, margin: float) -> str:
    """``margin 3 points``; of a score in its own unit."""
    if metric == "mean_score":
        return f"margin {margin:g}"
    points = f"{100 * margin:g}"
    return f"margin {points} point" if points == "1" else f"margin {points} points"


def figure(metric: Metric, value: float | None) -> str:
    """``92.0 %``, or ``23.72`` of a score."""
    if value is None:
        return "-"
    return f"{value:.2f}".replace("-", MINUS) if metric == "mean_score" else f"{100 * value:.1f} %"


def signed(metric: Metric, value: float | None) -> str:
    """A difference with its sign: points of a rate with one decimal, a score with two."""
    if value is None:
        return "-"
    text = f"{value:+.2f}" if metric == "mean_score" else f"{100 * value:+.1f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", MINUS)


def interval(metric: Metric, low: float | None, high: float | None) -> str:
    """``[−6.6, −1.6]``."""
    return "[unknown]" if low is None or high is None else f"[{_end(metric, low)}, {_end(metric, high)}]"


def p_words(p: float) -> str:
    """``p 0.003``; what would read as 0 is ``p < 0.001``."""
    if p < 0.001:
        return "p < 0.001"
    return f"p {p:.3f}" if p < 0.01 else f"p {p:.4f}" if p < 0.1 else f"p {p:.2f}"


def _end(metric: Metric, value: float) -> str:
    return signed(metric, value).lstrip("+")


def _movement(facts: Facts) -> str:
    before, after = figure(facts.metric, facts.before), figure(facts.metric, facts.after)
    verb = "stayed at" if before == after else "fell" if facts.after < facts.before else "rose"
    if facts.before_name == facts.after_name:
        what = f"{words_of(facts.metric)} of {facts.after_name}"
        return f"{what} stayed at {after}" if before == after else f"{what} {verb} from {before} to {after}"
    return f"{words_of(facts.metric)} of {facts.after_name} is {after}, of {facts.before_name} {before}"


def _ending(facts: Facts) -> str:
    if facts.is_same:
        return "; every answer is the very same"
    if facts.verdict == "HELD":
        is_worse = facts.low is not None and facts.high is not None and _is_all_worse(facts)
        return "; worse, within the margin" if is_worse else ""
    if facts.verdict != "UNDERPOWERED":
        return ""
    if facts.needed is None:
        return "; no number of pairs would decide"
    return f"; about {facts.needed} pairs would decide, there are {facts.pairs}"


def _is_all_worse(facts: Facts) -> bool:
    """Whether the whole interval is on the worse side."""
    assert facts.low is not None
    assert facts.high is not None
    return facts.low > 0 if facts.metric in MORE_IS_WORSE else facts.high < 0


def _probes(count: int) -> str:
    return f"{count} probe" if count == 1 else f"{count} probes"
