"""What every importer makes: drafts of probes, and what it could not make one of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from evalkit.errors import Problem


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stood: a file, and the line or the path in it."""

    file: str
    line: int | None = None
    path: str | None = None

    def problem(self, message: str) -> Problem:
        return Problem(self.file, message, self.line, self.path)


@dataclass(frozen=True, slots=True)
class Draft:
    """One probe to write: ``keys`` are those of the probe format, ``id`` is the source's own, as it stood.

    ``notes`` become comments above the probe.
    """

    place: Place
    id: str | None
    category: str | None
    keys: dict[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """The user's words."""
        if "prompt" in self.keys:
            return str(self.keys["prompt"])
        turns = self.keys.get("turns", ())
        return "\n\n".join(turn["user"] for turn in turns if isinstance(turn, dict) and "user" in turn)


@dataclass(slots=True)
class Drafts:
    """All that an importer found; ``unknown`` counts fields it has no place for, ``left_out`` are rows of no use.

    ``remarks`` are sentences for the person who imports, each once.
    """

    probes: list[Draft] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    left_out: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def remark(self, sentence: str) -> None:
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def leave_out(self, place: Place, message: str) -> None:
        problem = place.problem(message)
        if problem not in self.left_out:
            self.left_out.append(problem)
