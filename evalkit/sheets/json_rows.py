"""Rows of JSON: one object a line, a list, or one object after the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from evalkit.errors import Problem
from evalkit.reading.suggestions import nearest
from evalkit.sheets.columns import OTHER_NAMES
from evalkit.sheets.fields import Unsound, found, row_of
from evalkit.sheets.rows import SheetRow

_BETWEEN = re.compile(r"[\s,\[\]]*")
_NEXT_OBJECT = re.compile(r"^[ \t]*\{", re.MULTILINE)
_DECODER = json.JSONDecoder()


def json_rows(text: str, shown: str) -> Iterator[SheetRow | Problem]:
    """Each object's row or what is wrong with it; after broken JSON reading goes on at the next line with a ``{``."""
    for line, plain in _values(text):
        if isinstance(plain, Problem):
            yield Problem(shown, plain.message, line)
            continue
        row = _row(plain, shown, line)
        if row is not None:
            yield row


def _values(text: str) -> Iterator[tuple[int, Any]]:
    line, counted, at = 1, 0, 0
    while True:
        gap = _BETWEEN.match(text, at)
        at = gap.end() if gap else at
        if at >= len(text):
            return
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            yield line, Problem("", _broken(error))
            following = _NEXT_OBJECT.search(text, text.find("\n", at) + 1) if "\n" in text[at:] else None
            if following is None:
                return
            at = following.start()
            continue
        yield line, value


def _broken(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        why = error.msg.removesuffix(" at").removesuffix(" starting")
    else:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else "a number in it is too long"
    return f"expected a JSON object: {why}. The line was cut or changed; download the labels again."


def _row(plain: Any, shown: str, line: int) -> SheetRow | Problem | None:
    if not isinstance(plain, dict):
        return Problem(shown, f"expected a JSON object; found {found(plain)}.", line)
    fields = _renamed(plain)
    if "label" not in fields:
        near = nearest("label", [str(name) for name in plain])
        hint = f"Rename {near!r}." if near else "Add it."
        return Problem(shown, f"the key 'label' is missing. {hint}", line, "$")
    try:
        return row_of(fields, shown, line)
    except Unsound as error:
        return Problem(shown, str(error), line, f"$.{error.field}")


def _renamed(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Keys under the names read here; a key's own name wins over another name for it."""
    others = {OTHER_NAMES[name]: value for name, value in plain.items() if name in OTHER_NAMES}
    return {**others, **plain}
