"""Probes that live in Python tests, checked by the models of the file format."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from evalkit.errors import UsageError
from evalkit.probe import Generate, Message, Probe
from evalkit.reading.nouns import expectation_of, judges_of, settings_of
from evalkit.reading.schema import DecodingEntry, ExpectEntry, JudgeEntry

_DIGEST_CHARS = 8
M = TypeVar("M", bound=BaseModel)


def inline_probe(
    *,
    file: str,
    line: int,
    name: str,
    prompts: Sequence[str],
    system: str | None = None,
    expect: Mapping[str, Any] | None = None,
    judges: Sequence[str | Mapping[str, Any]] = (),
    category: str = "",
    decoding: Mapping[str, Any] | None = None,
) -> Probe:
    """A probe that asks ``prompts`` in turn; its id is ``name`` with a digest of what is asked.

    Raises:
        UsageError: expect, judges or decoding would be refused in a probe file too.
    """
    where = f"{file}:{line}"
    expectation = expectation_of([_checked(ExpectEntry, dict(expect or {}), f"{where}: expect")])
    listed = [{"use": use} if isinstance(use, str) else dict(use) for use in judges]
    uses = [_checked(JudgeEntry, use, f"{where}: judges") for use in listed]
    change = settings_of([_checked(DecodingEntry, dict(decoding or {}), f"{where}: decoding")])
    first = () if system is None else (Message("system", system),)
    asked = tuple(turn for prompt in prompts for turn in (Message("user", prompt), Generate()))
    digest = hashlib.sha256(repr((system, tuple(prompts), change)).encode("utf-8", "replace")).hexdigest()
    return Probe(
        id=f"{name}-{digest[:_DIGEST_CHARS]}", suite=file, file=file, line=line, category=category or name,
        turns=(*first, *asked), expect=expectation, judges=judges_of(uses, expectation.has_text_assertion),
        decoding=change,
    )  # fmt: skip


def _checked(model: type[M], data: Any, where: str) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(step) for step in first["loc"])
        raise UsageError(f"{where}{f'.{path}' if path else ''}: {first['msg']}; found {first['input']!r}.") from None
