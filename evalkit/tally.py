"""Counts of a group of trials, with the one definition of what each rate divides by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evalkit.record import TrialRecord
from evalkit.stats import Interval, wilson_interval


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over trials; ``length_finishes`` counts answers. ``collapsed`` and ``fabricated`` leave out errors.

    ``timed_tokens`` are the new tokens of trials whose ``generation_s`` is known.
    """

    name: str
    n: int
    passed: int
    failed: int
    unscored: int
    errors: int
    collapsed: int
    fabricated: int
    prompt_tokens: int
    new_tokens: int
    timed_tokens: int
    generation_s: float
    stored: int
    stored_tokens: int
    oldest_stored_s: float | None
    length_finishes: int

    @classmethod
    def of(cls, name: str, records: Iterable[TrialRecord]) -> Tally:
        """The counts of these trials."""
        every = tuple(records)
        answered = [record for record in every if record.outcome != "error"]
        timed = [record for record in every if record.generation_s is not None]
        stored = [record for record in every if record.stored]
        outcomes = [record.outcome for record in every]
        return cls(
            name=name,
            n=len(every),
            passed=outcomes.count("pass"),
            failed=outcomes.count("fail"),
            unscored=outcomes.count("unscored"),
            errors=outcomes.count("error"),
            collapsed=sum(record.is_collapsed for record in answered),
            fabricated=sum("fabricated" in record.flags for record in answered),
            prompt_tokens=sum(record.prompt_tokens for record in every),
            new_tokens=sum(record.new_tokens for record in every),
            timed_tokens=sum(record.new_tokens for record in timed),
            generation_s=sum(record.generation_s or 0.0 for record in timed),
            stored=len(stored),
            stored_tokens=sum(record.new_tokens for record in stored),
            oldest_stored_s=max((r.stored_age_s for r in stored if r.stored_age_s is not None), default=None),
            length_finishes=sum(record.finishes.count("length") for record in every),
        )

    @property
    def scored(self) -> int:
        """Trials with a verdict of pass or fail: what pass rates divide by."""
        return self.passed + self.failed

    @property
    def answered(self) -> int:
        """Trials that did not end in an error: what collapse and unscored rates divide by."""
        return self.n - self.errors

    @property
    def pass_rate(self) -> float | None:
        return _share(self.passed, self.scored)

    @property
    def interval(self) -> Interval:
        """Wilson 95 % interval of the pass rate."""
        return wilson_interval(self.passed, self.scored)

    @property
    def rate_if_unscored_failed(self) -> float | None:
        """The pass rate if every unscored trial had failed."""
        return _share(self.passed, self.answered)

    @property
    def rate_if_unscored_passed(self) -> float | None:
        """The pass rate if every unscored trial had passed."""
        return _share(self.passed + self.unscored, self.answered)

    @property
    def collapse_rate(self) -> float | None:
        return _share(self.collapsed, self.answered)

    @property
    def unscored_rate(self) -> float | None:
        return _share(self.unscored, self.answered)

    @property
    def error_rate(self) -> float | None:
        return _share(self.errors, self.n)

    @property
    def tokens_per_s(self) -> float | None:
        """Speed of one answer: rows that ran in one batch each count the whole time, so it is not the device's."""
        return self.timed_tokens / self.generation_s if self.generation_s > 0 else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
