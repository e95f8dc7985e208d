"""Score tables of a run: each target's means under its conditions, and what a condition changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from evalkit.record import TrialRecord
from evalkit.reporting.figure_scores import is_scored
from evalkit.reporting.layout import Column
from evalkit.reporting.summary import Summary
from evalkit.score_deltas import BAND, ConditionScores, ProbeScores, ScoreTable, score_table

BASELINE = "naked"


@dataclass(frozen=True, slots=True)
class ScoreGroup:
    """The scores of one judge in one suite on one target, ``target`` being its label without the condition.

    ``collapsed`` counts the collapsed answers of each condition; their scores are in the means, as published.
    ``signals`` are the judge's measured numbers, each with its mean under every condition, None where it measured none.
    """

    suite: str
    judge: str
    target: str
    table: ScoreTable
    collapsed: tuple[int, ...]
    signals: tuple[tuple[str, tuple[float | None, ...]], ...] = ()

    @property
    def title(self) -> str:
        conditions = [item.condition for item in self.table.conditions]
        against = f", changes against {conditions[0]}" if len(conditions) > 1 else ""
        return f"scores of {self.suite} by {self.judge}: {self.target}{against}"


def score_groups(summary: Summary) -> tuple[ScoreGroup, ...]:
    """A group for every suite, scoring judge and target, in the order of the run."""
    records = [record for record in summary.records if record.target.count(":") == 3]
    scored = [record for record in records if is_scored(record)]
    order = {target.label: place for place, target in enumerate(summary.targets)}
    keys = dict.fromkeys(
        (record.suite, verdict["judge"], _without_condition(record.target))
        for record in sorted(scored, key=lambda record: (record.suite, order[record.target]))
        for verdict in record.verdicts
        if verdict.get("score") is not None
    )
    return tuple(_group(summary, records, *key) for key in keys)


def condition_columns(group: ScoreGroup) -> list[Column]:
    """The figures of a group, one row a condition."""
    conditions = group.table.conditions
    columns = [
        Column("n", tuple(str(item.n) for item in conditions)),
        Column("mean", tuple(_number(item.mean) for item in conditions)),
        Column("sd", tuple(_number(item.sd) for item in conditions)),
        Column("median", tuple(_number(item.median) for item in conditions)),
    ]
    if len(conditions) > 1:
        changes = [item.change for item in conditions]
        columns.append(Column("delta", tuple(_delta(item) for item in conditions)))
        columns += [
            Column(name, tuple("-" if item is None else str(getattr(item, name)) for item in changes))
            for name in ("improved", "regressed", "unchanged")
        ]
    return columns


def category_columns(group: ScoreGroup) -> list[Column]:
    """Mean scores, one row a category, one column a condition."""
    rows = group.table.categories
    columns = [Column("n", tuple(str(row.n) for row in rows))]
    for place, item in enumerate(group.table.conditions):
        columns.append(Column(item.condition, tuple(_number(row.means[place]) for row in rows)))
    return columns


def signal_columns(group: ScoreGroup) -> list[Column]:
    """Means of what the judge measured, one row a signal, one column a condition."""
    return [
        Column(item.condition, tuple(_number(means[place]) for _, means in group.signals))
        for place, item in enumerate(group.table.conditions)
    ]


def notes(group: ScoreGroup) -> list[str]:
    """How sure each change is, what collapsed, and the baseline's lowest and highest scores; a sentence each."""
    said = []
    for item, collapsed in zip(group.table.conditions, group.collapsed, strict=True):
        if item.change is not None and item.change.low is not None and item.change.high is not None:
            said.append(
                f"{item.condition}: paired change {item.change.mean:+.2f}, 95 % {item.change.low:+.2f} to "
                f"{item.change.high:+.2f}, sign test p = {item.change.sign_test_p:.2f}"
            )
        if collapsed:
            said.append(f"{item.condition}: {collapsed} of {item.n} answers collapsed; their scores are in the mean")
        if item.missing:
            said.append(f"{item.condition}: without a score: {', '.join(item.missing)}")
    return said


def extremes(item: ConditionScores) -> list[str]:
    """The lowest and the highest scores under one condition, a sentence each."""
    return [
        f"{item.condition}: {name} {', '.join(f'{probe} {score:.1f}' for probe, score in probes)}"
        for name, probes in (("lowest", item.worst), ("highest", item.best))
        if probes
    ]


def legend() -> str:
    return (
        f"improved and regressed are changes of more than {BAND} points of a probe's score; the interval is "
        "bootstrapped, the sign test exact and two-sided"
    )


def _group(summary: Summary, records: Iterable[TrialRecord], suite: str, judge: str, target: str) -> ScoreGroup:
    own = [record for record in records if record.suite == suite and _without_condition(record.target) == target]
    labels = [item.label for item in summary.targets if any(record.target == item.label for record in own)]
    conditions = sorted((_condition(label) for label in labels), key=lambda name: name != BASELINE)
    probes: dict[tuple[str, str, int], list[TrialRecord]] = {}
    for record in own:
        probes.setdefault((record.file, record.probe, record.sample), []).append(record)
    rows = [
        ProbeScores(
            f"{found[0].probe}:s{found[0].sample}" if found[0].sample else found[0].probe,
            found[0].category,
            {_condition(record.target): score for record in found if (score := _score(record, judge)) is not None},
        )
        for found in probes.values()
    ]
    collapsed = tuple(
        sum(record.is_collapsed for record in own if _condition(record.target) == name) for name in conditions
    )
    return ScoreGroup(suite, judge, target, score_table(rows, conditions), collapsed, _signals(own, judge, conditions))


def _signals(
    records: Sequence[TrialRecord], judge: str, conditions: Sequence[str]
) -> tuple[tuple[str, tuple[float | None, ...]], ...]:
    """Every number the judge measured with its mean under each condition, in the judge's order."""
    found: dict[str, dict[str, list[float]]] = {}
    for record in records:
        own = next((item for item in record.verdicts if item["judge"] == judge), {})
        for name, value in (own.get("signals") or {}).items():
            if type(value) in (int, float):
                found.setdefault(name, {}).setdefault(_condition(record.target), []).append(value)
    return tuple(
        (name, tuple(fmean(values[condition]) if condition in values else None for condition in conditions))
        for name, values in found.items()
    )


def _score(record: TrialRecord, judge: str) -> float | None:
    found: Sequence[float | None] = [item.get("score") for item in record.verdicts if item["judge"] == judge]
    return found[0] if found else None


def _without_condition(label: str) -> str:
    weights, quantisation, _, decoding = label.split(":")
    return f"{weights}:{quantisation}:{decoding}"


def _condition(label: str) -> str:
    return label.split(":")[2]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _delta(item: ConditionScores) -> str:
    """The difference of the means; that of the paired scores where the two did not score the same probes."""
    change = item.change
    if change is None or change.mean is None:
        return "-"
    return f"{change.published if not item.missing and change.pairs == item.n else change.mean:+.2f}"
