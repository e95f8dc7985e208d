"""Which of the stored draws the labels of some trials come from, and whether a rate can be reckoned over them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from evalkit.reviewing.population import PopulationTrial
from evalkit.reviewing.queue import LOST


@dataclass(frozen=True, slots=True)
class Draw:
    """What one queue could have chosen, and with which ``seed``; the trials may be of another run."""

    seed: int | None
    places: Mapping[str, PopulationTrial]

    @classmethod
    def of(cls, seed: int | None, population: Sequence[PopulationTrial]) -> Draw:
        """Two outcomes of one text are told apart; where only the other is asked for, it stands for both."""
        placed = [trial for trial in population if trial.stratum is not None]
        either = {trial.text_hash: trial for trial in placed}
        return cls(seed, either | {f"{trial.text_hash}|{trial.outcome}": trial for trial in placed})

    def place(self, trial: PopulationTrial) -> PopulationTrial | None:
        return self.places.get(f"{trial.text_hash}|{trial.outcome}") or self.places.get(trial.text_hash)

    def over(self, trials: Sequence[PopulationTrial]) -> tuple[PopulationTrial, ...]:
        """These trials as this draw placed them."""
        return tuple(_placed(trial, self.place(trial)) for trial in trials)


@dataclass(frozen=True, slots=True)
class Design:
    """``population`` as one draw placed it; only labels of ``speaking`` texts speak for others, all where it is None.

    ``apart`` says why no rate can be reckoned; empty where one can.
    """

    population: tuple[PopulationTrial, ...]
    speaking: frozenset[str] | None = None
    apart: str = ""


def design_of(
    trials: Sequence[PopulationTrial], draws: Sequence[Draw], labelled: Collection[str], command: str
) -> Design:
    """The newest draw (they come newest first) over all of these trials that the labels are a fair sample of.

    They are where all that it chose has labels: others then count only where all of a stratum was read. They also are
    where no draw of other strata or seed chose any of them. ``command`` is what draws a queue over all.
    """
    answered = [trial for trial in trials if trial.outcome != "error"]
    read = {trial.text_hash for trial in answered if trial.text_hash in labelled}
    met = [draw for draw in draws if any(_is_chosen(draw, trial) for trial in answered if trial.text_hash in read)]
    if not met:
        return Design(tuple(trials))
    covering = [draw for draw in met if not _uncovered(draw, answered)]
    for draw in covering:
        chosen = frozenset(trial.text_hash for trial in answered if _is_chosen(draw, trial))
        rivals = [other for other in met if other is not draw and not _is_same(draw, other, answered)]
        if chosen <= read:
            return Design(draw.over(trials), chosen | _whole(draw.over(answered), read) if rivals else None)
        if not rivals:
            return Design(draw.over(trials))
    return Design(tuple(trials), None, f"{_why(met, covering, answered)}; draw one queue over the whole run: {command}")


def _placed(trial: PopulationTrial, place: PopulationTrial | None) -> PopulationTrial:
    stratum, inclusion = (None, None) if place is None else (place.stratum, place.inclusion)
    return replace(trial, stratum=stratum, inclusion=inclusion)


def _is_chosen(draw: Draw, trial: PopulationTrial) -> bool:
    place = draw.place(trial)
    return place is not None and place.inclusion is not None


def _whole(trials: Sequence[PopulationTrial], read: Collection[str]) -> frozenset[str]:
    """The texts of each stratum and outcome of which every one was read."""
    groups: dict[tuple[str | None, str], set[str]] = {}
    for trial in trials:
        groups.setdefault((trial.stratum, trial.outcome), set()).add(trial.text_hash)
    return frozenset(text for texts in groups.values() if texts <= set(read) for text in texts)


def _uncovered(draw: Draw, trials: Sequence[PopulationTrial]) -> int:
    """How many texts it could not have chosen; one that is lost nobody can choose."""
    return sum(draw.place(trial) is None and not trial.text_hash.startswith(LOST) for trial in trials)


def _is_same(one: Draw, other: Draw, trials: Sequence[PopulationTrial]) -> bool:
    """Whether one goes on where the other ended: the same seed, and every trial in the same stratum."""
    return one.seed == other.seed and all(
        before.stratum == after.stratum for before, after in zip(one.over(trials), other.over(trials), strict=True)
    )


def _why(met: Sequence[Draw], covering: Sequence[Draw], trials: Sequence[PopulationTrial]) -> str:
    if len(met) == 1 and not covering:
        missed = _uncovered(met[0], trials)
        were = "answer was" if missed == 1 else "answers were"
        return f"{missed} of {len(trials)} {were} not in the queue that the labels come from"
    both = "both" if len(met) == 2 else "all of them"
    return f"labels come from {len(met)} queues that were drawn apart, and no rate is reckoned over {both}"
