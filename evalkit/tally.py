"""Counts of a group of trials, with the one definition of what each rate divides by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from evalkit.measured import OVER_REFUSAL
from evalkit.record import TrialRecord
from evalkit.stats import Interval, cluster_interval, wilson_interval

SCORED = ("pass", "fail")
Family = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Share:
    """A rate as counts with its 95 % interval: Wilson's, or one that respects families where these hold several trials.

    ``families`` stand behind the ``whole``; nothing of nothing has no ``rate`` and lies in [0, 1].
    """

    part: int
    whole: int
    low: float
    high: float
    families: int

    @classmethod
    def of(cls, records: Iterable[TrialRecord], is_hit: Callable[[TrialRecord], bool]) -> Share:
        """The share of these trials that are hits."""
        every = tuple(records)
        return cls.counted([is_hit(record) for record in every], [family_of(record) for record in every])

    @classmethod
    def counted(cls, hits: Sequence[bool], families: Sequence[Family]) -> Share:
        """The share of hits among trials of these families."""
        part, count = sum(hits), len(set(families))
        if count == len(hits):
            interval = wilson_interval(part, len(hits))
        else:
            mean = cluster_interval([float(hit) for hit in hits], families)
            interval = Interval(mean.low, mean.high)
        return cls(part, len(hits), interval.low, interval.high, count)

    @property
    def rate(self) -> float | None:
        return _share(self.part, self.whole)

    @property
    def interval(self) -> Interval:
        return Interval(self.low, self.high)

    @property
    def has_families(self) -> bool:
        """Whether trials stand or fall together, so that the interval is not Wilson's."""
        return self.families < self.whole


def is_over_refusal(record: TrialRecord) -> bool:
    """Whether a judge says that the answer refuses what should have been answered."""
    for verdict in record.verdicts:
        labels = verdict.get("labels")
        if labels and labels.get("failure_type") == OVER_REFUSAL:
            return True
    return False


def family_of(record: TrialRecord) -> Family:
    """The cluster a trial belongs to, which may span suites; the samples of a probe are one."""
    return ("", "cluster", record.cluster) if record.cluster else (record.suite, "probe", record.probe)


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over trials; ``length_finishes`` counts answers. Collapses, fabrications, over-refusals leave out errors.

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
    over_refused: int = 0
    passes: Share = Share(0, 0, 0.0, 1.0, 0)

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
            over_refused=sum(map(is_over_refusal, answered)),
            passes=Share.of((r for r in every if r.outcome in SCORED), lambda record: record.outcome == "pass"),
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
        """The 95 % interval of the pass rate."""
        return self.passes.interval

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
