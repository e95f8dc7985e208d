"""A finished run as every report is given it, whether it ended just now or was restored from the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from evalkit.gates import GateResult
from evalkit.reporting.exports import TrialTexts
from evalkit.reporting.summary import Summary
from evalkit.review import Label
from evalkit.reviewing import ReviewedRates


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """``texts`` are by trial id; a trial whose answers are gone has none. ``status`` is pytest's, None if unknown.

    ``sentences`` say what decided the status. ``labels`` are what people said of the texts, ``reviewed`` the rates that
    follow, None where nobody labelled any. A run that is not ``is_finished`` was killed, or goes on: its trials are
    those that had ended.
    """

    summary: Summary
    texts: Mapping[str, TrialTexts] = field(default_factory=dict)
    gate_results: tuple[GateResult, ...] = ()
    status: int | None = None
    sentences: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    reviewed: ReviewedRates | None = None
    is_finished: bool = True

    @property
    def run_id(self) -> str:
        return self.summary.run.run_id
