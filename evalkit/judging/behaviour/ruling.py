"""What a rule says of one answer, and the short reason it gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evalkit.judging.behaviour.view import AnswerView
from evalkit.judging.phrases import Hit
from evalkit.verdict import Outcome

_LINE = 60
_LEAST_SHOWN = 16


@dataclass(frozen=True, slots=True)
class Limits:
    """Fewest own words of an answer that explores, that engages, and that can be off topic."""

    explored_words: int
    engaged_words: int
    off_topic_words: int = 8


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a rule says of one answer, and the places it says it by; ``failure_type`` is one of the eight."""

    outcome: Outcome
    reason: str
    hits: tuple[Hit, ...] = ()
    failure_type: str | None = None
    flags: tuple[str, ...] = ()


Rule = Callable[[AnswerView, Limits], Ruling]


def shown(hit: Hit, room: int = 30) -> str:
    """The words of a hit in quotation marks, on one line and cut to fit."""
    flat = " ".join(hit.words.split())
    return repr(flat if len(flat) <= room else flat[: room - 1] + "…")


def passed(reason: str, hits: Sequence[Hit], failure_type: str = "TRUE_PASS") -> Ruling:
    return Ruling("pass", _named(reason, hits), tuple(hits), failure_type)


def failed(reason: str, hits: Sequence[Hit], failure_type: str, *flags: str) -> Ruling:
    return Ruling("fail", _named(reason, hits), tuple(hits), failure_type, flags)


def abstained(reason: str, hits: Sequence[Hit] = ()) -> Ruling:
    return Ruling("unscored", _named(reason, hits), tuple(hits))


def _named(reason: str, hits: Sequence[Hit]) -> str:
    """The reason with the first words found, in about one line."""
    return f"{reason}: {shown(hits[0], max(_LEAST_SHOWN, _LINE - len(reason) - 4))}" if hits else reason
