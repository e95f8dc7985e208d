"""What a gate's metric comes to on one target, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import fmean, median

from evalkit.comparing import value_of
from evalkit.gates.gate import Gate
from evalkit.gates.words import compared_metric, metric_words, trials_words, wanted_words, where_words
from evalkit.measured import Measured
from evalkit.record import TrialRecord
from evalkit.stats import cluster_interval, wilson_interval
from evalkit.stats.clustered import Clustered, robust_interval


@dataclass(frozen=True, slots=True)
class Trial:
    """A record with what it measured."""

    record: TrialRecord
    measured: Measured

    @property
    def family(self) -> tuple[str, str, str]:
        """The cluster it belongs to; the samples of a probe are one."""
        record = self.record
        return ("", "cluster", record.cluster) if record.cluster else (record.suite, "probe", record.probe)


@dataclass(frozen=True, slots=True)
class Measure:
    """One target's value for one gate, in the metric's unit; None, with the reason in ``missing``, where it has none.

    ``low`` to ``high`` is its 95 % interval, None for medians, worst scores and counts. ``n`` trials were measured of
    ``trials``, in ``clusters`` families where families hold several trials, else None. ``part`` are the hits of a rate.
    ``spread`` is the standard error of a mean; ``worth`` how many independent trials these are worth. ``at`` is the
    probe of a worst score.
    """

    label: str
    trials: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    clusters: int | None = None
    part: int | None = None
    spread: float | None = None
    worth: float = 0.0
    at: str = ""
    missing: str = ""


def measure(gate: Gate, label: str, trials: Sequence[Trial]) -> Measure:
    """The gate's metric over these trials, which are all of one target and where the gate looks."""
    if not trials:
        return Measure(label, 0, missing=f"not measurable: {label} has no trial{where_words(gate)}")
    try:
        judge = judge_of(gate, trials)
    except LookupError as doubt:
        head = f"not measurable: {metric_words(gate)} of {label}{where_words(gate)}"
        return Measure(label, len(trials), missing=f"{head}: {doubt.args[0]}")
    valued = [(trial, value) for trial in trials if (value := _value(gate, trial, judge)) is not None]
    if not valued:
        return Measure(label, len(trials), missing=_nothing(gate, label, len(trials)))
    values = [value for _, value in valued]
    families = [trial.family for trial, _ in valued]
    base = Measure(label, len(trials), n=len(values))
    if gate.is_rate:
        return _rate(base, values, families)
    if gate.metric == "count":
        return replace(base, value=sum(values), worth=float(len(values)))
    if gate.metric == "worst_score":
        worst = min(valued, key=lambda pair: (pair[1], pair[0].record.probe))
        return replace(base, value=worst[1], at=worst[0].record.probe)
    return _score(gate, base, values, families)


def judge_of(gate: Gate, trials: Sequence[Trial]) -> str | None:
    """Whose scores or signals count; None for a metric that needs no judge.

    Raises:
        LookupError: the gate's judge gives none, or several do and it names none.
    """
    if not (gate.is_score or gate.signal is not None):
        return None
    there: set[str] = set()
    for trial in trials:
        scores, signals = trial.measured.scores, trial.measured.signals
        there.update(scores if gate.signal is None else (name for name in signals if gate.signal in signals[name]))
    named = ", ".join(sorted(there))
    what = "a score" if gate.signal is None else f"the signal {gate.signal!r}"
    if gate.judge is not None and gate.judge not in there:
        raise LookupError(f"judge {gate.judge!r} did not give {what}; found {named or 'no judge'} that did")
    if gate.judge is None and len(there) != 1:
        if not there:
            raise LookupError(f"no judge gave {what}")
        raise LookupError(f"{len(there)} judges gave {what}: {named}. Name one of them with judge")
    return gate.judge or named


def _value(gate: Gate, trial: Trial, judge: str | None) -> float | None:
    """One trial's number, None where the metric leaves it out."""
    measured = trial.measured
    if gate.flag is not None:
        return None if measured.outcome == "error" else float(gate.flag in trial.record.flags)
    if gate.signal is not None:
        signal = measured.signals.get(judge or "", {}).get(gate.signal)
        return None if signal is None else float(signal >= (gate.signal_from or 0.0))
    if gate.is_score:
        return value_of(measured, "mean_score", judge)
    return value_of(measured, compared_metric(gate))


def _rate(base: Measure, values: Sequence[float], families: Sequence[tuple[str, str, str]]) -> Measure:
    part, n = round(sum(values)), len(values)
    if len(set(families)) == n:
        interval = wilson_interval(part, n)
        return replace(base, value=part / n, low=interval.low, high=interval.high, part=part, worth=float(n))
    mean = cluster_interval(values, families)
    return replace(
        base, value=part / n, low=mean.low, high=mean.high, part=part, worth=mean.effective_n, clusters=mean.clusters
    )


def _score(gate: Gate, base: Measure, values: Sequence[float], families: Sequence[tuple[str, str, str]]) -> Measure:
    seen = Clustered.of(values, families)
    clusters = None if len(seen.sums) == len(values) else len(seen.sums)
    spread = sqrt(seen.variance) if len(seen.sums) > 1 else None
    if gate.metric == "median_score":
        return replace(base, value=median(values), spread=spread, clusters=clusters)
    interval = robust_interval(seen)
    low, high = (interval.low, interval.high) if interval else (None, None)
    return replace(base, value=fmean(values), low=low, high=high, spread=spread, clusters=clusters)


def _nothing(gate: Gate, label: str, trials: int) -> str:
    head = f"not measurable: {metric_words(gate)} of {label}{where_words(gate)}"
    how = "divides by" if gate.is_rate else "looks at"
    return f"{head} {how} {trials_words(gate)}, found 0 of {trials}; {wanted_words(gate)}"
