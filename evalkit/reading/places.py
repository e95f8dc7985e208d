"""Where a name was written: an option of the command line or a field of a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evalkit.errors import EvalkitError, Problem, UnreadableFile, UsageError
from evalkit.reading.suggestions import nearest


@dataclass(frozen=True, slots=True)
class Place:
    """``source`` is the option with its value (``--eval-adapter ./out``) or, with ``line`` and ``path``, the file."""

    source: str
    line: int | None = None
    path: str | None = None

    @property
    def is_option(self) -> bool:
        return self.line is None

    def problem(self, message: str) -> Problem:
        return Problem(self.source, message, self.line, self.path)

    def error(self, message: str) -> EvalkitError:
        """The error to raise for a mistake made here."""
        problem = self.problem(message)
        return UsageError(str(problem)) if self.is_option else UnreadableFile([problem])


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """The start of a message about a name that nothing has: the nearest name, then all of them."""
    names = sorted(set(known))
    near = nearest(name, names)
    hint = f" Did you mean {near!r}?" if near else ""
    return f"no {kind} is named {name!r}.{hint} Known: {', '.join(names) if names else 'none yet'}."


class Unusable(Exception):
    """Weights cannot be used; the text says why and what to do, and the caller says where they were named."""
