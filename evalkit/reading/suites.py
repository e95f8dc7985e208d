"""All files of one suite, read together because defaults and ids are shared."""

from __future__ import annotations

from pathlib import Path

from evalkit.errors import Problem
from evalkit.probe import Probe
from evalkit.reading.probe_files import ProbeFileReading, read_probe_file
from evalkit.reading.readings import FileReading, SuiteReading, SuiteSettings
from evalkit.reading.suite_file import SuiteFileReading, read_suite_file
from evalkit.workspace import PROBE_SUFFIXES, Workspace


def read_all_files(suite: Path, workspace: Workspace, judge_names: frozenset[str] | None) -> SuiteReading:
    """What ``build.read_suite`` promises."""
    name = suite.stem if suite.is_file() else suite.name
    twin = _twin(suite)
    if twin is not None:
        shown = workspace.shown(suite)
        message = f"{workspace.shown(twin)} is a suite named {name!r} too. Rename one of them."
        return SuiteReading(name, SuiteSettings(name, ""), (FileReading(shown, (), (Problem(shown, message),)),))
    common = read_suite_file(suite, workspace, judge_names)
    files = [
        _unread(path, common, workspace)
        if common.has_broken_defaults
        else read_probe_file(path, name, workspace, common.defaults, judge_names)
        for path in workspace.probe_files(suite)
    ]
    readings = _with_unique_ids(files)
    if common.problems:
        readings = _with_suite_problems(readings, common)
    return SuiteReading(name, common.settings, tuple(readings))


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
    return [FileReading(first.file, first.probes, (*common.problems, *first.problems)), *rest]


def _with_unique_ids(files: list[ProbeFileReading]) -> list[FileReading]:
    """Leave out every probe whose written id an earlier one has, and say where that is."""
    places: dict[str, str] = {}
    readings = []
    for file in files:
        kept: list[Probe] = []
        problems = list(file.problems)
        for found in file.probes:
            probe = found.probe
            if found.id_at is not None and probe.id in places:
                message = f"the id {probe.id!r} is already at {places[probe.id]}. Give this probe another."
                problems.append(Problem(file.file, message, *found.id_at))
                continue
            if found.id_at is not None:
                places[probe.id] = f"{probe.file}:{probe.line}"
            kept.append(probe)
        problems.sort(key=lambda problem: problem.line or 0)
        readings.append(FileReading(file.file, tuple(kept), tuple(problems)))
    return readings
