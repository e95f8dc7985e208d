"""Reads the last number of an answer: separators, decimal comma, minus sign, per cent, powers of ten."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

DECIMAL_COMMA = frozenset((
    "bg", "ca", "cs", "da", "de", "el", "es", "et", "eu", "fi", "fr", "gl", "hr", "hu", "id", "is", "it", "lt",
    "lv", "nb", "nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "tr", "uk", "vi",
))  # fmt: skip

_SPACES = " \u00a0\u2009\u202f"
_NUMBER = re.compile(
    rf"""
    (?<![^\W\d_]) (?<![^\W\d_]-) (?<![0-9])
    (?P<sign>(?:(?<=[\s(\[{{=:,;*$€£¥~≈≥≤<>/`"'“_|])|^)[-\u2212+])?
    [$€£¥]?
    (?P<digits>
        [0-9]{{1,3}}(?:[{_SPACES}][0-9]{{3}})+(?![0-9])(?:[.,][0-9]+)?
      | [0-9]+(?:[.,'’_][0-9]+)*
      | (?<![\w.])\.[0-9]+
    )
    (?!(?:st|nd|rd|th|º|ª)(?!\w))
    (?:
        [eE](?P<exponent>[-+\u2212]?[0-9]{{1,3}})(?!\w)
      | \s*[x×·*]\s*10\s*(?:\^|\*\*)\s*\{{?(?P<power>[-+\u2212]?[0-9]{{1,3}})\}}?
    )?
    (?P<percent>\s?%)?
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class FinalNumber:
    """The last number as written, where it stands, and every value it may mean (one, save for ambiguous writings)."""

    written: str
    start: int
    end: int
    values: tuple[float, ...]


def final_number(text: str, language: str | None = None) -> FinalNumber | None:
    """The last number of ``text``, or None.

    With both separators the last one is the decimal. A lone separator before exactly three digits (``1,234``,
    ``1.234``) is read the English way; in a language with a decimal comma both readings count. A number with a
    per cent sign means itself and its hundredth. In ``10:30``, ``1/2`` or a date the last part counts.
    """
    last = next(iter(deque(_NUMBER.finditer(text), maxlen=1)), None)
    if last is None:
        return None
    start, end = last.span()
    written, values = _values(last["digits"], language)
    if written != last["digits"]:
        start = last.end("digits") - len(written)
    elif last["sign"] in ("-", "\u2212"):
        values = tuple(-value for value in values)
    tens = last["exponent"] or last["power"]
    if tens:
        values = tuple(_times_ten_to(value, int(tens.replace("\u2212", "-"))) for value in values)
    if last["percent"]:
        values = (*values, *(value / 100 for value in values))
    return FinalNumber(text[start:end].strip(), start, end, values)


def _values(digits: str, language: str | None) -> tuple[str, tuple[float, ...]]:
    """The part of ``digits`` that is one number (its last, if it is a list such as 1,2,3), and its readings."""
    plain = re.sub(rf"(?<=[0-9])[{_SPACES}'’_](?=[0-9]{{3}}(?![0-9]))", "", digits)
    if re.fullmatch(r"[0-9]*\.?[0-9]+", plain) and not re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", plain):
        return digits, (float(plain),)
    decimal_comma = (language or "").split("-")[0].split("_")[0].lower() in DECIMAL_COMMA
    if re.fullmatch(r"[1-9][0-9]{0,2}[.,][0-9]{3}", plain):
        grouped, decimal = float(re.sub(r"[.,]", "", plain)), float(plain.replace(",", "."))
        if decimal_comma:
            return digits, (decimal, grouped) if "," in plain else (grouped, decimal)
        return digits, (grouped,) if "," in plain else (decimal,)
    if re.fullmatch(r"[0-9]+,[0-9]+", plain):
        return digits, (float(plain.replace(",", ".")),)
    for group, point in ((",", "."), (".", ",")):
        if re.fullmatch(rf"[0-9]{{1,3}}(?:\{group}[0-9]{{3}})+(?:\{point}[0-9]+)?", plain):
            return digits, (float(plain.replace(group, "").replace(point, ".")),)
    if re.fullmatch(r"[0-9]+\.[0-9]+,[0-9]+|[0-9]+,[0-9]+\.[0-9]+", plain):
        head, tail = re.split(r"[.,](?=[0-9]+$)", plain)
        return digits, (float(f"{re.sub('[.,]', '', head)}.{tail}"),)
    last = re.split(r"[^0-9]", plain)[-1]
    return last, (float(last),)


def _times_ten_to(value: float, power: int) -> float:
    return float(f"{value!r}e{power}") if "e" not in repr(value) and "n" not in repr(value) else value * 10.0**power
