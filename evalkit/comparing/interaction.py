"""Whether two changes together do more than each by itself: the difference of differences, paired by probe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from evalkit.comparing.comparability import comparable
from evalkit.comparing.metrics import Metric, words_of
from evalkit.comparing.pairing import Pair, Side, Unit, paired
from evalkit.comparing.sentences import figure, incomparable_sentence, interval, p_words, signed
from evalkit.stats import paired_score_test


@dataclass(frozen=True, slots=True)
class Interaction:
    """How far the side with both changes is from what each of them alone adds up to, over probes that all four have.

    ``means`` are of neither, the one, the other and both. ``additive`` is one + other - neither, ``effect`` is both -
    additive with its 95 % interval (None for under two clusters) and sign-flip p. All in the metric's unit, more
    being more of what it counts. ``reasons`` say why the sides cannot be compared as a whole.
    """

    metric: Metric
    means: tuple[float, float, float, float] | None
    additive: float | None
    effect: float | None
    low: float | None
    high: float | None
    p: float | None
    pairs: int
    clusters: int
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    sentence: str


def interaction(
    side00: Side, side01: Side, side10: Side, side11: Side, metric: Metric = "mean_score", *, judge: str | None = None
) -> Interaction:
    """The interaction of two changes; ``side00`` has neither, ``side11`` both."""
    others = (side01, side10, side11)
    checked = [comparable(side00, side, paired(side00, side), metric, judge) for side in others]
    reasons = tuple(
        f"{side.name}: {reason}" for side, found in zip(others, checked, strict=True) for reason in found.reasons
    )
    notes = tuple(f"{side.name}: {note}" for side, found in zip(others, checked, strict=True) for note in found.notes)
    by_key = [{pair.before.key: pair for pair in found.pairs} for found in checked]
    shared = [tuple(pairs[key] for pairs in by_key) for key in by_key[0] if all(key in pairs for pairs in by_key)]
    if not shared:
        sentence = incomparable_sentence((*reasons, "no probe has a number on all four sides"))
        return Interaction(metric, None, None, None, None, None, None, 0, 0, reasons, notes, sentence)
    return _measured(shared, metric, judge, reasons, notes)


def _measured(
    shared: Sequence[tuple[Pair, ...]], metric: Metric, judge: str | None, reasons: tuple[str, ...],
    notes: tuple[str, ...],
) -> Interaction:  # fmt: skip
    rows = [
        [_mean(unit, metric, judge) for unit in (pairs[0].before, *(pair.after for pair in pairs))] for pairs in shared
    ]
    effects = [both - one - other + neither for neither, one, other, both in rows]
    found = paired_score_test(effects, [pairs[0].cluster for pairs in shared])
    neither, one, other, both = (fmean(column) for column in zip(*rows, strict=True))
    additive = one + other - neither
    low, high = (found.interval.low, found.interval.high) if found.interval else (None, None)
    figures = Interaction(
        metric, (neither, one, other, both), additive, both - additive, low, high, found.p, len(rows), found.clusters,
        reasons, notes, "",
    )  # fmt: skip
    return _with_sentence(figures)


def _mean(unit: Unit, metric: Metric, judge: str | None) -> float:
    return fmean(unit.values(metric, judge))


def _with_sentence(found: Interaction) -> Interaction:
    assert found.p is not None
    metric, unit = found.metric, "" if found.metric == "mean_score" else " points"
    sentence = (
        f"INTERACTION of {words_of(metric)}: {signed(metric, found.effect)}{unit} "
        f"{interval(metric, found.low, found.high)}, additive {figure(metric, found.additive)}, "
        f"measured {figure(metric, found.means[3] if found.means else None)}, {p_words(found.p)}, "
        f"{found.pairs} {'probe' if found.pairs == 1 else 'probes'} on all four sides"
    )
    return replace(found, sentence=f"{incomparable_sentence(found.reasons)}; {sentence}" if found.reasons else sentence)
