"""Paired differences between the targets of one run, as ``evalkit compare RUN`` reckons them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from evalkit.comparing import Comparison, Metric, Side, paired
from evalkit.comparing.bases import REFERENCE, bases_of
from evalkit.comparing.comparison import compare_pairs
from evalkit.comparing.many import parts_of
from evalkit.comparing.metrics import default_margin
from evalkit.measured import Measured
from evalkit.reporting.figure_nouns import Delta, DeltaPart
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.summary import Summary

ALWAYS: tuple[Metric, ...] = ("pass_rate",)
WHERE_IT_HAPPENED: tuple[Metric, ...] = ("over_refusal_rate", "mean_score")
"""Compared only where a trial of the run has any."""


class Earlier:
    """An earlier run that one is compared with: once, for all reports that show it."""

    def __init__(self, run: FinishedRun, now: Summary) -> None:
        self.run = run
        self._now = now

    @cached_property
    def since(self) -> tuple[str, tuple[Delta, ...]]:
        """Its name, and what changed since."""
        return self.run.run_id, deltas_against(self._now, self.run.summary)


def deltas_of(summary: Summary) -> tuple[Delta, ...]:
    """Every target against its base, by every metric that this run has."""
    if len(summary.targets) < 2:
        return ()
    sides = _sides(map(Measured.of, summary.records))
    references = sorted(target.label for target in summary.targets if target.role == REFERENCE)
    found: list[Delta] = []
    for base, others in bases_of(sides, references).items():
        before = Side(base, tuple(sides[base]))
        for label in others:
            found += _against(before, Side(label, tuple(sides[label])))
    return tuple(found)


def deltas_against(summary: Summary, before: Summary) -> tuple[Delta, ...]:
    """Every target against the same one of an earlier run, or where each run has but one, that against this."""
    old, new = _sides(map(Measured.of, before.records)), _sides(map(Measured.of, summary.records))
    if len(old) == len(new) == 1:
        pairs = [(*old, *new)]
    else:
        pairs = [(target.label, target.label) for target in summary.targets if target.label in old]
    return tuple(
        delta for one, other in pairs for delta in _against(Side(one, tuple(old[one])), Side(other, tuple(new[other])))
    )


def _sides(trials: Iterable[Measured]) -> dict[str, list[Measured]]:
    sides: dict[str, list[Measured]] = {}
    for trial in trials:
        sides.setdefault(trial.target, []).append(trial)
    return sides


def _against(before: Side, after: Side) -> Iterable[Delta]:
    pairing = paired(before, after)
    trials = (*before.trials, *after.trials)
    for metric in (*ALWAYS, *(metric for metric in WHERE_IT_HAPPENED if _happened(metric, trials))):
        found = compare_pairs(before, after, pairing, metric, default_margin(metric), None)
        yield Delta(metric, before.name, after.name, found, _parts(found))


def _happened(metric: Metric, trials: Iterable[Measured]) -> bool:
    return any(trial.over_refusal if metric == "over_refusal_rate" else trial.scores for trial in trials)


def _parts(found: Comparison) -> tuple[DeltaPart, ...]:
    """The categories, where there are several."""
    parts = parts_of(found, "category") if found.shown.changes else ()
    if len(parts) < 2:
        return ()
    return tuple(
        DeltaPart(
            part.name, part.pairs, part.before, part.after, part.delta, part.low, part.high, part.adjusted_p,
            part.worse, part.better,
        )
        for part in parts
    )  # fmt: skip
