"""How far a judge agrees with people: the 2×2, sensitivity, specificity, kappa, and the rate corrected by them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from evalkit.stats import Interval, quantile, wilson_interval
from evalkit.verdict import Outcome

MIN_LABELS = 30
MIN_YOUDEN = 0.2


@dataclass(frozen=True, slots=True)
class Labelled:
    """One answer: what people say of it, what the judge says, and how likely it was to be chosen for labelling."""

    truth: bool
    outcome: Outcome
    inclusion: float = 1.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts of labelled answers, each weighing 1 / inclusion probability, "pass" being the positive class.

    ``true_pass`` were passed and are right, ``false_pass`` passed and wrong, ``true_fail`` failed and wrong,
    ``false_fail`` failed and right; ``unscored_right`` and ``unscored_wrong`` were not decided. ``effective_right``
    and ``effective_wrong`` are Kish's effective numbers (Σw)²/Σw² of the decided answers of each class: their plain
    number where all weigh the same.
    """

    true_pass: float = 0.0
    false_pass: float = 0.0
    true_fail: float = 0.0
    false_fail: float = 0.0
    unscored_right: float = 0.0
    unscored_wrong: float = 0.0
    effective_right: float = 0.0
    effective_wrong: float = 0.0
    n: int = 0

    @classmethod
    def of(cls, answers: Iterable[Labelled]) -> Agreement:
        """The counts of these answers.

        Raises:
            ValueError: an inclusion probability is not in (0, 1].
        """
        weights: dict[tuple[bool, Outcome], list[float]] = {}
        for answer in answers:
            if not 0 < answer.inclusion <= 1:
                raise ValueError(f"expected an inclusion probability in (0, 1]; found {answer.inclusion!r}")
            weights.setdefault((answer.truth, answer.outcome), []).append(1 / answer.inclusion)

        def total(truth: bool, outcome: Outcome) -> float:
            return sum(weights.get((truth, outcome), ()))

        def effective(truth: bool) -> float:
            decided = [*weights.get((truth, "pass"), ()), *weights.get((truth, "fail"), ())]
            return sum(decided) ** 2 / sum(weight * weight for weight in decided) if decided else 0.0

        return cls(
            total(True, "pass"), total(False, "pass"), total(False, "fail"), total(True, "fail"),
            total(True, "unscored"), total(False, "unscored"), effective(True), effective(False),
            sum(map(len, weights.values())),
        )  # fmt: skip

    @property
    def decided(self) -> float:
        return self.true_pass + self.false_pass + self.true_fail + self.false_fail

    @property
    def accuracy(self) -> float | None:
        """The share of decided answers on which judge and people agree."""
        return _share(self.true_pass + self.true_fail, self.decided)

    @property
    def accuracy_interval(self) -> Interval:
        return _interval(self.accuracy, self.effective_right + self.effective_wrong)

    @property
    def sensitivity(self) -> float | None:
        """The share of right answers that the judge passes."""
        return _share(self.true_pass, self.true_pass + self.false_fail)

    @property
    def sensitivity_interval(self) -> Interval:
        return _interval(self.sensitivity, self.effective_right)

    @property
    def specificity(self) -> float | None:
        """The share of wrong answers that the judge fails."""
        return _share(self.true_fail, self.true_fail + self.false_pass)

    @property
    def specificity_interval(self) -> Interval:
        return _interval(self.specificity, self.effective_wrong)

    @property
    def youden(self) -> float | None:
        """Sensitivity + specificity − 1: 0 for a coin, 1 for a judge that is never wrong (Youden 1950)."""
        if self.sensitivity is None or self.specificity is None:
            return None
        return self.sensitivity + self.specificity - 1

    @property
    def abstention(self) -> float | None:
        """The share of all answers that the judge did not decide."""
        undecided = self.unscored_right + self.unscored_wrong
        return _share(undecided, self.decided + undecided)

    @property
    def kappa(self) -> float | None:
        """Agreement beyond chance on the decided answers (Cohen 1960); None where a side knows only one answer."""
        margins = (
            self.true_pass + self.false_pass, self.true_fail + self.false_fail,
            self.true_pass + self.false_fail, self.true_fail + self.false_pass,
        )  # fmt: skip
        if not all(margins):
            return None
        observed, chance = (self.true_pass + self.true_fail) / self.decided, self._chance()
        return (observed - chance) / (1 - chance)

    def kappa_interval(self, confidence: float = 0.95) -> Interval | None:
        """kappa ± z standard errors, cut at −1 and 1; None where kappa is, and where all agree (the error is then 0).

        Source: Fleiss, Cohen and Everitt (1969), the large-sample error of a kappa that is not 0.
        """
        kappa, n = self.kappa, self.effective_right + self.effective_wrong
        if kappa is None or n <= 0:
            return None
        cells = [[self.true_pass, self.false_pass], [self.false_fail, self.true_fail]]
        share = [[cell / self.decided for cell in row] for row in cells]
        rows = [sum(row) for row in share]
        columns = [share[0][i] + share[1][i] for i in range(2)]
        chance = self._chance()
        same = sum(share[i][i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in range(2))
        other = (1 - kappa) ** 2 * sum(share[i][1 - i] * (columns[i] + rows[1 - i]) ** 2 for i in range(2))
        variance = (same + other - (kappa - chance * (1 - kappa)) ** 2) / (n * (1 - chance) ** 2)
        if variance <= 1e-12:
            return None
        half = quantile(confidence) * sqrt(variance)
        return Interval(max(-1.0, kappa - half), min(1.0, kappa + half))

    def _chance(self) -> float:
        passed, right = self.true_pass + self.false_pass, self.true_pass + self.false_fail
        n = self.decided
        return (passed * right + (n - passed) * (n - right)) / (n * n)

    @property
    def why_no_correction(self) -> str:
        """Why this judge's rates cannot be corrected; empty where they can."""
        least = min(self.effective_right, self.effective_wrong)
        if least < MIN_LABELS:
            return f"{MIN_LABELS} labels of each kind are needed, {least:.0f} are there"
        if self.youden is None or self.youden < MIN_YOUDEN - 1e-9:
            return f"the judge tells right from wrong too badly (Youden's J {self.youden:.2f}, under {MIN_YOUDEN})"
        return ""


@dataclass(frozen=True, slots=True)
class CorrectedRate:
    """A pass rate as it would be if the judge never erred; rate and bounds are proportions in [0, 1]."""

    rate: float
    interval: Interval


def corrected_rate(passed: int, scored: int, agreement: Agreement, confidence: float = 0.95) -> CorrectedRate | None:
    """The pass rate corrected for the judge's two kinds of error, which vary in the interval as the rate does.

    None where ``agreement.why_no_correction`` says why, or nothing was scored. The estimate is that of Rogan and
    Gladen (1978), (rate + specificity − 1) / J; the interval that of Lang and Reiczigel (2014), with their added
    observations, cut at 0 and 1.
    """
    if not scored or agreement.why_no_correction:
        return None
    assert agreement.sensitivity is not None
    assert agreement.specificity is not None
    youden = agreement.sensitivity + agreement.specificity - 1
    rate = (passed / scored + agreement.specificity - 1) / youden
    z2 = quantile(confidence) ** 2
    n, n_right, n_wrong = scored + z2, agreement.effective_right + 2, agreement.effective_wrong + 2
    p = (passed + z2 / 2) / n
    se = (agreement.effective_right * agreement.sensitivity + 1) / n_right
    sp = (agreement.effective_wrong * agreement.specificity + 1) / n_wrong
    centre = (p + sp - 1) / (se + sp - 1)
    of_se, of_sp = se * (1 - se) / n_right, sp * (1 - sp) / n_wrong
    shift = 2 * z2 * (centre * of_se - (1 - centre) * of_sp)
    variance = p * (1 - p) / n + centre**2 * of_se + (1 - centre) ** 2 * of_sp
    half = sqrt(z2 * variance) / (se + sp - 1)
    low, high = (min(1.0, max(0.0, bound)) for bound in (centre + shift - half, centre + shift + half))
    return CorrectedRate(min(1.0, max(0.0, rate)), Interval(low, high))


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _interval(share: float | None, n: float) -> Interval:
    """Wilson's interval; ``n`` may be an effective number of observations."""
    return Interval(0.0, 1.0) if share is None else wilson_interval(share * n, n)
