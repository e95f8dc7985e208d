"""All files of one suite, read together because defaults and ids are shared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from evalkit.errors import Problem
from evalkit.probe import Probe
from evalkit.reading.garbage import no_garbage_search
from evalkit.reading.probe_files import ProbeFileReading, ReadEntry, read_probe_file
from evalkit.reading.readings import FileReading, SuiteReading, SuiteSettings
from evalkit.reading.suite_cache import MIN_PROBES, Digests, SuiteCache, digests_of
from evalkit.reading.suite_file import SuiteFileReading, read_suite_file
from evalkit.reading.yaml_nodes import shown_path
from evalkit.workspace import PROBE_SUFFIXES, Workspace


def read_all_files(
    suite: Path, workspace: Workspace, judge_names: frozenset[str] | None, cache: SuiteCache | None
) -> SuiteReading:
    """What ``build.read_suite`` promises."""
    with no_garbage_search():
        return _read_all_files(suite, workspace, judge_names, cache)


def _read_all_files(
    suite: Path, workspace: Workspace, judge_names: frozenset[str] | None, cache: SuiteCache | None
) -> SuiteReading:
    name = suite.stem if suite.is_file() else suite.name
    twin = _twin(suite)
    if twin is not None:
        shown = workspace.shown(suite)
        message = f"{workspace.shown(twin)} is a suite named {name!r} too. Rename one of them."
        return SuiteReading(name, SuiteSettings(name, ""), (FileReading(shown, (), (Problem(shown, message),)),))
    common = read_suite_file(suite, workspace, judge_names)
    paths = workspace.probe_files(suite)
    if common.problems:
        files = [
            _unread(path, common, workspace)
            if common.has_broken_defaults
            else read_probe_file(path, name, workspace, common.defaults, judge_names)
            for path in paths
        ]
        readings = _with_suite_problems(_with_unique_ids(files), common)
        return SuiteReading(name, common.settings, tuple(readings))
    reader = _Files(suite, name, workspace, judge_names, common, paths)
    return SuiteReading(name, common.settings, reader.read() if cache is None else reader.read_through(cache))


@dataclass(frozen=True, slots=True)
class _Files:
    """The probe files of a suite whose suite.yaml is right."""

    suite: Path
    name: str
    workspace: Workspace
    judge_names: frozenset[str] | None
    common: SuiteFileReading
    paths: list[Path]

    def read(self) -> tuple[FileReading, ...]:
        return tuple(_with_unique_ids(self._read_apart()))

    def read_through(self, cache: SuiteCache) -> tuple[FileReading, ...]:
        """What was read before, where nothing has changed; readings with problems are read anew each time."""
        before = self._digests()
        known = cache.get(self.suite, before, self.judge_names)
        if known is not None:
            return known
        files = self._read_apart()
        readings = tuple(_with_unique_ids(files))
        is_right = not any(reading.problems for reading in readings)
        if is_right and sum(len(reading.probes) for reading in readings) >= MIN_PROBES and self._digests() == before:
            named = {path: digest for file in files for path, digest in file.named_files.items()}
            cache.put(self.suite, before, self.judge_names, named, readings)
        return readings

    def _read_apart(self) -> list[ProbeFileReading]:
        defaults = self.common.defaults
        return [read_probe_file(path, self.name, self.workspace, defaults, self.judge_names) for path in self.paths]

    def _digests(self) -> Digests:
        """Of every file under the suite that probes or their defaults are read from."""
        own = () if self.common.file is None else (self.workspace.root / self.common.file,)
        return digests_of((*own, *self.paths))


def _twin(suite: Path) -> Path | None:
    """What bears the same suite name as a file directly in suites/: a folder, or a file with the other suffix."""
    if not suite.is_file():
        return None
    others = (suite.with_suffix(""), *(suite.with_suffix(suffix) for suffix in PROBE_SUFFIXES))
    return next((other for other in others if other != suite and other.exists()), None)


def _unread(path: Path, common: SuiteFileReading, workspace: Workspace) -> ProbeFileReading:
    """A file whose probes would run under the wrong defaults, and so do not run."""
    shown = workspace.shown(path)
    message = f"not read, because {common.file} is broken. Correct that first."
    return ProbeFileReading(shown, (), (Problem(shown, message),))


def _with_suite_problems(readings: list[FileReading], common: SuiteFileReading) -> list[FileReading]:
    if not readings:
        return [FileReading(common.problems[0].file, (), common.problems)]
    first, *rest = readings
    return [replace(first, problems=(*common.problems, *first.problems)), *rest]


def _with_unique_ids(files: list[ProbeFileReading]) -> list[FileReading]:
    """Leave out every entry whose written id an earlier one has, and say where that is."""
    places: dict[str, str] = {}
    readings = []
    for file in files:
        kept: list[Probe] = []
        problems = list(file.problems)
        for entry in file.entries:
            problem = _clash(entry, places, file.file)
            if problem is not None:
                problems.append(problem)
                continue
            if entry.id_line is not None:
                place = f"{file.file}:{entry.probes[0].line}"
                places[entry.id] = place
                places.update((probe.id, place) for probe in entry.probes)
            kept += entry.probes
        problems.sort(key=lambda problem: problem.line or 0)
        readings.append(FileReading(file.file, tuple(kept), tuple(problems), file.notes))
    return readings


def _clash(entry: ReadEntry, places: dict[str, str], file: str) -> Problem | None:
    """The first id of an entry that an earlier one has."""
    if entry.id_line is None:
        return None
    if entry.id in places:
        message = f"the id {entry.id!r} is already at {places[entry.id]}. Give this probe another."
    else:
        taken = next((probe.id for probe in entry.probes if probe.id in places), None)
        if taken is None:
            return None
        message = (
            f"it makes a probe with the id {taken!r}, which is already at {places[taken]}. Give this template another."
        )
    return Problem(file, message, entry.id_line, shown_path(("probes", entry.index, "id")))
