"""One probe file: its good probes, and the Problems of the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evalkit.errors import Problem, UnreadableFile
from evalkit.perturbing.deriving import NoisePlan, derived_probes
from evalkit.probe import Probe
from evalkit.reading.entries import MAX_PROBES, FileContext, build_probe
from evalkit.reading.schema import DefaultsEntry, ProbeFileShape
from evalkit.reading.suite_file import read_defaults
from evalkit.reading.validate import problems_of
from evalkit.reading.yaml_nodes import Document, read_flawed_yaml
from evalkit.reading.yaml_parts import FieldPath
from evalkit.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """The probes that the entry at ``index`` makes; the line of its id where that was written and not made up."""

    id: str
    probes: tuple[Probe, ...]
    index: int
    id_line: int | None


@dataclass(frozen=True, slots=True)
class ProbeFileReading:
    """The good entries of one file and what is wrong with the rest.

    ``notes`` say what was left out on purpose. ``named_files`` are the digests of the files that its probes name.
    """

    file: str
    entries: tuple[ReadEntry, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()
    named_files: dict[str, str] = field(default_factory=dict)


def read_probe_file(
    path: Path,
    suite: str,
    workspace: Workspace,
    suite_defaults: DefaultsEntry | None,
    judge_names: frozenset[str] | None,
) -> ProbeFileReading:
    """The probes of one file; where its top level or its defaults are broken, none of them."""
    shown = workspace.shown(path)
    try:
        document = read_flawed_yaml(path, shown)
    except UnreadableFile as error:
        return ProbeFileReading(shown, (), error.problems)
    defaults, problems = read_defaults(document, judge_names)
    problems = (*problems, *_top_level_problems(document))
    if problems:
        return ProbeFileReading(shown, (), _in_order(problems))
    layers = tuple(layer for layer in (suite_defaults, defaults) if layer is not None)
    return _Reader(FileContext(document, path, suite, workspace, judge_names, layers)).read()


def _top_level_problems(document: Document) -> list[Problem]:
    """What is wrong outside defaults and single probes."""
    flaws = [flaw for flaw in document.flaws if flaw.path[:1] != ("defaults",) and len(flaw.path) < 2]
    if flaws:
        return [document.flaw_problem(flaw) for flaw in flaws]
    try:
        ProbeFileShape.model_validate(document.data)
    except ValidationError as error:
        return problems_of(error, ProbeFileShape, document)
    return []


class _Reader:
    """Reads the entries of one file."""

    def __init__(self, file: FileContext) -> None:
        self._file = file
        self._lists: Any = None
        self._count = 0
        self._notes: list[Problem] = []

    def read(self) -> ProbeFileReading:
        document = self._file.document
        raw_probes: list[Any] = document.data["probes"]
        written = (raw["id"] for raw in raw_probes if isinstance(raw, dict) and isinstance(raw.get("id"), str))
        self._file.taken_ids.update(written)
        flaws: dict[str | int, list[Problem]] = {}
        for flaw in document.flaws:
            if flaw.path[0] == "probes":
                flaws.setdefault(flaw.path[1], []).append(document.flaw_problem(flaw))
        entries: list[ReadEntry] = []
        problems: list[Problem] = []
        for index, raw in enumerate(raw_probes):
            found = flaws.get(index) or self._entry(index, raw)
            if isinstance(found, ReadEntry):
                entries.append(found)
            else:
                problems += found
        return ProbeFileReading(
            document.file, tuple(entries), _in_order(dict.fromkeys(problems)), tuple(self._notes),
            self._file.named_files,
        )  # fmt: skip

    def _entry(self, index: int, raw: Any) -> ReadEntry | list[Problem]:
        if isinstance(raw, dict) and "expand" in raw:
            made = self._expanded(index, raw)
        else:
            built = build_probe(self._file, index, raw)
            made = built if isinstance(built, list) else (built.probe.id, (built.probe,), built.noises)
        if isinstance(made, list):
            return made
        name, probes, noises = made
        where: FieldPath = ("probes", index)
        size = len(probes) * (1 + sum([plan.size for plan in noises]))
        if self._count + size > MAX_PROBES:
            found = f"{self._count + size:,}"
            message = f"with this entry the file makes {found} probes; at most {MAX_PROBES:,} are read. Split the file."
            return [self._file.document.problem(where, message)]
        self._count += size
        if noises:
            probes = self._perturbed(where, probes, noises)
        has_id = isinstance(raw, dict) and "id" in raw
        return ReadEntry(name, probes, index, self._file.document.line((*where, "id")) if has_id else None)

    def _expanded(
        self, index: int, raw: dict[str, Any]
    ) -> tuple[str, tuple[Probe, ...], tuple[NoisePlan, ...]] | list[Problem]:
        # Imported here: jinja2 loads with the first template.
        from evalkit.reading.expanding.crossing import expanded
        from evalkit.reading.expanding.lists import ListReader

        if self._lists is None:
            self._lists = ListReader(self._file.document, self._file.path.parent, self._file.workspace)
        found = expanded(self._file, self._lists, index, raw)
        return found if isinstance(found, list) else (found.id, found.probes, found.first.noises)

    def _perturbed(self, at: FieldPath, probes: Iterable[Probe], noises: tuple[NoisePlan, ...]) -> tuple[Probe, ...]:
        """Each probe with what noise makes of it behind it."""
        found: list[Probe] = []
        left_out: list[str] = []
        for probe in probes:
            derived = derived_probes(probe, noises)
            found.append(replace(probe, cluster=probe.cluster or probe.id) if derived.probes else probe)
            found += derived.probes
            left_out += (f"{probe.id}{suffix}" for suffix in derived.left_out)
        if left_out:
            more = f" and {len(left_out) - 1:,} more" if len(left_out) > 1 else ""
            message = f"{left_out[0]!r}{more} left out: the noise changes nothing there, the text is too short for it."
            self._notes.append(self._file.document.problem((*at, "perturb"), message))
        return tuple(found)


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.line or 0))
