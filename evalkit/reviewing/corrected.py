"""The pass rate as the judges say, as reviewed, and as it would be if people had judged every trial."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evalkit.review import Label
from evalkit.reviewing.cautions import words_of_caution
from evalkit.reviewing.cells import Cell
from evalkit.reviewing.combining import stratified_rate
from evalkit.reviewing.design import design_of
from evalkit.reviewing.draws import Draw
from evalkit.reviewing.population import PopulationTrial, settled
from evalkit.reviewing.refusals import way_out, why_no_rate
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
    ``why_not`` says so; ``way_out`` is then a sentence with the command that mends it. ``n`` trials were answered,
    ``reviewed_n`` of them have a label that decides.
    """

    automated: Rate
    reviewed: Rate
    corrected: Rate
    n: int
    reviewed_n: int
    warnings: tuple[str, ...] = ()
    why_not: str = ""
    way_out: str = ""


def corrected_rates(
    population: Sequence[PopulationTrial], labels: Iterable[Label], draws: Sequence[Draw] = (), run: str = "RUN"
) -> CorrectedRates:
    """The three rates of these trials of ``run``; labels of other texts are left out, and so are errors.

    ``draws`` are the queues that labels may come from, the newest first. Where there are none, each label says by
    which stratum it came.

    The interval of ``corrected`` is about trials of this kind, as that of ``automated`` is. It adds, as independent
    deviations (Zou and Donner 2008), for every stratum what is left unread (exact hypergeometric limits) and what
    the draw of the probes leaves open (Wilson's interval at the number of independent trials that these are worth).
    Strata of which nobody read any may hold anything, and widen it by that in full.
    """
    answered = [trial for trial in population if trial.outcome != "error"]
    texts = {trial.text_hash for trial in answered}
    known = {text: said for text, said in settled(labels).items() if text in texts}
    truths = {text: said.truth for text, said in known.items() if said.truth is not None}
    scored = [trial for trial in answered if trial.outcome != "unscored"]
    decided = [trial for trial in answered if trial.outcome != "unscored" or trial.text_hash in truths]
    design = design_of(answered, draws, known)
    why_not = why_no_rate(design.trials, design.cells)
    return CorrectedRates(
        _counted(scored, {}), _counted(decided, truths), _corrected(design.cells, truths, bool(why_not)),
        len(answered), sum(trial.text_hash in truths for trial in answered),
        words_of_caution(design, tuple(known.values()), run), why_not,
        way_out(design.trials, design.cells, run) if why_not else "",
    )  # fmt: skip


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
