"""What a run's trials decide about its gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalkit.gates.against import Surroundings, compared, is_other_side, too_few
from evalkit.gates.false_red import chance_of_measure
from evalkit.gates.gate import Gate, condition_of, matches
from evalkit.gates.labelled import CORRECTED, corrected
from evalkit.gates.measuring import Measure, Trial, measure
from evalkit.gates.results import GateResult, TargetResult, worst_of
from evalkit.gates.words import (
    figure,
    interval_words,
    metric_words,
    trials_words,
    wanted_words,
    where_words,
    whom_words,
)
from evalkit.measured import Measured
from evalkit.record import TrialRecord

Selected = Mapping[str, tuple[int, int]]
"""Suite → (trials selected for this run, trials of the whole plan)."""
ALONE = Surroundings()


def evaluate(
    gates: Sequence[Gate], records: Sequence[TrialRecord], selected: Selected, around: Surroundings = ALONE
) -> tuple[GateResult, ...]:
    """One result per gate, in order. Every target a gate matches is measured on its own; the worst one decides."""
    suites = {gate.suite for gate in gates}
    by_suite: dict[str, list[Trial]] = {suite: [] for suite in suites}
    for record in records:
        if record.suite in suites:
            by_suite[record.suite].append(Trial(record, Measured.of(record)))
    return tuple(_evaluate(gate, by_suite[gate.suite], records, selected, around) for gate in gates)


def shortfall(suite: str, records: Sequence[TrialRecord], selected: Selected) -> str | None:
    """Why gates of this suite cannot decide, ``3 of 96 selected``; None when the whole plan was run to its end."""
    finished = sum(record.suite == suite for record in records)
    chosen, planned = selected.get(suite, (finished, finished))
    if chosen != planned:
        return f"{chosen} of {planned} selected"
    return f"{finished} of {planned} finished" if finished < planned else None


def _evaluate(
    gate: Gate, suite: Sequence[Trial], records: Sequence[TrialRecord], selected: Selected, around: Surroundings
) -> GateResult:
    if not suite:
        sentence = f"not applicable: suite {gate.suite!r} is not in this run"
        return GateResult(gate, "not_applicable", None, 0, sentence)
    labels = sorted({trial.record.target for trial in suite if _reaches(gate, trial.record)})
    labels = [label for label in labels if not is_other_side(gate, label)]
    if not labels:
        sentence = f"not applicable: no trial of {whom_words(gate)} in this run"
        return GateResult(gate, "not_applicable", None, 0, sentence)
    missing = shortfall(gate.suite, records, selected)
    if missing:
        return GateResult(gate, "undecided", None, 0, f"not decided: {missing}")
    if not gate.has_bounds and gate.against is None:
        return GateResult(gate, "undecided", None, 0, "not measurable: it has no bound")
    return worst_of(gate, [_on_target(gate, label, suite, around) for label in labels])


def _reaches(gate: Gate, record: TrialRecord) -> bool:
    if gate.condition is not None and not matches(condition_of(record.target) or "", gate.condition):
        return False
    return record.role != "reference" if gate.target == "*" else matches(record.target, gate.target)


def _on_target(gate: Gate, label: str, suite: Sequence[Trial], around: Surroundings) -> TargetResult:
    own = [
        trial
        for trial in suite
        if (record := trial.record).target == label and gate.takes(record.category, record.probe, record.language)
    ]
    if gate.against is not None:
        return compared(gate, label, own, suite, around)
    if gate.metric == CORRECTED:
        return corrected(gate, label, own, around.corrected)
    found = measure(gate, label, own)
    if found.value is None:
        return TargetResult(label, "undecided", found.missing)
    head = f"{metric_words(gate)} of {label}"
    scant = too_few(gate, found.n, found.trials, trials_words(gate))
    if scant:
        return TargetResult(label, "undecided", f"not decided: {head}", f"{where_words(gate)}: {scant}", n=found.n)
    tested = {"estimate": found.value, "low": found.low, "high": found.high}[gate.end]
    tail = f"{where_words(gate)} is {figure(gate, found.value)} ({_basis(gate, found)}), {wanted_words(gate)}"
    if tested is None:
        has = "has" if found.n == 1 else "have"
        reason = f"{where_words(gate)}: {found.n} {trials_words(gate, found.n)} {has} no interval; {wanted_words(gate)}"
        return TargetResult(label, "undecided", f"not decided: {head}", reason, n=found.n)
    return TargetResult(
        label, gate.zone(tested), head, tail, tested, found.low, found.high, found.n, gate.inside(tested),
        chance_of_measure(gate, found),
    )  # fmt: skip


def _basis(gate: Gate, found: Measure) -> str:
    """How many trials a value rests on, and its interval: ``4 of 5 scored trials, 95 % interval 37.6 to 96.4 %``."""
    counted = f"{found.n} {trials_words(gate, found.n)}"
    if gate.is_rate:
        counted = f"{found.part} of {counted}"
    if found.at:
        counted = f"{found.at}, the lowest of {counted}"
    if gate.metric == "count":
        counted = f"of {counted}"
    clusters = (
        "" if found.clusters is None else f" in {found.clusters} {'family' if found.clusters == 1 else 'families'}"
    )
    interval = interval_words(gate, found.low, found.high)
    return f"{counted}{clusters}, {interval}" if interval else f"{counted}{clusters}"
