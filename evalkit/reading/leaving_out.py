"""Suites without the probes that lists of exclusions name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from evalkit.authoring.exclusion import ExclusionList, LeftOut, left_out
from evalkit.reading.readings import SuiteReading
from evalkit.workspace import Workspace


class LeavingOut:
    """Takes the excluded probes out of suites, and remembers what it took."""

    def __init__(self, files: Sequence[Path], workspace: Workspace) -> None:
        self._files = files
        self._workspace = workspace
        self._done: dict[str, tuple[LeftOut, ...]] = {}

    @cached_property
    def lists(self) -> tuple[ExclusionList, ...]:
        """The lists that the command line names.

        Raises:
            UnreadableFile: one cannot be read.
        """
        from evalkit.reading.exclusions import read_exclusions  # imported here: it brings pydantic

        return tuple(read_exclusions(file, self._workspace) for file in self._files)

    def of(self, suite: SuiteReading) -> SuiteReading:
        """The suite as it runs.

        Raises:
            UnreadableFile: a list that the command line names cannot be read.
        """
        reduced, self._done[suite.name] = without_excluded(suite, self.lists)
        return reduced

    def sentences(self, suites: Iterable[SuiteReading]) -> tuple[str, ...]:
        """What reports say of the probes of these suites that were not run."""
        done = (item for suite in suites for item in self._done.get(suite.name, ()))
        return tuple(sentence for item in done for sentence in item.sentences)


def without_excluded(
    suite: SuiteReading, lists: Sequence[ExclusionList] = ()
) -> tuple[SuiteReading, tuple[LeftOut, ...]]:
    """The suite as it runs, and what each list did to it: the one that suite.yaml names, then ``lists``."""
    own, every = suite.settings.exclusions, suite.probes
    found: list[LeftOut] = []
    for source in (*([own] if own is not None else []), *lists):
        done = left_out(source, suite.name, every)
        gone = {probe.id for probe in done.probes}
        if gone:
            kept = ((file, (probe for probe in file.probes if probe.id not in gone)) for file in suite.files)
            suite = replace(suite, files=tuple(replace(file, probes=tuple(probes)) for file, probes in kept))
        found.append(done)
    return suite, tuple(found)
