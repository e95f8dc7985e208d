"""Rules that decide the exit status from what a run measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from evalkit.record import TrialRecord
from evalkit.stats import percent
from evalkit.tally import Tally

Metric = Literal["pass_rate", "collapse_rate", "unscored_rate", "error_rate"]
GateOutcome = Literal["holds", "breached", "undecided", "not_applicable"]
Selected = Mapping[str, tuple[int, int]]
"""Suite → (trials selected for this run, trials of the whole plan)."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One rule: ``metric`` of ``target`` in ``suite`` (optionally one ``category``) within its bounds.

    ``target`` is a label or a glob over labels; rates are proportions in [0, 1]. ``because`` is shown with the result.
    ``*`` stands for every subject; a narrower pattern also reaches reference targets.
    """

    name: str
    suite: str
    metric: Metric
    target: str = "*"
    category: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    because: str = ""
    source: str = ""

    @property
    def bound(self) -> str:
        """The bounds in words: ``at least 80 %``."""
        parts = (("at least", self.at_least), ("at most", self.at_most))
        return " and ".join(f"{word} {100 * value:g} %" for word, value in parts if value is not None)

    def margin(self, rate: float) -> float:
        """How far inside its bounds a rate is; negative is outside."""
        inside = [] if self.at_least is None else [rate - self.at_least]
        return min(inside if self.at_most is None else [*inside, self.at_most - rate])


@dataclass(frozen=True, slots=True)
class GateResult:
    """What came of one gate; ``measured`` and ``n`` are of the target with the smallest margin."""

    gate: Gate
    outcome: GateOutcome
    measured: float | None
    n: int
    sentence: str


@dataclass(frozen=True, slots=True)
class _Measure:
    """One target's share for one gate; ``whole`` is what the metric divides by, ``trials`` all of its trials."""

    label: str
    part: int
    whole: int
    trials: int

    @property
    def rate(self) -> float:
        return self.part / self.whole


def evaluate(gates: Sequence[Gate], records: Sequence[TrialRecord], selected: Selected) -> tuple[GateResult, ...]:
    """One result per gate, in order. Every target a gate matches is measured on its own; the worst one decides.

    Rates divide as in ``Tally``: passes by scored trials, collapses and unscored by answered ones, errors by all.
    """
    return tuple(_evaluate(gate, records, selected) for gate in gates)


def shortfall(suite: str, records: Sequence[TrialRecord], selected: Selected) -> str | None:
    """Why gates of this suite cannot decide, ``3 of 96 selected``; None when the whole plan was run to its end."""
    finished = sum(record.suite == suite for record in records)
    chosen, planned = selected.get(suite, (finished, finished))
    if chosen != planned:
        return f"{chosen} of {planned} selected"
    return f"{finished} of {planned} finished" if finished < planned else None


def _evaluate(gate: Gate, records: Sequence[TrialRecord], selected: Selected) -> GateResult:
    if not any(record.suite == gate.suite for record in records):
        sentence = f"not applicable: suite {gate.suite!r} is not in this run"
        return GateResult(gate, "not_applicable", None, 0, sentence)
    reached = [record for record in records if record.suite == gate.suite and _reaches(gate, record)]
    if not reached:
        whom = "subject" if gate.target == "*" else f"target {gate.target!r}"
        return GateResult(gate, "not_applicable", None, 0, f"not applicable: no trial of any {whom} in this run")
    missing = shortfall(gate.suite, records, selected)
    if missing:
        return GateResult(gate, "undecided", None, 0, f"not decided: {missing}")
    if not gate.bound:
        return GateResult(gate, "undecided", None, 0, "not measurable: it has neither at_least nor at_most")
    labels = sorted({record.target for record in reached})
    return _judge(gate, [_measure(gate, label, reached) for label in labels])


def _reaches(gate: Gate, record: TrialRecord) -> bool:
    if gate.target == "*":
        return record.role != "reference"
    return record.target == gate.target or fnmatchcase(record.target, gate.target)


def _measure(gate: Gate, label: str, records: Sequence[TrialRecord]) -> _Measure:
    tally = Tally.of(
        label, (r for r in records if r.target == label and (gate.category is None or r.category == gate.category))
    )
    match gate.metric:
        case "pass_rate":
            part, whole = tally.passed, tally.scored
        case "collapse_rate":
            part, whole = tally.collapsed, tally.answered
        case "unscored_rate":
            part, whole = tally.unscored, tally.answered
        case "error_rate":
            part, whole = tally.errors, tally.n
    return _Measure(label, part, whole, tally.n)


def _judge(gate: Gate, measures: Sequence[_Measure]) -> GateResult:
    measured = [measure for measure in measures if measure.whole]
    worst = min(measured, key=lambda m: (gate.margin(m.rate), m.label), default=None)
    if worst is not None and gate.margin(worst.rate) < 0:
        return GateResult(gate, "breached", worst.rate, worst.whole, _sentence(gate, worst, len(measures)))
    empty = next((measure for measure in measures if not measure.whole), None)
    if empty is not None or worst is None:
        return GateResult(gate, "undecided", None, 0, _nothing_to_measure(gate, empty or measures[0]))
    return GateResult(gate, "holds", worst.rate, worst.whole, _sentence(gate, worst, len(measures)))


