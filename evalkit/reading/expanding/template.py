"""An entry with placeholders: where they stand, and copies of the entry and of its probe with other words in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from evalkit.probe import Expectation, Message, Probe, Turn
from evalkit.reading.expanding.placeholders import OPENING
from evalkit.reading.yaml_parts import FieldPath
from evalkit.reading.yaml_scalars import Trap, bare_scalar

FILLED_KEYS = (
    "prompt", "prompt_file", "turns", "expect", "category", "subcategory", "tags", "language", "cluster", "why",
    "license", "author",
)  # fmt: skip
OWN_KEYS = ("expand", "perturb")
"""Keys that speak of the template, not of its probes."""
_FREE_TEXTS = ("behaviour", "must_say", "must_not_say", "contains", "contains_any", "not_contains", "equals")
"""Keys of ``expect`` that any text suits, so that another text makes no mistake."""
_TEXTS = (*_FREE_TEXTS, "recommendation", "regex", "not_regex", "choice")
"""Keys of ``expect`` that take text; for the others what is filled in is read as YAML reads a bare word."""


def places(raw: dict[str, Any]) -> Iterator[tuple[FieldPath, str]]:
    """Every text of the entry that holds a placeholder, with its path."""
    for key, value in raw.items():
        if key not in OWN_KEYS:
            yield from _places(value, (key,))


def _places(value: Any, path: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    if isinstance(value, str):
        if OPENING in value:
            yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, (*path, index))


def is_filled(path: FieldPath) -> bool:
    """Whether placeholders are filled in at ``path``."""
    return path[0] in FILLED_KEYS and "generate" not in path[:3]


def entry_with(raw: dict[str, Any], paths: Sequence[FieldPath], texts: Sequence[str]) -> dict[str, Any]:
    """The entry with these texts at these paths; where a key takes no text, read as YAML reads a bare one."""
    filled = {key: value for key, value in raw.items() if key != "expand"}
    for path, text in zip(paths, texts, strict=True):
        filled = _with(filled, path, _read_back(path, text))
    return filled


def _with(value: Any, path: FieldPath, new: Any) -> Any:
    if not path:
        return new
    step, *rest = path
    copy = value.copy()
    copy[step] = _with(value[step], tuple(rest), new)
    return copy


def _read_back(path: FieldPath, text: str) -> Any:
    if path[0] != "expect" or path[1] in _TEXTS or "schema" in path:
        return text
    value = bare_scalar(text.strip())
    return text if isinstance(value, Trap) else value


class Rewording:
    """What other words change in a template's first probe, where a text can make no mistake but to be blank."""

    def __init__(self, raw: dict[str, Any], paths: Sequence[FieldPath]) -> None:
        self._turns: dict[int, int] = {}
        self._expect: dict[str, list[tuple[FieldPath, int]]] = {}
        self._why: int | None = None
        self._raw = raw
        self.is_enough = True
        for number, path in enumerate(paths):
            if path[0] == "prompt":
                self._turns[0] = number
            elif path[0] == "turns":
                self._turns[int(path[1])] = number
            elif path[0] == "expect" and path[1] in _FREE_TEXTS:
                self._expect.setdefault(str(path[1]), []).append((path[2:], number))
            elif path == ("why",):
                self._why = number
            else:
                self.is_enough = False

    def changes(self, first: Probe, texts: Sequence[str]) -> dict[str, Any] | None:
        """The fields of ``first`` that these texts change; None where the whole entry must be read."""
        if not self.is_enough or not all(text.strip() for text in texts):
            return None
        turns: list[Turn] = list(first.turns)
        for index, number in self._turns.items():
            turn = turns[index]
            assert isinstance(turn, Message)
            turns[index] = Message(turn.role, texts[number])
        changed: dict[str, Any] = {"turns": tuple(turns)}
        if self._expect:
            changed["expect"] = self._expectation(first.expect, texts)
        if self._why is not None:
            changed["why"] = texts[self._why]
        return changed

    def _expectation(self, first: Expectation, texts: Sequence[str]) -> Expectation:
        changed: dict[str, Any] = {}
        for key, spots in self._expect.items():
            value = self._raw["expect"][key]
            for path, number in spots:
                value = _with(value, path, texts[number])
            changed[key] = _as_expected(key, value)
        return replace(first, **changed)


def _as_expected(key: str, value: Any) -> Any:
    """A text or list of ``expect`` as ``Expectation`` holds it."""
    if key == "behaviour":
        return value
    listed = [value] if isinstance(value, str) else value
    if key == "must_say":
        return tuple((item,) if isinstance(item, str) else tuple(item) for item in listed)
    return tuple(listed)
