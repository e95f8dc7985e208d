"""The checked entries of a file as the nouns of ``evalkit.probe``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from json import dumps
from typing import Any

from evalkit.probe import Expectation, Generate, JsonExpectation, JudgeUse, Message, NumberExpectation, Turn
from evalkit.reading.frozen_values import frozen
from evalkit.reading.schema import TURN_KINDS, DecodingEntry, ExpectEntry, JudgeEntry, TurnEntry
from evalkit.reading.schema_fields import Entry
from evalkit.target import Settings

ALWAYS_JUDGES = ("degeneration", "text")


def written(entry: Entry) -> dict[str, Any]:
    """The keys that the file holds for this entry, with their values."""
    return {name: getattr(entry, name) for name in entry.model_fields_set}


def settings_of(decodings: Sequence[DecodingEntry]) -> Settings:
    """Decoding settings sorted by name; later entries win key by key."""
    if not decodings:
        return ()
    merged = {name: value for entry in decodings for name, value in written(entry).items()}
    return tuple((name, frozen(merged[name])) for name in sorted(merged))


def expectation_of(entries: Iterable[ExpectEntry]) -> Expectation:
    """What is expected; later entries win key by key."""
    merged = {name: value for entry in entries for name, value in written(entry).items()}
    number, document = merged.pop("number", None), merged.pop("json_document", None)
    if "thinks" in merged:
        merged["thinks"] = "yes" if merged["thinks"] else "no"
    if number is not None:
        merged["number"] = NumberExpectation(number.value, number.tolerance)
    if document is not None:
        schema = written(document).get("json_schema")
        merged["json"] = JsonExpectation(None if schema is None else dumps(schema, sort_keys=True, ensure_ascii=False))
    return Expectation(**{name: frozen(value) for name, value in merged.items()})


def turns_of(entries: Sequence[TurnEntry]) -> tuple[Turn, ...]:
    """The conversation, in order."""
    return tuple(_turn(entry) for entry in entries)


def kind_of(entry: TurnEntry) -> str:
    """Which of the four kinds of turn this is."""
    return next(kind for kind in TURN_KINDS if kind in entry.model_fields_set)


def _turn(entry: TurnEntry) -> Turn:
    kind = kind_of(entry)
    if kind == "generate":
        return Generate(settings_of([entry.generate]))
    return Message(kind, getattr(entry, kind))  # type: ignore[arg-type]  # one of the three roles


def judges_of(entries: Iterable[JudgeEntry], has_text_assertion: bool) -> tuple[JudgeUse, ...]:
    """Everyone who judges: degeneration first, text where it has something to assert, then the listed ones."""
    listed = [_judge(entry) for entry in entries]
    if not listed:
        return _UNLISTED[has_text_assertion]
    uses = [next((use for use in listed if use.use == "degeneration"), JudgeUse("degeneration"))]
    if has_text_assertion:
        uses.append(next((use for use in listed if use.use == "text"), JudgeUse("text")))
    uses += (use for use in listed if use.use not in ALWAYS_JUDGES)
    return tuple(dict.fromkeys(uses))


_UNLISTED = {True: (JudgeUse("degeneration"), JudgeUse("text")), False: (JudgeUse("degeneration"),)}
"""Who judges where nobody is listed, with and without an assertion about the text: most probes share these."""


def _judge(entry: JudgeEntry) -> JudgeUse:
    settings = written(entry)
    return JudgeUse(settings.pop("use"), settings.pop("required", True), frozen(settings))