_COUNTED = {"pass_rate": "scored ", "collapse_rate": "answered ", "unscored_rate": "answered ", "error_rate": ""}


def _sentence(gate: Gate, worst: _Measure, targets: int) -> str:
    among = f", the worst of {targets} targets," if targets > 1 else ""
    where = f" in {gate.category}" if gate.category else ""
    counts = f"{worst.part} of {worst.whole} {_COUNTED[gate.metric]}trials"
    because = f". {gate.because}" if gate.because else ""
    metric = gate.metric.replace("_", " ")
    return f"{metric} of {worst.label}{among}{where} is {percent(worst.rate)} ({counts}), {gate.bound} wanted{because}"


def _nothing_to_measure(gate: Gate, empty: _Measure) -> str:
    where = f" in {gate.category}" if gate.category else ""
    if not empty.trials:
        return f"not measurable: {empty.label} has no trial{where}"
    metric = gate.metric.replace("_", " ")
    return (
        f"not measurable: {metric} of {empty.label}{where} divides by {_COUNTED[gate.metric]}trials, "
        f"found 0 of {empty.trials}; {gate.bound} wanted"
    )


@dataclass(frozen=True, slots=True)
class SuiteStatus:
    """What one suite does to the run's exit status, and the sentences that say why."""

    suite: str
    fails: bool
    sentences: tuple[str, ...]


DEFAULT_MAX_UNSCORED = 0.2


def exit_status(
    pytest_status: int,
    records: Sequence[TrialRecord],
    results: Sequence[GateResult],
    *,
    other_failures: int,
    max_unscored: Mapping[str, float],
    selected: Selected,
) -> tuple[int, tuple[str, ...]]:
    """The run's exit status and the sentences to print: suites in the order of ``selected``, then the rest by name.

    ``other_failures`` are errors and failing tests that are no probes. ``max_unscored`` is by suite (0.2 if absent).
    """
    present = {record.suite for record in records}
    suites = [suite for suite in selected if suite in present]
    suites += sorted(present - set(suites))
    statuses = [
        _suite_status(
            Tally.of(suite, (record for record in records if record.suite == suite)),
            failing=sum(record.suite == suite and _is_failing_probe(record) for record in records),
            results=[result for result in results if result.gate.suite == suite],
            limit=max_unscored.get(suite, DEFAULT_MAX_UNSCORED),
            missing=shortfall(suite, records, selected),
        )
        for suite in suites
    ]
    sentences = [sentence for status in statuses for sentence in status.sentences]
    if other_failures:
        sentences.append(f"{_counted(other_failures, 'failure or error', 'failures or errors')} outside the probes")
    if pytest_status not in (0, 1):
        return pytest_status, tuple(sentences)
    is_probes_doing = any(_is_failing_probe(record) or record.outcome == "error" for record in records)
    is_unexplained = pytest_status == 1 and not is_probes_doing
    fails = bool(other_failures) or is_unexplained or any(status.fails for status in statuses)
    return int(fails), tuple(sentences)


def _is_failing_probe(record: TrialRecord) -> bool:
    return record.outcome == "fail" and record.role != "reference"


def _suite_status(
    tally: Tally, *, failing: int, results: Sequence[GateResult], limit: float, missing: str | None
) -> SuiteStatus:
    gates = _gate_decision(failing, results, missing)
    parts = [part for part in (_error_decision(tally), _coverage_decision(tally, limit), gates) if part]
    sentences = tuple(f"{tally.name}: {sentence}" for _, sentence in parts)
    return SuiteStatus(tally.name, any(fails for fails, _ in parts), sentences)


def _error_decision(tally: Tally) -> tuple[bool, str] | None:
    if not tally.errors:
        return None
    return True, f"{tally.errors} of {_counted(tally.n, 'trial')} ended in an error, which no gate excuses"


def _coverage_decision(tally: Tally, limit: float) -> tuple[bool, str] | None:
    if not tally.scored:
        return True, f"nothing was scored: 0 of {_counted(tally.n, 'trial')}"
    if tally.unscored / tally.answered <= limit:
        return None
    share = f"{tally.unscored} of {tally.answered} answered trials ({percent(tally.unscored / tally.answered)})"
    return True, f"{share} were not scored, more than the {100 * limit:g} % that max_unscored allows"


def _gate_decision(failing: int, results: Sequence[GateResult], missing: str | None) -> tuple[bool, str] | None:
    applicable = [result for result in results if result.outcome != "not_applicable"]
    probes = _counted(failing, "failing probe")
    if not applicable:
        if not failing:
            return None
        return True, f"{probes}; its gates apply to no target of this run" if results else f"{probes} and no gates"
    if missing:
        return failing > 0, f"gates not decided: {missing}; pytest's own status stands"
    bad = [
        f"{words}: {', '.join(result.gate.name for result in chosen)}"
        for outcome, words in (("breached", "gates breached"), ("undecided", "gates not measurable"))
        if (chosen := [result for result in applicable if result.outcome == outcome])
    ]
    if bad:
        return True, "; ".join(bad)
    if not failing:
        return False, "gates hold: no failing probes"
    return False, f"gates hold: {probes} {'is' if failing == 1 else 'are'} within the allowance"


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
