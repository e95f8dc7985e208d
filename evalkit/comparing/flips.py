"""What the outcomes of probes turned into: pass to fail, fail to pass, and the ones that lost their score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from evalkit.comparing.pairing import Pair, Unit

State = Literal["pass", "mixed", "fail", "unscored", "error"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True)
class FlipMatrix:
    """How many probes went from one state to another; ``states`` are those that occur, on either side."""

    counts: dict[tuple[State, State], int]

    @property
    def states(self) -> tuple[State, ...]:
        return tuple(state for state in STATES if any(state in pair for pair in self.counts))

    def count(self, before: State, after: State) -> int:
        return self.counts.get((before, after), 0)


def flip_matrix(pairs: Iterable[Pair]) -> FlipMatrix:
    """The matrix of these probes, edited ones left out."""
    kept = (pair for pair in pairs if not pair.is_edited)
    return FlipMatrix(dict(Counter((state_of(pair.before), state_of(pair.after)) for pair in kept)))


def state_of(unit: Unit) -> State:
    """What a probe's samples come to: those that were scored say it, ``mixed`` where they disagree."""
    outcomes: set[State] = {trial.outcome for trial in unit.trials}
    if {"pass", "fail"} <= outcomes:
        return "mixed"
    return next(state for state in STATES if state in outcomes)
