"""Stored answers as lines of JSON, one case each: what ``evalkit judge`` and ``evalkit calibrate`` read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from evalkit.errors import Problem
from evalkit.generation import Finish
from evalkit.probe import Expectation, Generate, Message, Probe, Turn
from evalkit.reading.nouns import expectation_of
from evalkit.reading.schema import ExpectEntry
from evalkit.reading.schema_fields import expected
from evalkit.reading.suggestions import nearest, shortened
from evalkit.reading.validate import problems_of
from evalkit.reading.yaml_nodes import Document
from evalkit.reading.yaml_parts import Node

MAX_LINE_BYTES = 16 << 20


class RowEntry(BaseModel):
    """One line: what is known of one answer. Keys of other tools may stand beside these."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    id: str | int
    prompt: str | None = None
    response: str
    category: str | None = None
    system: str | None = None
    language: str | None = None
    expect: ExpectEntry | None = None
    metadata: dict[str, Any] | None = None

    @field_validator("expect", mode="before")
    @classmethod
    def _a_sentence_is_the_behaviour(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"behaviour": value}
        if value is not None and not isinstance(value, dict):
            expected("a mapping or a sentence")
        return value or None


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One stored answer: its probe, the text as it came, why the text ended, and the whole line it stood in."""

    probe: Probe
    response: str
    finish: Finish
    plain: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.probe.id


def read_rows(
    lines: Iterable[bytes], shown: str, known: Mapping[str, Probe] | None = None
) -> Iterator[AnswerRow | Problem]:
    """Each line's answer, or what is wrong with the line; blank lines are passed over.

    ``shown`` names the file in messages. ``known`` are a suite's probes by id: a row with the id of one is judged
    against that probe's category, language and expectation where the row gives none of its own.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _row(line, shown, number, known or {})


def _row(line: bytes, shown: str, number: int, known: Mapping[str, Probe]) -> AnswerRow | Problem:
    plain = parsed_line(line, shown, number)
    if isinstance(plain, Problem):
        return plain
    plain = _unsheeted(plain)
    try:
        entry = RowEntry.model_validate(plain)
    except ValidationError as error:
        document = Document(shown, plain, root=Node(number))
        return _first(problems_of(error, RowEntry, document), plain)
    finish = (entry.metadata or {}).get("finish", "stop")
    if finish not in get_args(Finish):
        message = f"expected one of {', '.join(get_args(Finish))}; found {shortened(repr(finish))}."
        return Problem(shown, message, number, "$.metadata.finish")
    return AnswerRow(_probe(entry, shown, number, known.get(str(entry.id))), entry.response, finish, plain)


def parsed_line(line: bytes, shown: str, number: int) -> dict[str, Any] | Problem:
    """The object that a line of JSON holds, or what is wrong with the line."""
    if len(line) > MAX_LINE_BYTES:
        return Problem(shown, f"found a line of {len(line):,} bytes; at most {MAX_LINE_BYTES:,} are read.", number)
    try:
        plain = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return Problem(shown, f"expected UTF-8 text, found the byte 0x{line[error.start]:02x}.", number)
    except (json.JSONDecodeError, RecursionError) as error:
        why = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
        return Problem(shown, f"expected a JSON object on one line: {why}.", number)
    if not isinstance(plain, dict):
        return Problem(shown, f"expected a JSON object, found {shortened(repr(plain))}.", number)
    return plain


def _first(problems: list[Problem], plain: Mapping[str, Any]) -> Problem:
    """The line's first mistake; a missing key says which one the row may have meant."""
    first = problems[0]
    for key in ("id", "response"):
        if key not in plain:
            near = nearest(key, [str(name) for name in plain]) or next(
                (name for name in _OFTEN.get(key, ()) if name in plain), None
            )
            hint = f" Rename {near!r}." if near else " Add it."
            return Problem(first.file, f"the key {key!r} is missing.{hint}", first.line, "$")
    return first


def _unsheeted(plain: dict[str, Any]) -> dict[str, Any]:
    """A line of review.jsonl under the names of a stored answer; other lines as they are."""
    answer, messages = plain.get("answer"), plain.get("messages")
    if "response" in plain or "text_hash" not in plain or not isinstance(answer, str):
        return plain
    said = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    first = {one.get("role"): one.get("content") for one in reversed(said)}
    last = {one.get("role"): one.get("content") for one in said}
    thinking = plain.get("thinking")
    found = {
        "id": plain.get("probe"), "prompt": last.get("user"), "system": first.get("system"),
        "response": f"<think>\n{thinking}\n</think>\n{answer}" if thinking else answer,
    }  # fmt: skip
    return {**plain, **found}


_OFTEN = {"response": ("full_response", "answer", "output", "completion", "text"), "id": ("probe_id", "name")}


def _probe(entry: RowEntry, shown: str, number: int, known: Probe | None) -> Probe:
    own = [Message("system", entry.system)] if entry.system else []
    turns: tuple[Turn, ...] = (*own, Message("user", entry.prompt or ""), Generate())
    expect = Expectation() if entry.expect is None else expectation_of([entry.expect])
    if known is None:
        return Probe(
            str(entry.id), "", shown, number, entry.category or "", turns, expect, (),
            language=entry.language, expect_repetition=bool((entry.metadata or {}).get("expect_repetition")),
        )  # fmt: skip
    return replace(
        known, file=shown, line=number, judges=(),
        turns=turns if entry.prompt or entry.system else known.turns,
        category=entry.category or known.category,
        language=entry.language or known.language,
        expect=known.expect if entry.expect is None else expect,
    )  # fmt: skip
