"""Two sides compared by one metric: the verdict, how sure it is, and what stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from statistics import fmean

from evalkit.comparing.comparability import Comparable, comparable
from evalkit.comparing.deciding import Estimate, Verdict, estimate, needed, verdict_of
from evalkit.comparing.metrics import MORE_IS_WORSE, Metric, default_margin
from evalkit.comparing.pairing import Pair, Pairing, Side, paired
from evalkit.comparing.sentences import Facts, incomparable_sentence, nothing_sentence, sentence_of


@dataclass(frozen=True, slots=True)
class Change:
    """One pair with its numbers; ``gain`` is positive where after is better, whichever way the metric counts."""

    pair: Pair
    before: float
    after: float
    gain: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How ``metric`` went from one side to the other over the ``pairs`` that both measured.

    Rates and their differences are proportions, scores (``judge``'s where one was named) are in their own unit.
    ``before`` and ``after`` are means over pairs, ``delta`` is after - before and ``low`` to ``high`` its 95 %
    interval, signed as the metric counts: for a collapse rate a positive delta is worse. ``worse`` and ``better``
    count probes; ``changes`` are all pairs, the worst first. ``margin`` is the loss that does no harm; ``needed`` is
    about how many pairs would decide what is UNDERPOWERED. ``mcnemar_p`` is shown beside a method for clusters and
    assumes independence.

    An INCOMPARABLE comparison has no numbers; ``still`` is what can be said of the pairs that can be compared.
    """

    verdict: Verdict
    metric: Metric
    margin: float
    sentence: str
    before_name: str
    after_name: str
    judge: str | None = None
    before: float | None = None
    after: float | None = None
    delta: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    method: str = ""
    mcnemar_p: float | None = None
    pairs: int = 0
    clusters: int = 0
    worse: int = 0
    better: int = 0
    needed: int | None = None
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    still: Comparison | None = None

    @property
    def shown(self) -> Comparison:
        """The comparison that has the numbers: this one, or ``still``."""
        return self.still or self


def compare(
    before: Side, after: Side, metric: Metric, *, margin: float | None = None, judge: str | None = None
) -> Comparison:
    """Whether ``metric`` got worse from one side to the other, probe by probe.

    Where every answer is the very same stored one nothing can have changed: that is HELD, however few the probes.
    Samples of a probe are averaged first. ``margin`` is in the metric's unit, 0.03 of a rate or 0.5 of a score unless
    given. ``judge`` picks whose score ``mean_score`` is.

    Raises:
        ValueError: the margin is negative.
    """
    allowed = default_margin(metric) if margin is None else margin
    if not allowed >= 0:
        raise ValueError(f"margin must not be negative; found {allowed!r}")
    return compare_pairs(before, after, paired(before, after), metric, allowed, judge)


def compare_pairs(
    before: Side, after: Side, pairing: Pairing, metric: Metric, margin: float, judge: str | None
) -> Comparison:
    """``compare`` for sides that are paired already."""
    found = comparable(before, after, pairing, metric, judge)
    bare = Comparison("UNDERPOWERED", metric, margin, "", before.name, after.name, judge, notes=found.notes)
    numbers = _measured(bare, found)
    if not found.reasons:
        return numbers
    sentence = incomparable_sentence(found.reasons)
    return replace(bare, verdict="INCOMPARABLE", sentence=sentence, still=numbers if numbers.pairs else None)


def _measured(bare: Comparison, found: Comparable) -> Comparison:
    metric, margin, judge = bare.metric, bare.margin, bare.judge
    if not found.pairs:
        return replace(bare, sentence=nothing_sentence(metric, bare.before_name, bare.after_name, margin))
    changes = changes_of(found.pairs, metric, judge)
    gains = [change.gain for change in changes]
    seen = estimate_of(changes, metric, judge)
    is_same = all(change.pair.is_same_answer and change.gain == 0 for change in changes)
    verdict = "HELD" if is_same else verdict_of(seen, margin)
    delta, low, high = as_counted(seen, metric)
    filled = replace(
        bare, verdict=verdict, before=fmean(change.before for change in changes),
        after=fmean(change.after for change in changes), delta=delta, low=low, high=high, p=seen.p,
        method=seen.method, mcnemar_p=seen.mcnemar_p, pairs=len(changes), clusters=seen.clusters,
        worse=sum(gain < 0 for gain in gains), better=sum(gain > 0 for gain in gains),
        needed=needed(gains, seen, margin) if verdict == "UNDERPOWERED" else None,
        changes=tuple(sorted(changes, key=lambda change: change.gain)),
    )  # fmt: skip
    return replace(filled, sentence=sentence_of(_facts(filled, is_same)))


def changes_of(pairs: Sequence[Pair], metric: Metric, judge: str | None) -> list[Change]:
    """Every pair with the means of its samples on both sides."""
    sign = -1.0 if metric in MORE_IS_WORSE else 1.0
    found = []
    for pair in pairs:
        before, after = fmean(pair.before.values(metric, judge)), fmean(pair.after.values(metric, judge))
        found.append(Change(pair, before, after, sign * (after - before)))
    return found


def estimate_of(changes: Sequence[Change], metric: Metric, judge: str | None) -> Estimate:
    """How sure the mean gain of these pairs is."""
    return estimate(
        [change.gain for change in changes],
        [change.pair.cluster for change in changes],
        is_rate=metric != "mean_score",
        is_averaged=any(change.pair.is_averaged(metric, judge) for change in changes),
    )


def as_counted(seen: Estimate, metric: Metric) -> tuple[float, float | None, float | None]:
    """Difference and interval signed as the metric counts; an end that nothing bounds is None."""
    if metric in MORE_IS_WORSE:
        delta, low, high = 0.0 - seen.delta, -seen.high, -seen.low
    else:
        delta, low, high = seen.delta, seen.low, seen.high
    return delta, (low if isfinite(low) else None), (high if isfinite(high) else None)


def _facts(found: Comparison, is_same: bool) -> Facts:
    assert found.before is not None
    assert found.after is not None
    assert found.delta is not None
    assert found.p is not None
    return Facts(
        found.verdict, found.metric, found.margin, found.before_name, found.after_name, found.before, found.after,
        found.delta, found.low, found.high, found.p, found.pairs, found.worse, found.better, found.needed, is_same,
    )  # fmt: skip
