"""What gates and failing probes do to the exit status of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalkit.gates.deciding import Selected, shortfall
from evalkit.gates.results import GateOutcome, GateResult
from evalkit.record import TrialRecord
from evalkit.stats import percent
from evalkit.tally import Tally


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
    bad = _named(applicable, "gates breached", "fail") + _named(
        [result for result in applicable if result.blocks], "gates undecided", "undecided"
    )
    if bad:
        return True, "; ".join(bad)
    if all(result.outcome == "undecided" for result in applicable):
        return failing > 0, f"{_named(applicable, 'gates undecided', 'undecided')[0]}, as they may be; {probes}"
    allowed = "no failing probes" if not failing else f"{probes} {'is' if failing == 1 else 'are'} within the allowance"
    also = _named(applicable, "with a warning", "warn") + _named(applicable, "undecided, as it may be", "undecided")
    return False, "; ".join([f"gates hold: {allowed}", *also])


def _named(results: Sequence[GateResult], words: str, outcome: GateOutcome) -> list[str]:
    """``gates breached: loops, mean``, or nothing where no gate came to that."""
    names = [result.gate.name for result in results if result.outcome == outcome]
    return [f"{words}: {', '.join(names)}"] if names else []


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
