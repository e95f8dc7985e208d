"""What a bare YAML scalar means, and which bare scalars are refused because YAML 1.1 reads them unexpectedly."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import yaml

from evalkit.reading.suggestions import shortened

Scalar = str | int | float | bool | None

MAX_NUMBER_CHARS = 300
_TAG = "tag:yaml.org,2002:"
_TRUE = ("yes", "true", "on")
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)\Z")
_FLOAT_THAT_IS_TEXT = re.compile(r"([-+]?)(\d+)(?:\.(\d*))?[eE]([-+]?)(\d+)\Z")
_resolver: Any = yaml.resolver.Resolver()
_SPECIAL_STARTS = frozenset(_resolver.yaml_implicit_resolvers)


@dataclass(frozen=True, slots=True)
class Trap:
    """A bare scalar that is refused; ``message`` says how YAML reads it and what to write."""

    message: str


def bare_scalar(raw: str) -> Scalar | Trap:
    """What YAML reads for an unquoted scalar: text, a finite number, true, false or nothing, else a Trap."""
    if raw and raw[0] not in _SPECIAL_STARTS:
        return raw
    kind: str = _resolver.resolve(yaml.ScalarNode, raw, (True, False)).removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return raw.lower() in _TRUE
    if kind == "int":
        return _whole_number(raw)
    if kind == "float":
        return _number(raw)
    if kind == "timestamp":
        return Trap(f"found {raw}, which YAML reads as a date. {in_quotes(raw)}")
    if kind == "merge":
        return Trap("merge keys (<<) are not read. Write the keys out, or put shared ones under defaults.")
    return raw


def in_quotes(raw: str) -> str:
    """The sentence that tells how to keep a bare scalar as text."""
    return f'Write "{raw}" in quotes.'


def number_meant_by(text: str) -> str | None:
    """How to write the number that YAML 1.1 reads as text (``1e-4``), or None when it is no such number."""
    found = _FLOAT_THAT_IS_TEXT.match(text)
    if found is None:
        return None
    sign, whole, fraction, exponent_sign, exponent = found.groups()
    return f"{sign}{whole}.{fraction or '0'}e{exponent_sign or '+'}{exponent}"


def _whole_number(raw: str) -> int | Trap:
    if len(raw) > MAX_NUMBER_CHARS:
        return Trap(f"found a number of {len(raw)} characters. Put it in quotes if it is text.")
    plain = raw.replace("_", "")
    if _DECIMAL.match(raw):
        return int(plain)
    digits = plain.lstrip("+-").lower()
    if ":" in digits:
        return Trap(f"found {shortened(raw)}, which YAML reads as a number in base 60. {in_quotes(shortened(raw))}")
    if digits.startswith(("0x", "0b")):
        return int(plain, 0)
    return Trap(f"found {shortened(raw)}, which YAML reads as an octal number. {in_quotes(shortened(raw))}")


def _number(raw: str) -> float | Trap:
    plain = raw.replace("_", "").lower()
    if ":" in plain:
        return Trap(f"found {shortened(raw)}, which YAML reads as a number in base 60. {in_quotes(shortened(raw))}")
    value = float(plain.replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(value):
        return Trap(f"found {shortened(raw)}, which is no finite number. Write a number.")
    return value
