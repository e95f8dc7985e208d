"""What each stored queue could have chosen, and what it chose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from evalkit.record import TrialOutcome
from evalkit.reviewing.population import PopulationTrial

UNQUEUED = "in no queue"
"""The stratum of answers that none of the queues could have chosen."""
NOWHERE = "-"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a queue put a text, and whether it chose it; ``was_known`` if it had a label by then.

    ``outcome`` is what the judges had said then, None if as today.
    """

    stratum: str
    is_chosen: bool
    was_known: bool = False
    outcome: TrialOutcome | None = None


@dataclass(frozen=True, slots=True)
class Draw:
    """One queue, be it of another run: ``texts`` by text hash, ``outcomes`` where a text had several of them."""

    texts: Mapping[str, Place]
    outcomes: Mapping[tuple[str, str], Place]

    @classmethod
    def of(cls, population: Iterable[PopulationTrial], known: Collection[str] = ()) -> Draw:
        """Two outcomes of one text are told apart; where only the other is asked for, it stands for both.

        ``known`` are the texts that had a label before the queue was drawn.
        """
        found: dict[str, dict[str, Place]] = {}
        for trial in population:
            if trial.stratum is not None:
                is_known = trial.text_hash in known
                place = Place(trial.stratum, trial.inclusion is not None, is_known, trial.outcome)
                found.setdefault(trial.text_hash, {})[trial.outcome] = place
        several = {
            (text, outcome): place for text, own in found.items() if len(own) > 1 for outcome, place in own.items()
        }
        return cls({text: list(own.values())[-1] for text, own in found.items()}, several)

    def place(self, trial: PopulationTrial) -> Place | None:
        return self.outcomes.get((trial.text_hash, trial.outcome)) or self.texts.get(trial.text_hash)

    def chose(self, trial: PopulationTrial) -> bool:
        place = self.place(trial)
        return place is not None and place.is_chosen

    def brought(self, trial: PopulationTrial) -> bool:
        """Whether it chose the text before that had a label: then the label may come from its sheet."""
        place = self.place(trial)
        return place is not None and place.is_chosen and not place.was_known


def placed(trials: Sequence[PopulationTrial], draws: Sequence[Draw]) -> tuple[PopulationTrial, ...]:
    """These trials in strata within which each draw treated all alike; chosen is what one of them brought.

    Their outcomes are those of the newest draw that looked at them: judges may have been mended since by what the
    labels said, and then agree with these better than with what nobody read.
    """
    return tuple(_at(trial, draws, is_chosen=any(draw.brought(trial) for draw in draws)) for trial in trials)


def placed_alone(trials: Sequence[PopulationTrial], draw: Draw) -> tuple[PopulationTrial, ...]:
    """These trials as one draw placed them, with all that it chose."""
    return tuple(_at(trial, [draw], is_chosen=draw.chose(trial)) for trial in trials)


def unchanged(trials: Sequence[PopulationTrial], draws: Sequence[Draw]) -> int:
    """How many of the draws, from the newest back, found the same outcomes; texts that have several are left out."""
    if len(draws) < 2:
        return len(draws)
    outcomes: dict[str, set[TrialOutcome]] = {}
    for trial in trials:
        outcomes.setdefault(trial.text_hash, set()).add(trial.outcome)
    plain = [trial for trial in trials if len(outcomes[trial.text_hash]) == 1]
    seen: dict[str, TrialOutcome] = {}
    for number, draw in enumerate(draws):
        places = ((trial.text_hash, draw.place(trial)) for trial in plain)
        found = ((text, place.outcome) for text, place in places if place is not None and place.outcome is not None)
        if any(seen.setdefault(text, outcome) != outcome for text, outcome in found):
            return number
    return len(draws)


def stratum_of(trial: PopulationTrial, draws: Sequence[Draw]) -> str:
    """The strata of these draws, joined; ``UNQUEUED`` where none of them looked at the text."""
    places = [draw.place(trial) for draw in draws]
    if not any(places):
        return UNQUEUED
    outcome = _outcome_of(trial, draws)
    return "+".join([NOWHERE if place is None else _name_of(place, outcome) for place in places])


def _name_of(place: Place, outcome: TrialOutcome) -> str:
    """The stratum, with the outcome it was drawn by where that is another one."""
    return place.stratum if place.outcome in (None, outcome) else f"{place.stratum} ({place.outcome})"


def _outcome_of(trial: PopulationTrial, draws: Sequence[Draw]) -> TrialOutcome:
    """By which the newest draw chose; what it found unscored is as today, so that it is in the rate."""
    place = next((place for draw in draws if (place := draw.place(trial)) is not None), None)
    return trial.outcome if place is None or place.outcome in (None, "unscored") else place.outcome


def _at(trial: PopulationTrial, draws: Sequence[Draw], *, is_chosen: bool) -> PopulationTrial:
    # Not by dataclasses.replace, which takes five times as long: a report places every trial some hundred times.
    return PopulationTrial(
        trial.trial, trial.text_hash, _outcome_of(trial, draws), trial.category, trial.family, trial.suite,
        trial.target, stratum_of(trial, draws), (trial.inclusion or 1.0) if is_chosen else None,
    )  # fmt: skip
