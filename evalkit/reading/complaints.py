"""What was expected, what was found, and what to write instead, as one sentence."""

from __future__ import annotations

from typing import Any

from pydantic_core import ErrorDetails

from evalkit.reading.suggestions import nearest, shortened
from evalkit.reading.yaml_scalars import in_quotes, number_meant_by

TYPES_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "is_instance_of": "a value",
}


def expectation(error: ErrorDetails) -> str:
    """What the field takes, from pydantic's kind of error."""
    kind = error["type"]
    context = error.get("ctx", {})
    if kind in TYPES_EXPECTED:
        return TYPES_EXPECTED[kind]
    if kind == "expected":
        return str(context["expected"])
    if kind == "literal_error":
        return f"one of {', '.join(_literals(context['expected']))};"
    bounds = {
        "greater_than_equal": "at least {ge}",
        "greater_than": "more than {gt}",
        "less_than_equal": "at most {le}",
        "less_than": "less than {lt}",
        "string_too_short": "text",
        "too_short": "at least {min_length} entries",
    }
    if kind in bounds:
        numbers = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
        return bounds[kind].format(**numbers).replace("1 entries", "one entry")
    return f"a value that is right ({error['msg']})"


def complaint(expected: str, value: Any, raw: str | None) -> str:
    """``expected …, found …`` with the remedy; ``raw`` are a bare scalar's characters where YAML changed them."""
    comma = "" if expected.endswith(";") else ","
    found, remedy = _found(expected, value, raw)
    return " ".join(part for part in (f"expected {expected}{comma} found {found}.", remedy) if part)


def _found(expected: str, value: Any, raw: str | None) -> tuple[str, str]:
    """What stands there, and the sentence that says what to write."""
    takes_text = "text" in expected or "one of" in expected
    if value is None:
        return "nothing", "Write a value, or remove the key."
    if isinstance(value, (bool, int, float)):
        return _found_bare(value, raw, takes_text)
    if isinstance(value, str):
        return _found_text(expected, value)
    if isinstance(value, dict):
        if not value:
            return "an empty mapping", ""
        return "a mapping", "Put text that holds ': ' or braces in quotes." if takes_text else ""
    if isinstance(value, (list, tuple)):
        return ("a list" if value else "an empty list"), ""
    return shortened(repr(value)), ""


def _found_bare(value: bool | int | float, raw: str | None, takes_text: bool) -> tuple[str, str]:
    shown = str(value).lower() if isinstance(value, bool) else shortened(raw or repr(value))
    is_reread = isinstance(value, bool) and raw is not None and raw.lower() not in ("true", "false")
    how = f" (YAML reads a bare {raw} as {shown})" if is_reread else ""
    return shown + how, in_quotes(shortened(raw or shown)) if takes_text else ""


def _found_text(expected: str, value: str) -> tuple[str, str]:
    if value == "":
        return "an empty text", "Write some, or remove the key."
    if expected.startswith("one of"):
        near = nearest(value, expected.removeprefix("one of ").rstrip(";").split(", "))
        return repr(shortened(value)), f"Did you mean {near!r}?" if near else ""
    shown = f"the text {shortened(value)!r}"
    if "number" in expected:
        number = number_meant_by(value)
        if number is not None:
            return f"{shown} (YAML reads {value} as text)", f"Write {number} without quotes."
        if _is_number(value):
            return shown, "Remove the quotes."
    if expected == "true or false" and value.lower() in ("yes", "no", "true", "false", "on", "off"):
        return shown, "Remove the quotes."
    if expected == "a list":
        return shown, f"Write [{shortened(value)}]."
    return shown, ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _literals(expected: str) -> list[str]:
    """The values in pydantic's ``'a', 'b' or 'c'``."""
    return [part.strip().strip("'\"") for part in expected.replace(" or ", ", ").split(",")]
