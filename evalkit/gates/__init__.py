"""Rules that decide the exit status from what a run measured."""

from __future__ import annotations

from evalkit.gates.against import ALIAS, Baseline, Surroundings
from evalkit.gates.deciding import Selected, evaluate, shortfall
from evalkit.gates.false_red import false_red_sentence
from evalkit.gates.gate import End, Gate, Metric
from evalkit.gates.labelled import CORRECTED, CorrectedPassRate
from evalkit.gates.results import GateOutcome, GateResult
from evalkit.gates.status import DEFAULT_MAX_UNSCORED, SuiteStatus, exit_status

__all__ = [
    "ALIAS", "CORRECTED", "DEFAULT_MAX_UNSCORED", "Baseline", "CorrectedPassRate", "End", "Gate", "GateOutcome",
    "GateResult", "Metric", "Selected", "SuiteStatus", "Surroundings", "evaluate", "exit_status", "false_red_sentence",
    "shortfall",
]  # fmt: skip
