"""One probe file: its good probes, and the Problems of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evalkit.errors import Problem, UnreadableFile
from evalkit.probe import Generate, Message, Probe, Turn
from evalkit.reading.conversation import conversation_mistakes
from evalkit.reading.judge_rules import deciding_mistake, listing_mistakes
from evalkit.reading.naming import default_id
from evalkit.reading.nouns import expectation_of, judges_of, kind_of, settings_of, turns_of, written
from evalkit.reading.prompt_files import UnusablePrompt, read_prompt
from evalkit.reading.schema import PROMPT_KEYS, DefaultsEntry, ProbeEntry, ProbeFileShape, SharedKeys
from evalkit.reading.schema_fields import RESERVED_TAGS
from evalkit.reading.suite_file import read_defaults
from evalkit.reading.validate import problems_of
from evalkit.reading.yaml_nodes import Document, read_flawed_yaml, shown_path
from evalkit.reading.yaml_parts import FieldPath
from evalkit.workspace import Workspace

_PLAIN_KEYS = (
    "category", "subcategory", "language", "cluster", "why", "license", "author", "judge_turns", "samples",
    "expect_repetition",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadProbe:
    """A probe, and the line and path of its id where it was written and not made up."""

    probe: Probe
    id_at: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class ProbeFileReading:
    """The good probes of one file and what is wrong with the rest."""

    file: str
    probes: tuple[ReadProbe, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _File:
    """What every probe of one file shares; ``layers`` are the defaults, the winning ones last."""

    document: Document
    path: Path
    suite: str
    workspace: Workspace
    judge_names: frozenset[str] | None
    layers: tuple[DefaultsEntry, ...]
    taken_ids: set[str] = field(default_factory=set)


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
    return _read_probes(_File(document, path, suite, workspace, judge_names, layers))


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


def _read_probes(file: _File) -> ProbeFileReading:
    document = file.document
    raw_probes: list[Any] = document.data["probes"]
    file.taken_ids.update(raw["id"] for raw in raw_probes if isinstance(raw, dict) and isinstance(raw.get("id"), str))
    flaws: dict[str | int, list[Problem]] = {}
    for flaw in document.flaws:
        if flaw.path[0] == "probes":
            flaws.setdefault(flaw.path[1], []).append(document.flaw_problem(flaw))
    probes: list[ReadProbe] = []
    problems: list[Problem] = []
    for index, raw in enumerate(raw_probes):
        found = flaws.get(index) or _read_probe(file, index, raw)
        if isinstance(found, ReadProbe):
            probes.append(found)
        else:
            problems += found
    return ProbeFileReading(document.file, tuple(probes), _in_order(problems))


def _read_probe(file: _File, index: int, raw: Any) -> ReadProbe | list[Problem]:
    at: FieldPath = ("probes", index)
    try:
        entry = ProbeEntry.model_validate(raw)
    except ValidationError as error:
        return problems_of(error, ProbeEntry, file.document, at)
    try:
        turns = _turns(entry, file)
    except UnusablePrompt as error:
        return [file.document.problem((*at, "prompt_file"), str(error))]
    probe = _probe(entry, turns, file, index)
    mistakes = [file.document.problem((*at, *path), message) for path, message in _mistakes(entry, probe, file)]
    if mistakes:
        return mistakes
    if entry.id is None:
        return ReadProbe(probe, None)
    where = (*at, "id")
    return ReadProbe(probe, (file.document.line(where), shown_path(where)))


def _turns(entry: ProbeEntry, file: _File) -> tuple[Turn, ...]:
    """The conversation, whichever way it is written; the first way found where there are several."""
    if entry.turns is not None:
        return turns_of(entry.turns)
    if entry.prompt_file is not None:
        return (Message("user", read_prompt(entry.prompt_file, file.path.parent, file.workspace)), Generate())
    return (Message("user", entry.prompt or ""), Generate())


def _probe(entry: ProbeEntry, turns: tuple[Turn, ...], file: _File, index: int) -> Probe:
    """The probe that these entries make, whether it can be decided or not."""
    layers: tuple[SharedKeys, ...] = (*file.layers, entry)
    merged = {name: value for layer in layers for name, value in written(layer).items()}
    expect = expectation_of(layer.expect for layer in layers if layer.expect is not None)
    said = next((turn.content for turn in turns if isinstance(turn, Message) and turn.role == "user"), "")
    return Probe(
        id=default_id(said, file.taken_ids) if entry.id is None else entry.id,
        suite=file.suite,
        file=file.document.file,
        line=file.document.line(("probes", index)),
        turns=turns,
        expect=expect,
        judges=judges_of(merged.get("judges", ()), expect.has_text_assertion),
        decoding=settings_of(layer.decoding for layer in layers if layer.decoding is not None),
        tags=tuple(dict.fromkeys(merged.get("tags", ()))),
        formerly=tuple(dict.fromkeys(entry.formerly or ())),
        **{"category": file.path.stem, **{name: merged[name] for name in _PLAIN_KEYS if name in merged}},
    )


def _mistakes(entry: ProbeEntry, probe: Probe, file: _File) -> Iterator[tuple[FieldPath, str]]:
    """What is wrong between the keys of a probe, each at its place."""
    sources = [key for key in PROMPT_KEYS if key in entry.model_fields_set]
    if len(sources) != 1:
        found = " and ".join(sources) or "none"
        remedy = "Keep one." if sources else "Add prompt."
        yield (), f"expected one of {', '.join(PROMPT_KEYS)}; found {found}. {remedy}"
    for place, message in conversation_mistakes([kind_of(turn) for turn in entry.turns or ()]):
        yield ("turns", place), message
    if "category" not in entry.model_fields_set and probe.category in RESERVED_TAGS:
        yield (), f"the file's name gives the category {probe.category!r}, which pytest reserves. Set category."
    for unit in ("words", "chars"):
        least, most = getattr(probe.expect, f"min_{unit}"), getattr(probe.expect, f"max_{unit}")
        if least is not None and most is not None and least > most:
            yield ("expect", f"min_{unit}"), f"expected at most max_{unit} ({most}), found {least}."
    unusable = list(listing_mistakes(entry.judges or (), file.judge_names))
    yield from unusable
    undecided = deciding_mistake(probe.expect, probe.judges)
    if undecided is not None and not unusable:
        yield undecided


def _in_order(problems: Any) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.line or 0))
