"""The numbers of a run as every report prints them: nouns, all rates proportions in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.agreement import CorrectedRate
from evalkit.comparing import Comparison, Metric
from evalkit.tally import Share

RATES = ("passes", "collapses", "fabrications", "over_refusals", "unscoreds", "errors")
"""The shares of a ``FigureRow``, in the order in which tables show them."""


@dataclass(frozen=True, slots=True)
class FigureRow:
    """The trials of one target (``""``: of the whole run), in one category or suite (None: in all).

    ``target`` is the whole label, ``condition`` its third part, None where the label has none. ``passes`` divides by
    scored trials, ``errors`` by all, every other share by answered ones. ``if_unscored_failed`` and
    ``if_unscored_passed`` are the bounds of the pass rate. ``cut`` counts answers cut at max_new_tokens, ``words`` is
    the mean length of the last answers.
    """

    target: str
    role: str
    condition: str | None
    category: str | None
    suite: str | None
    n: int
    answered: int
    scored: int
    passes: Share
    collapses: Share
    fabrications: Share
    over_refusals: Share
    unscoreds: Share
    errors: Share
    if_unscored_failed: float | None
    if_unscored_passed: float | None
    prompt_tokens: int
    new_tokens: int
    stored: int
    cut: int
    words: float | None

    @property
    def failed(self) -> int:
        return self.scored - self.passes.part


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The scores that one judge gave one target's answers, in one category (None: in all) of a suite.

    In the judge's own unit. ``values`` are sorted; ``low`` to ``high`` is the 95 % interval of the mean, None where
    fewer than two families bound it.
    """

    suite: str
    judge: str
    target: str
    condition: str | None
    category: str | None
    n: int
    mean: float
    low: float | None
    high: float | None
    sd: float | None
    median: float
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DeltaPart:
    """The paired difference in one category; figures as in ``Comparison``, ``adjusted_p`` is Holm's over the parts."""

    category: str
    pairs: int
    before: float
    after: float
    delta: float
    low: float | None
    high: float | None
    adjusted_p: float
    worse: int
    better: int


@dataclass(frozen=True, slots=True)
class Delta:
    """How ``metric`` went from the target ``before`` to ``after`` over the probes that both answered in this run.

    ``comparison`` is what ``evalkit compare`` says; ``shown`` has its numbers, None of them where no pair is there.
    """

    metric: Metric
    before: str
    after: str
    comparison: Comparison
    parts: tuple[DeltaPart, ...]

    @property
    def shown(self) -> Comparison:
        return self.comparison.shown


@dataclass(frozen=True, slots=True)
class TrustRow:
    """How far the judge of a target's trials in one category (None: all) agrees with people, where that was measured.

    ``accuracy``, ``sensitivity`` and ``specificity`` stand with their 95 % intervals as (rate, low, high). ``blind`` is
    None where nobody said. ``corrected`` is the pass rate corrected for the judge's errors, None with ``why_not``.
    """

    target: str
    category: str | None
    suite: str
    judge: str
    judge_hash: str
    labels: int
    reviewers: tuple[str, ...]
    blind: bool | None
    is_third_party: bool
    accuracy: tuple[float, float, float]
    sensitivity: tuple[float, float, float] | None
    specificity: tuple[float, float, float] | None
    kappa: float | None
    corrected: CorrectedRate | None
    why_not: str


@dataclass(frozen=True, slots=True)
class JudgeRow:
    """One judge as it judged in this run; ``models`` are the ones it asked, ``is_calibrated`` where any trust is known.

    ``judge_hash`` covers its code's version, its policy and the settings that the probes give it.
    """

    judge: str
    version: str
    judge_hash: str
    suites: tuple[str, ...]
    required: bool
    verdicts: int
    passed: int
    failed: int
    unscored: int
    models: tuple[str, ...]
    is_calibrated: bool


@dataclass(frozen=True, slots=True)
class StepRow:
    """A target that is a checkpoint of a training; ``series`` is its label with the step taken out."""

    series: str
    step: int
    target: str
    passes: Share


@dataclass(frozen=True, slots=True)
class SuiteRow:
    """What was asked of one suite: ``digest`` covers the ids and hashes of its ``probes`` that were run."""

    suite: str
    digest: str
    probes: int
    trials: int


@dataclass(frozen=True, slots=True)
class RunFigures:
    """Every number of a run that any report prints.

    ``rows`` are the categories of each target and then the target itself, targets in plan order; ``suites`` the
    targets by suite, only where the run has several; ``total`` is the whole run. ``tells_failures``: a judge of the run
    says of what kind failures are, so that no fabrication or over-refusal means something.
    """

    rows: tuple[FigureRow, ...]
    suites: tuple[FigureRow, ...]
    total: FigureRow
    scores: tuple[ScoreRow, ...]
    deltas: tuple[Delta, ...]
    trust: tuple[TrustRow, ...]
    judges: tuple[JudgeRow, ...]
    steps: tuple[StepRow, ...]
    asked: tuple[SuiteRow, ...]
    tells_failures: bool = True

    @property
    def targets(self) -> tuple[FigureRow, ...]:
        """Every target over all its categories."""
        return tuple(row for row in self.rows if row.category is None)

    def categories(self, target: str) -> tuple[FigureRow, ...]:
        """The categories of one target."""
        return tuple(row for row in self.rows if row.target == target and row.category is not None)
