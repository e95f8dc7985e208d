"""Assertions of promptfoo as expectations: those that exist here, the others by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evalkit.reading.json_schemas import why_no_schema

RUBRICS = ("llm-rubric", "model-graded-closedqa", "g-eval")
_MISREAD = re.compile(r"\(\?<(?=[A-Za-z])")
_IGNORED_KEYS = ("metric", "weight")


class Unsupported(Exception):
    """There is nothing like the assertion here."""


@dataclass(slots=True)
class Expected:
    """``expect`` as it grows; ``insensitive`` are patterns for texts whose case does not matter.

    ``unsupported`` names assertions that have no place; ``stricter`` those that are read more strictly here.
    """

    expect: dict[str, Any] = field(default_factory=dict)
    insensitive: list[tuple[str, Any]] = field(default_factory=list)
    rubrics: list[str] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)
    stricter: list[str] = field(default_factory=list)

    def add(self, key: str, *texts: str) -> None:
        self.expect.setdefault(key, []).extend(texts)


def expectation_of(assertions: Iterable[Any]) -> Expected:
    """What the assertions of one test come to.

    promptfoo's plain kinds heed case and its i-kinds do not, while one setting of ours holds for a whole probe: where
    both occur, case matters and the i-kinds become patterns.
    """
    found = Expected()
    for assertion in _flat(assertions, found):
        kind = str(assertion.get("type", "equals"))
        try:
            _add(found, kind, assertion.get("value"), assertion)
        except Unsupported:
            found.unsupported.append(kind)
    heeds_case = any(key in found.expect for key in ("contains", "contains_any", "not_contains", "regex", "not_regex"))
    if heeds_case or "equals" in found.expect:
        found.expect["case_sensitive"] = True
    for key, texts in found.insensitive:
        _add_insensitive(found, key, texts, as_pattern=heeds_case or "equals" in found.expect)
    if found.rubrics:
        found.expect = {"behaviour": " ".join(found.rubrics), **found.expect}
    return found


def _flat(assertions: Iterable[Any], found: Expected) -> Iterable[Mapping[str, Any]]:
    for assertion in assertions:
        if not isinstance(assertion, Mapping):
            found.unsupported.append("assertion that is no mapping")
        elif assertion.get("type") == "assert-set" and "threshold" not in assertion:
            yield from _flat(assertion.get("assert") or (), found)
        else:
            yield assertion


def _add(found: Expected, kind: str, value: Any, assertion: Mapping[str, Any]) -> None:
    """Raises Unsupported where there is nothing like it here."""
    if assertion.keys() - {"type", "value", *_IGNORED_KEYS} - ({"threshold"} if kind in RUBRICS else set()):
        raise Unsupported
    if isinstance(value, str) and value.startswith("file://"):
        raise Unsupported
    if kind in RUBRICS:
        found.rubrics += _texts(value)
    elif kind in ("is-refusal", "not-is-refusal"):
        found.expect["recommendation"] = "PASS" if kind.startswith("not-") else "BLOCK"
    elif kind in ("is-json", "contains-json"):
        _add_json(found, kind, value)
    elif kind.removeprefix("not-") in ("equals", "regex", "starts-with"):
        _add_pattern(found, kind, value)
    else:
        _add_wording(found, kind, _texts(value))


def _add_wording(found: Expected, kind: str, texts: list[str]) -> None:
    plain = kind.removeprefix("not-")
    keys = {
        "contains": "contains", "contains-all": "contains", "contains-any": "contains_any",
        "not-contains": "not_contains", "not-contains-any": "not_contains",
    }  # fmt: skip
    is_insensitive = plain.startswith("icontains")
    key = keys.get(kind.replace("icontains", "contains"))
    if key is None or not texts:
        raise Unsupported
    if is_insensitive:
        found.insensitive.append((key, texts))
    elif key == "contains_any" and key in found.expect:
        found.add("regex", "|".join(map(re.escape, texts)))
    else:
        found.add(key, *texts)


def _add_insensitive(found: Expected, key: str, texts: list[str], *, as_pattern: bool) -> None:
    if not as_pattern and not (key == "contains_any" and key in found.expect):
        found.add(key, *texts)
    elif key == "contains_any":
        found.add("regex", f"(?i:{'|'.join(map(re.escape, texts))})")
    else:
        target = "not_regex" if key == "not_contains" else "regex"
        found.add(target, *(f"(?i:{re.escape(text)})" for text in texts))


def _add_pattern(found: Expected, kind: str, value: Any) -> None:
    """equals, starts-with and regex, and their opposites."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or value == "":
        raise Unsupported
    text, plain = str(value), kind.removeprefix("not-")
    if kind == "equals":
        if "equals" in found.expect:
            raise Unsupported
        found.add("equals", text)
        return
    if plain == "equals":
        pattern = rf"\A\s*{re.escape(text.strip())}\s*\Z"
    elif plain == "starts-with":
        pattern = rf"\A\s*{re.escape(text)}"
    else:
        pattern = _python_pattern(text)
    found.add("not_regex" if kind.startswith("not-") else "regex", pattern)


def _python_pattern(text: str) -> str:
    """A pattern of JavaScript's for Python: named groups, and ``^`` and ``$`` at the ends of the text alone."""
    pattern = _MISREAD.sub("(?P<", text)
    if "^" in pattern or "$" in pattern:
        pattern = f"(?-m:{pattern})"
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        raise Unsupported from None
    return pattern


def _add_json(found: Expected, kind: str, value: Any) -> None:
    if value is not None and not (isinstance(value, dict) and why_no_schema(value) is None):
        raise Unsupported
    if kind == "contains-json":
        found.stricter.append(kind)
    found.expect["json"] = True if value is None else {"schema": value}


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, (dict, list, bool)) or item in (None, "") for item in items):
        raise Unsupported
    return [str(item) for item in items]
