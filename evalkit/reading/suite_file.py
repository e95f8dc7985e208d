"""What suite.yaml says of a whole suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from evalkit.authoring.exclusion import ExclusionList
from evalkit.errors import Problem, UnreadableFile
from evalkit.gates import Gate
from evalkit.reading.exclusions import read_exclusions
from evalkit.reading.gate_schema import GateEntry
from evalkit.reading.gates import gates_of
from evalkit.reading.judge_rules import listing_mistakes
from evalkit.reading.plans import plan_of
from evalkit.reading.readings import MAX_UNSCORED, SuiteSettings
from evalkit.reading.schema import DefaultsEntry, SuiteFileShape
from evalkit.reading.validate import problems_of
from evalkit.reading.yaml_nodes import Document, read_flawed_yaml
from evalkit.workspace import Workspace

SUITE_FILES = ("suite.yaml", "suite.yml")


@dataclass(frozen=True, slots=True)
class SuiteFileReading:
    """What suite.yaml says, and what is wrong with it.

    ``has_broken_defaults``: the suite's probes cannot run, because their defaults are wrong or may be under a key that
    is misspelt.
    """

    settings: SuiteSettings
    defaults: DefaultsEntry | None = None
    problems: tuple[Problem, ...] = ()
    has_broken_defaults: bool = False
    file: str | None = None


def read_suite_file(suite: Path, workspace: Workspace, judge_names: frozenset[str] | None) -> SuiteFileReading:
    """What suite.yaml of the folder ``suite`` says; plain settings where there is none."""
    plain = SuiteSettings(title=suite.stem if suite.is_file() else suite.name, description="")
    if not suite.is_dir():
        return SuiteFileReading(plain)
    found = sorted(path for name in SUITE_FILES for path in suite.rglob(name))
    strays = tuple(_stray_problems([path for path in found if path != suite / SUITE_FILES[0]], suite, workspace))
    path = suite / SUITE_FILES[0]
    if path not in found:
        return SuiteFileReading(plain, problems=strays)
    shown = workspace.shown(path)
    try:
        document = read_flawed_yaml(path, shown)
    except UnreadableFile as error:
        return SuiteFileReading(plain, None, (*error.problems, *strays), has_broken_defaults=True, file=shown)
    return _read(document, suite, plain, strays, judge_names, workspace)


def _read(
    document: Document,
    folder: Path,
    plain: SuiteSettings,
    strays: tuple[Problem, ...],
    judge_names: frozenset[str] | None,
    workspace: Workspace,
) -> SuiteFileReading:
    """The settings and the defaults, each usable where the other is broken."""
    flaws = [flaw for flaw in document.flaws if flaw.path[:1] != ("defaults",)]
    problems = [document.flaw_problem(flaw) for flaw in flaws]
    settings = plain
    if not problems:
        try:
            shape = SuiteFileShape.model_validate(document.data)
            conditions, problems = _conditions(shape.conditions or (), document, folder)
            exclusions, of_exclusions = _exclusions(shape.exclusions, document, folder, workspace)
            problems += of_exclusions
            settings = replace(_settings(shape, plain), conditions=conditions, exclusions=exclusions)
        except ValidationError as error:
            problems = problems_of(error, SuiteFileShape, document)
        gates, found = _gates(document, plain.title)
        settings = replace(settings, gates=gates)
        problems += found
    defaults, wrong = read_defaults(document, judge_names)
    known = SuiteFileShape.model_fields
    is_unsure = not isinstance(document.data, dict) or any(key not in known for key in document.data)
    every = (*sorted((*problems, *wrong), key=lambda problem: problem.line or 0), *strays)
    return SuiteFileReading(settings, defaults, every, has_broken_defaults=bool(wrong) or is_unsure, file=document.file)


def read_defaults(
    document: Document, judge_names: frozenset[str] | None
) -> tuple[DefaultsEntry | None, tuple[Problem, ...]]:
    """The ``defaults`` of a probe file or of suite.yaml (None where there are none), or what is wrong with them."""
    at = ("defaults",)
    if not isinstance(document.data, dict) or "defaults" not in document.data:
        return None, ()
    flaws = tuple(document.flaw_problem(flaw) for flaw in document.flaws if flaw.path[:1] == at)
    if flaws:
        return None, flaws
    try:
        defaults = DefaultsEntry.model_validate(document.data["defaults"])
    except ValidationError as error:
        return None, tuple(problems_of(error, DefaultsEntry, document, at))
    mistakes = listing_mistakes(defaults.judges or (), judge_names)
    problems = tuple(document.problem((*at, *path), message) for path, message in mistakes)
    return (None if problems else defaults), problems


def _settings(shape: SuiteFileShape, plain: SuiteSettings) -> SuiteSettings:
    limit = MAX_UNSCORED if shape.max_unscored is None else shape.max_unscored
    plans = tuple(plan_of(name, entry) for name, entry in (shape.plans or {}).items())
    return SuiteSettings(shape.title or plain.title, shape.description or "", limit, plans=plans)


def _gates(document: Document, suite: str) -> tuple[tuple[Gate, ...], tuple[Problem, ...]]:
    """The gates that are right, and what is wrong with the others, whatever else of the file is wrong."""
    raw = document.data.get("gates") if isinstance(document.data, dict) else None
    return gates_of(raw, GateEntry, document, suite) if isinstance(raw, list) else ((), ())


def _exclusions(
    written: str | None, document: Document, folder: Path, workspace: Workspace
) -> tuple[ExclusionList | None, list[Problem]]:
    """The list that the suite names, or what is wrong with it."""
    if written is None:
        return None, []
    path = (folder / written).resolve()
    if not (path.is_file() and path.is_relative_to(folder.resolve())):
        message = (
            f"there is no file {written!r} in the suite's folder. Write it with: evalkit check --train FILE --exclude"
        )
        return None, [document.problem(("exclusions",), message)]
    try:
        return read_exclusions(folder / written, workspace), []
    except UnreadableFile as error:
        return None, list(error.problems)


def _conditions(written: Sequence[str], document: Document, folder: Path) -> tuple[tuple[str, ...], list[Problem]]:
    """The conditions with the paths of their files, and those whose file is not there or is outside the suite."""
    found: dict[str, str] = {}
    problems = []
    for index, text in enumerate(written):
        name, given, file = text.partition("=")
        path = (folder / file).resolve()
        if name in found:
            problems.append(document.problem(("conditions", index), f"the condition {name!r} is listed twice."))
        elif given and not (path.is_file() and path.is_relative_to(folder.resolve())):
            message = f"there is no file {file!r} in the suite's folder. Write NAME=FILE, relative to suite.yaml."
            problems.append(document.problem(("conditions", index), message))
        else:
            found[name] = f"{name}={path}" if given else name
    return tuple(found.values()), problems


def _stray_problems(strays: list[Path], suite: Path, workspace: Workspace) -> Iterator[Problem]:
    for path in strays:
        message = f"a suite's own file is {workspace.shown(suite / SUITE_FILES[0])}. Move or rename this one."
        yield Problem(workspace.shown(path), message)
