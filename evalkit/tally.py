"""Counts of a group of trials, with the one definition of what each rate divides by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evalkit.record import TrialRecord
from evalkit.stats import Interval, wilson_interval


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over trials; ``length_finishes`` counts answers. ``collapsed`` and ``fabricated`` leave out errors.

    ``thought_failures`` are failing trials whose thinking a judge could judge apart from the answer; in
    ``knew_better`` of them the thinking alone would have passed.
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
    stored: int
    oldest_stored_s: float | None
    length_finishes: int
    thought_failures: int = 0
    knew_better: int = 0

    @classmethod
    def of(cls, name: str, records: Iterable[TrialRecord]) -> Tally:
        """The counts of these trials."""
        every = tuple(records)
        answered = [record for record in every if record.outcome != "error"]
        stored = [record for record in every if record.stored]
        outcomes = [record.outcome for record in every]
        thoughts = [thought for record in every if record.outcome == "fail" and (thought := _thought(record))]
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
            stored=len(stored),
            oldest_stored_s=max((r.stored_age_s for r in stored if r.stored_age_s is not None), default=None),
            length_finishes=sum(record.finishes.count("length") for record in every),
            thought_failures=sum(thought != "unscored" for thought in thoughts),
            knew_better=thoughts.count("pass"),
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


def _thought(record: TrialRecord) -> str | None:
    """What a judge made of the thinking before a wrong answer; None where there is none."""
    found = (verdict["labels"].get("thinking_outcome") for verdict in record.verdicts if "labels" in verdict)
    return next((str(outcome) for outcome in found if outcome), None)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
