"""Every error evalkit raises on purpose.

EvalkitError
├── UsageError            the command line or the workspace cannot be acted on
├── UnreadableFile        a file the user wrote is wrong; carries every Problem found in it
├── MissingPackage        an optional package is needed and not installed
├── EngineError           weights, adapter or quantisation cannot be used
├── HostLost              the model host went away and will not come back
├── GenerationFailed      a request ended in a Failure
├── JudgeError            a judge broke or broke its contract
└── StoreError            the store of generations cannot be read or written
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

DISTRIBUTION = "pytest-evalkit"


class EvalkitError(Exception):
    """Root of all errors with a sentence meant for the user."""


class UsageError(EvalkitError):
    """The command line or the workspace cannot be acted on."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one file: where, what was found, what to do.

    ``line`` is 1-based; ``path`` is the field's path such as ``$.probes[0].expect``.
    """

    file: str
    message: str
    line: int | None = None
    path: str | None = None

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.message}" if self.path is None else f"{where}: {self.path}: {self.message}"


class UnreadableFile(EvalkitError):
    """A file the user wrote is wrong; ``problems`` lists every mistake found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[UnreadableFile], tuple[tuple[Problem, ...]]]:
        return (UnreadableFile, (self.problems,))


class MissingPackage(EvalkitError):
    """An optional package is needed and not installed."""

    def __init__(self, needed_by: str, package: str, extra: str) -> None:
        self._arguments = (needed_by, package, extra)
        super().__init__(
            f"{needed_by} needs the package {package!r}. Install it with: pip install '{DISTRIBUTION}[{extra}]'"
        )

    def __reduce__(self) -> tuple[type[MissingPackage], tuple[str, str, str]]:
        return (MissingPackage, self._arguments)


class EngineError(EvalkitError):
    """Weights, an adapter or a quantisation cannot be used."""


class HostLost(EvalkitError):
    """The model host went away and will not come back."""


class GenerationFailed(EvalkitError):
    """A request ended in a Failure."""


class JudgeError(EvalkitError):
    """A judge broke or broke its contract."""


class StoreError(EvalkitError):
    """The store of generations cannot be read or written."""
