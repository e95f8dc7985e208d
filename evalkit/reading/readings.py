"""What reading a suite comes to."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.authoring.exclusion import ExclusionList
from evalkit.errors import Problem
from evalkit.gates import Gate
from evalkit.probe import Probe
from evalkit.sampling_plan import SamplePlan

MAX_UNSCORED = 0.2


@dataclass(frozen=True, slots=True)
class FileReading:
    """One file: its good probes, and what is wrong with the others. ``file`` is relative to the workspace.

    ``notes`` are no mistakes: what was left out on purpose, and why.
    """

    file: str
    probes: tuple[Probe, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SuiteSettings:
    """Title, description and rules of a suite; ``max_unscored`` is a proportion in [0, 1].

    ``conditions`` are NAME or NAME=PATH with an absolute path, as --eval-condition takes them.
    """

    title: str
    description: str
    max_unscored: float = MAX_UNSCORED
    gates: tuple[Gate, ...] = ()
    conditions: tuple[str, ...] = ()
    plans: tuple[SamplePlan, ...] = ()
    exclusions: ExclusionList | None = None


@dataclass(frozen=True, slots=True)
class SuiteReading:
    """A suite: its settings and what each of its files came to, in sorted order."""

    name: str
    settings: SuiteSettings
    files: tuple[FileReading, ...]

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The good probes of all files."""
        return tuple(probe for reading in self.files for probe in reading.probes)

    def file(self, relative: str) -> FileReading | None:
        """The reading of a file named relative to the workspace, or None where the suite has no such file."""
        return next((reading for reading in self.files if reading.file == relative), None)
