"""A run's rates as judged, reviewed and corrected, row by row."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.reviewing.corrected import CorrectedRates


@dataclass(frozen=True, slots=True)
class RateRow:
    """The three rates of one target's trials in one category; None stands for all targets, or for all categories."""

    target: str | None
    category: str | None
    rates: CorrectedRates


@dataclass(frozen=True, slots=True)
class ReviewedRates:
    """What people's labels make of a run's rates: ``labelled`` of ``answers`` subjects' answers carry labels.

    ``rows`` are by target: all its trials, then each of its categories where it has several; last, where there are
    several targets, the same over all of them. Reference targets are in none, unless there are no others.
    """

    run: str
    labelled: int
    answers: int
    reviewers: tuple[str, ...]
    rows: tuple[RateRow, ...]

    def of(self, target: str | None, category: str | None = None) -> CorrectedRates | None:
        """The rates of that row; None where there is no such row."""
        found = (row.rates for row in self.rows if (row.target, row.category) == (target, category))
        return next(found, None)
