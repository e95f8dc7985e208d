"""One entry of a probe file as a probe, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evalkit.errors import Problem
from evalkit.perturbing.deriving import NoisePlan
from evalkit.probe import Generate, Message, Probe, Turn
from evalkit.reading.conversation import conversation_mistakes
from evalkit.reading.judge_rules import deciding_mistake, listing_mistakes
from evalkit.reading.named_files import UnusableFile
from evalkit.reading.naming import default_id
from evalkit.reading.nouns import expectation_of, judges_of, kind_of, settings_of, turns_of, written
from evalkit.reading.part_schema import parts_of
from evalkit.reading.perturb_schema import noise_plans
from evalkit.reading.prompt_files import read_prompt
from evalkit.reading.schema import PROMPT_KEYS, DefaultsEntry, ProbeEntry, SharedKeys
from evalkit.reading.schema_fields import RESERVED_TAGS
from evalkit.reading.validate import problems_of
from evalkit.reading.yaml_nodes import Document
from evalkit.reading.yaml_parts import FieldPath
from evalkit.workspace import Workspace

_PLAIN_KEYS = frozenset(
    {
        "category", "subcategory", "language", "cluster", "why", "license", "author", "judge_turns", "samples",
        "expect_repetition",
    }
)  # fmt: skip
_THE_ANSWER = Generate()
"""Where the target answers a prompt: thousands of probes share it."""

MAX_PROBES = 100_000
"""The most probes that the entries of one file make together."""


@dataclass(frozen=True, slots=True)
class FileContext:
    """What every probe of one file shares; ``layers`` are the defaults, the winning ones last.

    ``named_files`` are the digests of the files that its probes name, filled as they are read. ``common`` is what its
    layers come to, and the category that its name gives.
    """

    document: Document
    path: Path
    suite: str
    workspace: Workspace
    judge_names: frozenset[str] | None
    layers: tuple[DefaultsEntry, ...]
    taken_ids: set[str] = field(default_factory=set)
    named_files: dict[str, str] = field(default_factory=dict)
    common: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.common["category"] = self.path.stem
        for layer in self.layers:
            self.common.update(written(layer))


@dataclass(frozen=True, slots=True)
class BuiltProbe:
    """A probe, and the noise that is asked for on it."""

    probe: Probe
    noises: tuple[NoisePlan, ...]


def build_probe(file: FileContext, index: int, raw: Any) -> BuiltProbe | list[Problem]:
    """The probe that ``raw``, the entry at ``index`` with its placeholders filled in, describes."""
    at: FieldPath = ("probes", index)
    try:
        entry = ProbeEntry.model_validate(raw)
    except ValidationError as error:
        return problems_of(error, ProbeEntry, file.document, at)
    try:
        turns = _turns(entry, file)
    except UnusableFile as error:
        return [file.document.problem((*at, "prompt_file"), str(error))]
    merged = {**file.common, **written(entry)}
    probe = _probe(entry, merged, turns, file, index)
    mistakes = [file.document.problem((*at, *path), message) for path, message in _mistakes(entry, probe, file)]
    return mistakes or BuiltProbe(probe, noise_plans(merged.get("perturb")))


def _turns(entry: ProbeEntry, file: FileContext) -> tuple[Turn, ...]:
    """The conversation, whichever way it is written; the first way found where there are several."""
    if entry.turns is not None:
        return turns_of(entry.turns)
    if entry.prompt_file is not None:
        text, content = read_prompt(entry.prompt_file, file.path.parent, file.workspace)
        file.named_files[str(file.path.parent / entry.prompt_file)] = sha256(content).hexdigest()
        return (Message("user", text), _THE_ANSWER)
    return (Message("user", entry.prompt or ""), _THE_ANSWER)


def _probe(entry: ProbeEntry, merged: dict[str, Any], turns: tuple[Turn, ...], file: FileContext, index: int) -> Probe:
    """The probe that these entries make, whether it can be decided or not."""
    layers: tuple[SharedKeys, ...] = (*file.layers, entry)
    expect = expectation_of([layer.expect for layer in layers if layer.expect is not None])
    return Probe(
        id=default_id(_first_words(turns), file.taken_ids) if entry.id is None else entry.id,
        suite=file.suite,
        file=file.document.file,
        line=file.document.line(("probes", index)),
        turns=turns,
        expect=expect,
        judges=judges_of(merged.get("judges", ()), expect.has_text_assertion),
        decoding=settings_of([layer.decoding for layer in layers if layer.decoding is not None]),
        tags=tuple(dict.fromkeys(merged.get("tags", ()))),
        formerly=tuple(dict.fromkeys(entry.formerly or ())),
        parts=parts_of(entry.parts),
        **{name: value for name, value in merged.items() if name in _PLAIN_KEYS},
    )


def _first_words(turns: tuple[Turn, ...]) -> str:
    """What the user says first."""
    return next((turn.content for turn in turns if isinstance(turn, Message) and turn.role == "user"), "")


def _mistakes(entry: ProbeEntry, probe: Probe, file: FileContext) -> Iterator[tuple[FieldPath, str]]:
    """What is wrong between the keys of a probe, each at its place."""
    sources = [key for key in PROMPT_KEYS if key in entry.model_fields_set]
    if len(sources) != 1:
        found = " and ".join(sources) or "none"
        remedy = "Keep one." if sources else "Add prompt."
        yield (), f"expected one of {', '.join(PROMPT_KEYS)}; found {found}. {remedy}"
    if entry.turns is not None:
        for place, message in conversation_mistakes([kind_of(turn) for turn in entry.turns]):
            yield ("turns", place), message
    if "category" not in entry.model_fields_set and probe.category in RESERVED_TAGS:
        yield (), f"the file's name gives the category {probe.category!r}, which pytest reserves. Set category."
    expect = probe.expect
    for unit, least, most in (
        ("words", expect.min_words, expect.max_words),
        ("chars", expect.min_chars, expect.max_chars),
    ):
        if least is not None and most is not None and least > most:
            yield ("expect", f"min_{unit}"), f"expected at most max_{unit} ({most}), found {least}."
    unusable = list(listing_mistakes(entry.judges or (), file.judge_names))
    yield from unusable
    undecided = deciding_mistake(probe.expect, probe.judges)
    if undecided is not None and not unusable:
        yield undecided
