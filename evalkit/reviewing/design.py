"""Which queues the corrected rate of some trials is reckoned from, and how they divide these."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from evalkit.reviewing.cells import Cell, cells_of
from evalkit.reviewing.combining import Counts, stratified_rate
from evalkit.reviewing.draws import UNQUEUED, Draw, placed, placed_alone, stratum_of, unchanged
from evalkit.reviewing.population import PopulationTrial, Settled
from evalkit.reviewing.refusals import why_no_rate

EXPECTED = {"pass": 0.95, "fail": 0.4, "unscored": 0.5}
"""The shares of right answers by which designs are compared. Looking at the labels would favour what they say."""


@dataclass(frozen=True, slots=True)
class Design:
    """``cells`` of the answered ``trials``, from ``queues`` queues; ``is_split`` where those divide them otherwise.

    The trials are in the strata and have the outcomes by which they were drawn. ``left_out`` are labelled texts of
    other queues, which say nothing here. ``earlier`` are those from before the judges were changed, which
    speak for themselves alone; ``later`` are those from after that, where it is they that say nothing.
    """

    trials: tuple[PopulationTrial, ...]
    cells: tuple[Cell, ...]
    queues: int = 0
    is_split: bool = False
    left_out: int = 0
    earlier: int = 0
    later: int = 0


def design_of(trials: Sequence[PopulationTrial], draws: Sequence[Draw], known: Mapping[str, Settled]) -> Design:
    """The design that leaves least open, whatever the labels say.

    One is all the draws (newest first) that labels come from, together: within a stratum that all of them treated
    alike, every text was as likely to be read as any other, however many queues, seeds and fractions there were; what
    had a label before a draw chose it speaks for itself alone. The others are each draw alone of which all that it
    chose was read: then it does not matter how others chose.
    """
    labelled = {trial.text_hash for trial in trials} & known.keys()
    read = [trial for trial in trials if trial.text_hash in labelled]
    met = [draw for draw in draws if any(map(draw.brought, read))]
    found = _since_each_change(trials, met, known) if met else [_picked(trials, draws, known)]
    if len(draws) > 1 or not met:
        steady = [draw for place, draw in enumerate(draws) if unchanged(trials, draws[place:]) == len(draws) - place]
        found += [one for one in (_alone(trials, draw, known, labelled) for draw in steady) if one is not None]
    return min(found, key=_openness)


def _picked(trials: Sequence[PopulationTrial], draws: Sequence[Draw], known: Mapping[str, Settled]) -> Design:
    """Where no label comes from a draw: each speaks for its own text, unless there is no draw and it says otherwise."""
    bare = [replace(trial, inclusion=None) for trial in trials] if draws else trials
    return Design(tuple(bare), tuple(cells_of(bare, known)))


def _since_each_change(
    trials: Sequence[PopulationTrial], met: Sequence[Draw], known: Mapping[str, Settled]
) -> list[Design]:
    """What the draws say together between one change of the judges and the next, the newest first.

    Judges that were mended by labels agree with these better than with what nobody read. So beside later draws the
    labels from before a change speak for themselves alone, and for others of their kind only without later labels.
    """
    count = unchanged(trials, met)
    newest = _together(trials, met[:count], known)
    if count == len(met):
        return [newest]
    first, older = met[count - 1], met[count:]
    places = {trial.text_hash: first.place(trial) for trial in trials if any(draw.brought(trial) for draw in older)}
    texts = {text for text, place in places.items() if place is not None and place.was_known} & known.keys()
    left_out = len(({trial.text_hash for trial in trials} & known.keys()) - texts)
    earlier = _since_each_change(trials, older, {text: known[text] for text in texts})
    return [replace(newest, earlier=len(texts)), *(replace(one, later=one.later + left_out) for one in earlier)]


def _together(trials: Sequence[PopulationTrial], met: Sequence[Draw], known: Mapping[str, Settled]) -> Design:
    found = placed(trials, met)
    return Design(found, tuple(cells_of(found, known)), len(met), _is_split(found, met))


def _is_split(found: Sequence[PopulationTrial], met: Sequence[Draw]) -> bool:
    """Whether no queue by itself looked at all these trials and divided them as all of them together do."""
    queued = [trial for trial in found if trial.stratum != UNQUEUED]
    strata = len({trial.stratum for trial in queued})
    own = ({stratum_of(trial, [draw]) for trial in queued} for draw in met)
    return all(UNQUEUED in names or len(names) < strata for names in own)


def _alone(
    trials: Sequence[PopulationTrial], draw: Draw, known: Mapping[str, Settled], labelled: Collection[str]
) -> Design | None:
    """The draw by itself, if all that it chose has labels; others count where all of a stratum was read."""
    chosen = {trial.text_hash for trial in trials if draw.chose(trial)}
    if not chosen or not chosen <= set(labelled):
        return None
    found = placed_alone(trials, draw)
    speaking = chosen | _whole(found, labelled)
    own = {text: said for text, said in known.items() if text in speaking}
    return Design(found, tuple(cells_of(found, own)), 1, left_out=len(set(labelled) - speaking))


def _whole(trials: Sequence[PopulationTrial], labelled: Collection[str]) -> set[str]:
    """The texts of each stratum and outcome of which every one was read."""
    groups: dict[tuple[str | None, str], set[str]] = {}
    for trial in trials:
        groups.setdefault((trial.stratum, trial.outcome), set()).add(trial.text_hash)
    return {text for texts in groups.values() if texts <= set(labelled) for text in texts}


def _openness(design: Design) -> tuple[bool, float]:
    """Whether it gives no rate, and how wide the interval would be if labels said what is expected."""
    if not design.cells:
        return True, 1.0
    shares = [(cell.counts, EXPECTED[cell.outcome]) for cell in design.cells]
    counts = [Counts(one.trials, one.texts, one.read, share * one.read, share) for one, share in shares]
    _, low, high = stratified_rate(counts, sum(one.trials for one in counts))
    return bool(why_no_rate(design.trials, design.cells)), high - low
