"""Gates on the corrected pass rate: what people's labels say that the judges' rate should be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evalkit.gates.gate import Gate
from evalkit.gates.measuring import Trial
from evalkit.gates.results import TargetResult
from evalkit.gates.words import figure, interval_words, metric_words, share_words, wanted_words, where_words

CORRECTED = "corrected_pass_rate"


@dataclass(frozen=True, slots=True)
class CorrectedPassRate:
    """The rate of ``n`` trials, of which ``reviewed_n`` have a label that decides; None where ``why_not`` says why."""

    rate: float | None
    low: float
    high: float
    n: int
    reviewed_n: int
    why_not: str = ""


CorrectedOf = Callable[[Sequence[str]], CorrectedPassRate]
"""The corrected pass rate of these trials, by id."""


def corrected(gate: Gate, label: str, trials: Sequence[Trial], rate_of: CorrectedOf | None) -> TargetResult:
    """What comes of the gate on one target; ``rate_of`` is None where nobody labelled any answer."""
    head, where = f"{metric_words(gate)} of {label}", where_words(gate)
    if not trials:
        return TargetResult(label, "undecided", f"not measurable: {label} has no trial{where}")
    found = rate_of([trial.record.trial for trial in trials]) if rate_of is not None else None
    missing = _missing(gate, found)
    if found is None or found.rate is None or missing:
        return TargetResult(label, "undecided", f"not decided: {head}", f"{where}: {missing}")
    tested = {"estimate": found.rate, "low": found.low, "high": found.high}[gate.end]
    basis = f"{found.reviewed_n} of {found.n} answers reviewed, {interval_words(gate, found.low, found.high)}"
    return TargetResult(
        label, gate.zone(tested), head, f"{where} is {figure(gate, found.rate)} ({basis}), {wanted_words(gate)}",
        tested, found.low, found.high, found.reviewed_n, gate.inside(tested),
    )  # fmt: skip


def _missing(gate: Gate, found: CorrectedPassRate | None) -> str:
    """Why there is nothing to decide with, empty where there is."""
    if found is None or not found.reviewed_n:
        return "nobody labelled any of these answers. Begin with: evalkit review latest"
    if found.why_not:
        return found.why_not
    if found.reviewed_n < gate.min_n:
        return f"{found.reviewed_n} reviewed answers, min_n wants {gate.min_n}"
    if found.reviewed_n / found.n < gate.coverage:
        share = share_words(found.reviewed_n / found.n)
        return (
            f"{found.reviewed_n} of {found.n} answers reviewed ({share}), coverage wants {share_words(gate.coverage)}"
        )
    return ""
