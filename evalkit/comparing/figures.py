"""The figures of one side beside its mean: how sure it is, how it spreads, how long the answers are."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from statistics import StatisticsError, correlation, fmean, median, stdev

from evalkit.comparing.metrics import Metric, value_of
from evalkit.comparing.pairing import Key, Unit
from evalkit.stats import Interval, cluster_interval, mean_interval

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Figures:
    """One side's probes by one metric; rates are proportions. Samples of a probe are averaged before anything else.

    ``words`` is the mean length of the answers, ``length_r`` Pearson's correlation of the trials' numbers with their
    words, ``cut`` the share of answers cut at max_new_tokens (``finish: length``). ``worst`` and ``best`` are probes
    with their numbers. What cannot be told of so few is None.
    """

    probes: int
    trials: int
    mean: float | None
    interval: Interval | None
    median: float | None
    sd: float | None
    words: float | None
    length_r: float | None
    cut: float | None
    worst: tuple[tuple[Key, float], ...]
    best: tuple[tuple[Key, float], ...]


def figures_of(
    units: Iterable[Unit], clusters: Sequence[Hashable], metric: Metric, judge: str | None = None
) -> Figures:
    """The figures of probes that all have a number; ``clusters`` are theirs, in order."""
    every = tuple(units)
    means = [(unit.key, fmean(unit.values(metric, judge))) for unit in every]
    values = [value for _, value in means]
    trials = [trial for unit in every for trial in unit.trials]
    finishes = [finish for trial in trials for finish in trial.finishes]
    return Figures(
        probes=len(every),
        trials=len(trials),
        mean=fmean(values) if values else None,
        interval=_interval(values, clusters, metric),
        median=median(values) if values else None,
        sd=stdev(values) if len(values) > 1 else None,
        words=mean_words(every),
        length_r=length_correlation(every, metric, judge),
        cut=finishes.count("length") / len(finishes) if finishes else None,
        worst=tuple(sorted(means, key=lambda one: one[1])[:SHOWN]),
        best=tuple(sorted(means, key=lambda one: -one[1])[:SHOWN]),
    )


def mean_words(units: Iterable[Unit]) -> float | None:
    """The mean length of the answers; None where it is not known."""
    lengths = [trial.words for unit in units for trial in unit.trials if trial.words is not None]
    return fmean(lengths) if lengths else None


def length_correlation(units: Iterable[Unit], metric: Metric, judge: str | None = None) -> float | None:
    """Pearson's r of the trials' numbers with the words of their answers; None where either never changes."""
    pairs = [
        (value, float(trial.words))
        for unit in units
        for trial in unit.trials
        if trial.words is not None and (value := value_of(trial, metric, judge)) is not None
    ]
    try:
        return correlation([value for value, _ in pairs], [words for _, words in pairs])
    except StatisticsError:
        return None


def _interval(values: Sequence[float], clusters: Sequence[Hashable], metric: Metric) -> Interval | None:
    if metric == "mean_score":
        return mean_interval(values)
    if not values:
        return None
    found = cluster_interval(values, clusters)
    return Interval(found.low, found.high)
