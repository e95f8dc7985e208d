"""Reads a judge's reply: one JSON object of exactly the asked form, or a sentence that says what is wrong with it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evalkit.generation import Generation
from evalkit.judging.rubric.fence import visible
from evalkit.judging.rubric.form import LABEL, REASON, Rubric, reply_schema
from evalkit.judging.thinking import split_thinking

MAX_REPLY_CHARS = 40_000
MAX_REASON_CHARS = 300


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a judge replied, checked against the rubric."""

    reason: str
    label: str | None = None
    checks: tuple[tuple[str, bool], ...] = ()
    scores: tuple[tuple[str, int], ...] = ()
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a reply is no opinion, in our words alone (it goes back to the judge); ``reply`` is what the judge wrote."""

    problem: str
    reply: str


class _Wrong(Exception):
    """The sentence for ``Unreadable.problem``."""


def read_reply(rubric: Rubric, generation: Generation, texts: Sequence[str]) -> Opinion | Unreadable:
    """The opinion in a reply. Nothing is guessed: no missing key gets a default, no text becomes a number.

    ``texts`` are those of the case: a verdict that only repeats one that stands there is none.
    """
    _, reply, _ = split_thinking(generation.text)
    try:
        if generation.finish == "refusal":
            raise _Wrong("it was a refusal")
        if generation.finish == "length":
            raise _Wrong(f"it was cut after {generation.new_tokens} tokens; be shorter")
        return parse_opinion(rubric, reply, texts)
    except _Wrong as wrong:
        return Unreadable(str(wrong), reply)


def check_example(rubric: Rubric, reply: str) -> str | None:
    """What is wrong with an example's reply; None when a judge could have written it."""
    try:
        parse_opinion(rubric, reply, ())
    except _Wrong as wrong:
        return str(wrong)
    return None


def parse_opinion(rubric: Rubric, reply: str, texts: Sequence[str]) -> Opinion:
    found = _object_in(reply)
    _check(rubric, found)
    if _stands_in(found[REASON], texts):
        raise _Wrong("it repeats a verdict that stands in the case; give your own")
    opinion = Opinion(
        reason=clean_reason(found[REASON]),
        label=found.get(LABEL) if rubric.labels else None,
        checks=tuple((check.name, found[check.name]) for check in rubric.checks),
        scores=tuple((item.name, found[item.name]) for item in rubric.dimensions),
        choices=tuple((choice.name, found[choice.name]) for choice in rubric.choices),
    )
    _check_agreement(rubric, opinion)
    return opinion


def clean_reason(text: str) -> str:
    """A judge's sentence made fit to be shown: one line, nothing invisible, at most 300 characters."""
    seen = "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or unicodedata.category(character)[0] != "C"
    )
    flat = " ".join(seen.split())
    return flat if len(flat) <= MAX_REASON_CHARS else flat[: MAX_REASON_CHARS - 1].rstrip() + "…"


def _object_in(reply: str) -> dict[str, Any]:
    """The reply's only JSON object, alone, in a code fence or among words.

    From the first opening brace to the last brace of any kind everything must be that object, so an object quoted
    inside a broken one, or beside another, is never taken for the verdict.
    """
    if not reply.strip():
        raise _Wrong("it was empty")
    if len(reply) > MAX_REPLY_CHARS:
        raise _Wrong(f"it has more than {MAX_REPLY_CHARS} characters")
    start, end = reply.find("{"), max(reply.rfind("{"), reply.rfind("}"))
    if start < 0:
        raise _Wrong("it holds no JSON object")
    try:
        found = json.loads(reply[start : end + 1], object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _Wrong("from its first brace to its last it is not one JSON object") from None
    return dict(found)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _Wrong("it gives a key twice")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise _Wrong(f"{name} is not JSON")


def _check(rubric: Rubric, found: dict[str, Any]) -> None:
    """The object against the reply's schema."""
    fields: dict[str, dict[str, Any]] = reply_schema(rubric)["properties"]
    missing = [name for name in fields if name not in found]
    if missing:
        raise _Wrong(f"the key {missing[0]!r} is missing")
    if len(found) > len(fields):
        raise _Wrong("it holds a key that was not asked for")
    for name, field in fields.items():
        _check_field(name, field, found[name])


def _check_field(name: str, field: dict[str, Any], value: Any) -> None:
    listed = field.get("enum")
    if field["type"] == "boolean":
        if type(value) is not bool:
            raise _Wrong(f"{name!r} must be true or false")
    elif field["type"] == "integer":
        if type(value) is not int or value not in field["enum"]:
            raise _Wrong(f"{name!r} must be a whole number from {field['enum'][0]} to {field['enum'][-1]}")
    elif listed is not None:
        if value not in listed:
            raise _Wrong(f"{name!r} must be one of {', '.join(listed)}")
    elif not isinstance(value, str) or not clean_reason(value):
        raise _Wrong(f"{name!r} must be a text that is not empty")


def _check_agreement(rubric: Rubric, opinion: Opinion) -> None:
    """A label that decides and the deciding check must say the same."""
    if rubric.deciding_check is None:
        return
    label = next(item for item in rubric.labels if item.name == opinion.label)
    said = dict(opinion.checks)[rubric.deciding_check]
    if (label.outcome == "pass" and not said) or (label.outcome == "fail" and said):
        raise _Wrong(f"{LABEL!r} says {label.name}, but {rubric.deciding_check!r} says {str(said).lower()}")


def _stands_in(reason: str, texts: Sequence[str]) -> bool:
    """Whether a verdict with this very reason is written in one of the texts, as JSON."""
    wanted = _squeezed(f'"{REASON}":{json.dumps(reason, ensure_ascii=False)}')
    return any(wanted in _squeezed(form) for text in texts if REASON in text for form in (text, visible(text)))


def _squeezed(text: str) -> str:
    return re.sub(r"[\s\\]+", "", text)
