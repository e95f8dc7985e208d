"""Which trials are worth a person's minute, and what the labels say of the run and of its judges."""

from __future__ import annotations

from evalkit.reviewing.corrected import CorrectedRates, Rate, corrected_rates
from evalkit.reviewing.errors import ErrorRow, error_sentences, judge_errors
from evalkit.reviewing.population import PopulationTrial, Settled, settled
from evalkit.reviewing.queue import Queue, QueueOptions, TrialText, build_queue
from evalkit.reviewing.rate_rows import RateRow, ReviewedRates
from evalkit.reviewing.reviewers import PairAgreement, agreements, cohen_kappa, disputes, krippendorff_alpha

__all__ = [
    "CorrectedRates", "ErrorRow", "PairAgreement", "PopulationTrial", "Queue", "QueueOptions", "Rate", "RateRow",
    "ReviewedRates", "Settled", "TrialText", "agreements", "build_queue", "cohen_kappa", "corrected_rates", "disputes",
    "error_sentences", "judge_errors", "krippendorff_alpha", "settled",
]  # fmt: skip
