"""The pass rate as the judges say, as reviewed, and as it would be if people had judged every trial."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from evalkit.review import Label
from evalkit.reviewing.cautions import why_no_rate, words_of_caution
from evalkit.reviewing.cells import Cell, cells_of
from evalkit.reviewing.combining import stratified_rate
from evalkit.reviewing.population import PopulationTrial, Settled, settled
from evalkit.stats import cluster_interval, wilson_interval


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its 95 % interval, as proportions in [0, 1]; ``part`` of ``whole`` trials where it is a count.

    ``rate`` is None where nothing says what it is; the interval then says what it may be.
    """

    rate: float | None
    low: float
    high: float
    part: int | None = None
    whole: int | None = None


@dataclass(frozen=True, slots=True)
class CorrectedRates:
    """One group of trials' pass rate three times.

    ``automated`` is the judges' own, over the trials they decided. ``reviewed`` takes each label in place of its
    verdict and believes the judges of the rest: the model card's arithmetic, which can only rise where only failures
    are read. ``corrected`` reckons from the labels what a person would say of the rest too; it has no rate where
    ``why_not`` says so. ``n`` trials were answered, ``reviewed_n`` of them have a label that decides.
    """

    automated: Rate
    reviewed: Rate
    corrected: Rate
    n: int
    reviewed_n: int
    warnings: tuple[str, ...] = ()
    why_not: str = ""


def corrected_rates(
    population: Sequence[PopulationTrial], labels: Iterable[Label], speaking: Collection[str] | None = None,
    apart: str = "",
) -> CorrectedRates:  # fmt: skip
    """The three rates of these trials; labels of other texts are left out, and so are errors.

    Where ``speaking`` is given, no other texts' labels are in the corrected rate. ``apart`` says why the labels are no
    sample of the trials: then there is no corrected rate, and in its bounds each label speaks for its own text alone.

    The interval of ``corrected`` is about trials of this kind, as that of ``automated`` is. It adds, as independent
    deviations (Zou and Donner 2008), for every stratum what is left unread (exact hypergeometric limits) and what
    the draw of the probes leaves open (Wilson's interval at the number of independent trials that these are worth).
    """
    answered = [trial for trial in population if trial.outcome != "error"]
    known = settled(labels)
    truths = {text: said.truth for text, said in known.items() if said.truth is not None}
    scored = [trial for trial in answered if trial.outcome != "unscored"]
    decided = [trial for trial in answered if trial.outcome != "unscored" or trial.text_hash in truths]
    cells = cells_of(answered, {text: said for text, said in known.items() if speaking is None or text in speaking})
    why_not = why_no_rate(answered, cells) or apart
    bounding = cells_of([replace(one, stratum="asked_for", inclusion=None) for one in answered], known)
    return CorrectedRates(
        _counted(scored, {}), _counted(decided, truths),
        _corrected(bounding if apart else cells, truths, bool(why_not)),
        len(answered), sum(trial.text_hash in truths for trial in answered),
        words_of_caution(answered, cells, _of(answered, known)), why_not,
    )  # fmt: skip


def _of(trials: Iterable[PopulationTrial], known: dict[str, Settled]) -> list[Settled]:
    texts = dict.fromkeys(trial.text_hash for trial in trials)
    return [known[text] for text in texts if text in known]


def _families(trials: Sequence[PopulationTrial]) -> list[tuple[bool, str]]:
    return [(bool(trial.family), trial.family or trial.trial) for trial in trials]


def _right(trial: PopulationTrial, truths: dict[str, bool]) -> bool:
    return truths.get(trial.text_hash, trial.outcome == "pass")


def _counted(trials: Sequence[PopulationTrial], truths: dict[str, bool]) -> Rate:
    right = [_right(trial, truths) for trial in trials]
    if not right:
        return Rate(None, 0.0, 1.0, 0, 0)
    mean = cluster_interval([float(value) for value in right], _families(trials))
    return Rate(sum(right) / len(right), mean.low, mean.high, sum(right), len(right))


def _corrected(cells: Sequence[Cell], truths: dict[str, bool], is_unknown: bool) -> Rate:
    covered = [trial for cell in cells for trial in cell.trials]
    if not covered:
        return Rate(None, 0.0, 1.0)
    mean = cluster_interval([float(_right(trial, truths)) for trial in covered], _families(covered))
    plain = wilson_interval((mean.mean or 0.0) * mean.effective_n, mean.effective_n)
    # Few families have a wider interval than Wilson's at their worth, by Student's quantile.
    stretch = max(1.0, (mean.high - mean.low) / (plain.high - plain.low))
    rate, low, high = stratified_rate([cell.counts for cell in cells], mean.effective_n, stretch)
    return Rate(None if is_unknown else rate, low, high)
