"""Trials of which a few other labels would change what came of a gate on the corrected pass rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil

from evalkit.gates import CORRECTED, Gate, GateResult
from evalkit.gates.gate import condition_of, matches
from evalkit.record import TrialRecord

REACH = 0.03
"""The share of a gate's trials that judges may well err on: a gate that so many labels would change is in reach."""
DECIDED = ("pass", "warn", "fail")


def for_each_target(gates: Iterable[Gate], records: Sequence[TrialRecord]) -> list[Gate]:
    """The gates whose result labels may change, each once for every target that it reaches.

    A gate says only what came of its worst target, and labels of another one may make that the worst.
    """
    return [
        replace(gate, target=label)
        for gate in gates
        if gate.metric == CORRECTED and gate.has_bounds
        for label in sorted({record.target for record in records if _reaches(gate, record)})
    ]


def within_reach(gates: Sequence[GateResult], records: Sequence[TrialRecord]) -> set[str]:
    """Passes and fails of gates on the corrected pass rate of which ``REACH``, one at least, would change the result.

    The passes where these would sink it, the fails where they would save it, both where the gate is undecided: labels
    are what it waits for. No other metric is moved by labels. A decided gate's trials are those of the target that its
    result is of.
    """
    found: set[str] = set()
    for result in gates:
        if result.gate.metric != CORRECTED or not result.gate.has_bounds:
            continue
        own = [record for record in records if _is_of(result, record)]
        for outcome in _movable(result, len(own)):
            found |= {record.trial for record in own if record.outcome == outcome}
    return found


def _is_of(result: GateResult, record: TrialRecord) -> bool:
    if result.outcome in DECIDED and record.target != result.target:
        return False
    return record.outcome != "error" and _reaches(result.gate, record)


def _reaches(gate: Gate, record: TrialRecord) -> bool:
    if record.suite != gate.suite or not gate.takes(record.category, record.probe, record.language):
        return False
    if gate.condition is not None and not matches(condition_of(record.target) or "", gate.condition):
        return False
    return record.role != "reference" if gate.target == "*" else matches(record.target, gate.target)


def _movable(result: GateResult, trials: int) -> tuple[str, ...]:
    """The outcomes of which other labels would change the result."""
    if result.outcome == "undecided":
        return ("pass", "fail")
    if result.outcome not in DECIDED or result.measured is None or not trials:
        return ()
    step = max(1, ceil(REACH * trials - 1e-9)) / trials
    return tuple(
        outcome
        for outcome, moved in (("pass", result.measured - step), ("fail", result.measured + step))
        if _zone(result.gate, moved) != result.outcome
    )


def _zone(gate: Gate, rate: float) -> str:
    return gate.zone(min(1.0, max(0.0, rate)))
