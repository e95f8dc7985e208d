"""One gate as it is written: what is measured, where, and which values pass, warn or fail."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

Metric = Literal[
    "pass_rate", "corrected_pass_rate", "collapse_rate", "fabrication_rate", "over_refusal_rate", "unscored_rate",
    "error_rate", "mean_score", "median_score", "worst_score", "count",
]  # fmt: skip
End = Literal["estimate", "low", "high"]
ZoneOutcome = Literal["pass", "warn", "fail"]
ROUNDING = 1e-9
"""How far a mean may be off by floating point alone: 96.35 is within 96.3 ± 0.05."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One rule: ``metric`` of ``target`` in ``suite`` within its bounds.

    ``target``, ``category``, ``probe``, ``language`` and ``condition`` are globs; the target ``*`` stands for every
    subject, a narrower pattern also reaches reference targets. All values are in the metric's own unit: rates and their
    differences are proportions, ``equals`` and ``tolerance`` included; scores and counts are plain numbers.

    The pass zone is ``at_least`` or ``above`` to ``at_most`` or ``below``, or ``equals`` within ``tolerance``. What is
    outside it fails, or only warns as far as ``fail_below`` or ``fail_above`` on that side. ``end`` is the end of the
    95 % interval that must lie in the zone.

    ``judge`` gives the scores, or the ``signal``; a count is of trials with ``flag``, or with a ``signal`` of
    ``signal_from`` or more. ``min_n`` and ``coverage`` are the least that must have been measured, of one target.
    ``against`` (``baseline``, ``baseline:NAME``, ``target:GLOB``, ``condition:NAME``) makes the metric a paired
    difference, after - before; without bounds it must not have regressed by more than ``margin``, the comparison's own
    unless given. ``because`` is shown with the result.
    """

    name: str
    suite: str
    metric: Metric
    target: str = "*"
    category: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    because: str = ""
    source: str = ""
    above: float | None = None
    below: float | None = None
    fail_below: float | None = None
    fail_above: float | None = None
    equals: float | None = None
    tolerance: float = 0.0
    end: End = "estimate"
    probe: str | None = None
    condition: str | None = None
    judge: str | None = None
    flag: str | None = None
    signal: str | None = None
    signal_from: float | None = None
    min_n: int = 0
    coverage: float = 0.0
    against: str | None = None
    margin: float | None = None
    undecided: Literal["warn", "fail"] = "fail"
    language: str | None = None

    @property
    def is_rate(self) -> bool:
        return self.metric.endswith("_rate")

    @property
    def is_score(self) -> bool:
        return self.metric.endswith("_score")

    @property
    def baseline(self) -> str | None:
        """The name of the baseline it compares with, empty for the run's own, None where it compares with none."""
        kind, _, name = (self.against or "").partition(":")
        return name if kind == "baseline" else None

    @property
    def has_bounds(self) -> bool:
        """Whether it has a pass zone; a comparison may do without."""
        bounds = (self.at_least, self.above, self.at_most, self.below, self.equals)
        return any(bound is not None for bound in bounds)

    def zone(self, value: float) -> ZoneOutcome:
        """Where a value lies. Each side has its own fail zone, and fails at once where it has none."""
        if self.equals is not None:
            return "pass" if abs(value - self.equals) <= self.tolerance + ROUNDING else "fail"
        low = (self.at_least is not None and value < self.at_least) or (self.above is not None and value <= self.above)
        high = (self.at_most is not None and value > self.at_most) or (self.below is not None and value >= self.below)
        if not low and not high:
            return "pass"
        if low and (self.fail_below is None or value < self.fail_below):
            return "fail"
        if high and (self.fail_above is None or value > self.fail_above):
            return "fail"
        return "warn"

    @property
    def fails_below(self) -> float | None:
        """Below this value it fails; None where no value is too low."""
        if self.equals is not None:
            return self.equals - self.tolerance
        bounds = (self.fail_below, self.at_least, self.above)
        return next((bound for bound in bounds if bound is not None), None)

    @property
    def fails_above(self) -> float | None:
        """Above this value it fails; None where no value is too high."""
        if self.equals is not None:
            return self.equals + self.tolerance
        bounds = (self.fail_above, self.at_most, self.below)
        return next((bound for bound in bounds if bound is not None), None)

    def inside(self, value: float) -> float:
        """How far inside the pass zone a value is; negative is outside. Tells the worst of several targets."""
        if self.equals is not None:
            return self.tolerance - abs(value - self.equals)
        lower = [value - bound for bound in (self.at_least, self.above) if bound is not None]
        upper = [bound - value for bound in (self.at_most, self.below) if bound is not None]
        return min((*lower, *upper), default=0.0)

    def takes(self, category: str, probe: str, language: str | None) -> bool:
        """Whether it is about trials of this category, probe and language."""
        asked = ((self.category, category), (self.probe, probe), (self.language, language or ""))
        return all(pattern is None or matches(name, pattern) for pattern, name in asked)


def matches(name: str, pattern: str) -> bool:
    """Whether a name is the pattern, or fits it as a glob."""
    return name == pattern or fnmatchcase(name, pattern)


def condition_of(label: str) -> str | None:
    """The condition in a target's label, None where the label has none."""
    parts = label.split(":")
    return parts[2] if len(parts) == 4 else None


def under_condition(label: str, condition: str) -> str | None:
    """The label of the same target under another condition."""
    parts = label.split(":")
    return ":".join((*parts[:2], condition, parts[3])) if len(parts) == 4 else None
