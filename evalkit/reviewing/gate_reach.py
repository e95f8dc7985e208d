"""Trials of which a few other labels would change what came of a gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil
from typing import Any

from evalkit.gates import Gate, GateResult
from evalkit.gates.gate import condition_of, matches
from evalkit.gates.measuring import Trial, measure
from evalkit.measured import Measured
from evalkit.record import TrialOutcome, TrialRecord

REACH = 0.03
"""The share of a gate's trials that judges may well err on: a gate that so many labels would change is in reach."""
DECIDED = ("pass", "warn", "fail")
SIGNS = {"collapse_rate": "collapsed", "fabrication_rate": "fabricated", "over_refusal_rate": "over_refusal"}
"""What a trial shows where a metric counts it; a person may find that it does not."""
OF_OUTCOMES = ("pass_rate", "unscored_rate")


def within_reach(gates: Sequence[GateResult], records: Sequence[TrialRecord]) -> set[str]:
    """Trials of every target's gates of rates on which ``REACH`` of the labels, one at least, would change the result.

    Where fails would have to become passes these are the fails, else the passes; of a rate of collapses, fabrications
    or over-refusals, those trials that show one. Gates on scores, signals and comparisons are left out: labels do not
    move them alone.
    """
    movable = [result.gate for result in gates if result.outcome in DECIDED and _is_moved_by_labels(result.gate)]
    suites = {gate.suite for gate in movable}
    trials = [Trial(record, Measured.of(record)) for record in records if record.suite in suites]
    found: set[str] = set()
    for gate in movable:
        by_target: dict[str, list[Trial]] = {}
        for trial in trials:
            if trial.record.suite == gate.suite and _is_of(gate, trial.record):
                by_target.setdefault(trial.record.target, []).append(trial)
        for label, own in by_target.items():
            found |= _movable(gate, label, own)
    return found


def _is_moved_by_labels(gate: Gate) -> bool:
    return gate.against is None and gate.has_bounds and (gate.metric in SIGNS or gate.metric in OF_OUTCOMES)


def _is_of(gate: Gate, record: TrialRecord) -> bool:
    if record.outcome == "error" or not gate.takes(record.category, record.probe):
        return False
    if gate.condition is not None and not matches(condition_of(record.target) or "", gate.condition):
        return False
    return record.role != "reference" if gate.target == "*" else matches(record.target, gate.target)


def _movable(gate: Gate, label: str, trials: Sequence[Trial]) -> set[str]:
    zone = _zone(gate, label, trials)
    reach = max(1, ceil(REACH * len(trials) - 1e-9))
    found: set[str] = set()
    for candidates, other in _ways(gate, trials):
        moved = {trial.record.trial for trial in candidates[:reach]}
        after = [other(trial) if trial.record.trial in moved else trial for trial in trials]
        if zone is not None and moved and _zone(gate, label, after) not in (zone, None):
            found |= {trial.record.trial for trial in candidates}
    return found


def _ways(gate: Gate, trials: Sequence[Trial]) -> list[tuple[list[Trial], Callable[[Trial], Trial]]]:
    """Which trials other labels may move, and what each then is."""
    if gate.metric == "pass_rate":
        passes = [trial for trial in trials if trial.record.outcome == "pass"]
        fails = [trial for trial in trials if trial.record.outcome == "fail"]
        return [
            (passes, lambda trial: _with_outcome(trial, "fail")),
            (fails, lambda trial: _with_outcome(trial, "pass")),
        ]
    if gate.metric == "unscored_rate":
        open_ones = [trial for trial in trials if trial.record.outcome == "unscored"]
        return [(open_ones, lambda trial: _with_outcome(trial, "pass"))]
    sign = SIGNS[gate.metric]
    return [([trial for trial in trials if getattr(trial.measured, sign)], lambda trial: _without(trial, sign))]


def _with_outcome(trial: Trial, outcome: TrialOutcome) -> Trial:
    return Trial(replace(trial.record, outcome=outcome), replace(trial.measured, outcome=outcome))


def _without(trial: Trial, sign: str) -> Trial:
    shown: Any = {sign: False}
    return Trial(trial.record, replace(trial.measured, **shown))


def _zone(gate: Gate, label: str, trials: Sequence[Trial]) -> str | None:
    found = measure(gate, label, trials)
    tested = {"estimate": found.value, "low": found.low, "high": found.high}[gate.end]
    return None if tested is None else gate.zone(tested)
