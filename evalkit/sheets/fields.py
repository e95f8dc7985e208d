"""One row's fields checked, whether they come from a cell or from JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args

from evalkit.reading.suggestions import nearest, shortened
from evalkit.reporting.safe_text import utf8_safe
from evalkit.review import FAILURE_KINDS, LABEL_VALUES, LabelValue, Stratum
from evalkit.sheets.rows import SheetRow

STRATA: tuple[Stratum, ...] = get_args(Stratum)
LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_HASH = re.compile(r"[0-9a-f]{64}")
_CELL_ERROR = re.compile(r"#(?:NAME\?|REF!|VALUE!|DIV/0!|NULL!|NUM!|N/A|SPILL!|ERROR!)|Err:\d+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Unsound(Exception):
    """A field is wrong: its name, and what was expected and found."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def row_of(plain: Mapping[str, Any], file: str, line: int) -> SheetRow | None:
    """The row, or None where nothing was judged.

    Raises:
        Unsound: a field is wrong.
    """
    value, kind, note = label_of(plain.get("label")), text_of(plain, "failure_kind"), text_of(plain, "note")
    if value is None:
        if not kind and not note:
            return None
        filled = "failure_kind" if kind else "note"
        raise Unsound("label", f"it is empty, but {filled} is not. Write {_one_of(LABEL_VALUES)}, or empty both.")
    text_hash, trial = text_of(plain, "text_hash").lower(), text_of(plain, "trial")
    if text_hash and not _HASH.fullmatch(text_hash):
        raise Unsound("text_hash", f"expected 64 hexadecimal digits; found {found(text_hash)}.")
    if not text_hash and not trial:
        raise Unsound("text_hash", "it is missing, and so is the trial: nothing says which answer this row is about.")
    return SheetRow(
        file, line, value, text_hash, trial, text_of(plain, "run"), text_of(plain, "reviewer"), at_of(plain.get("at")),
        _kind_of(kind, value), note, blind_of(plain.get("blind")), seconds_of(plain.get("seconds")),
        stratum_of(plain.get("stratum")), inclusion_of(plain.get("inclusion")),
    )  # fmt: skip


def found(value: Any) -> str:
    return shortened(repr(value))


def _one_of(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def text_of(plain: Mapping[str, Any], name: str) -> str:
    """The field as text that any place can take, ``""`` where it is missing."""
    value = plain.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unsound(name, f"expected text; found {found(value)}.")
    return _CONTROL.sub("", utf8_safe(value).replace("\r\n", "\n").replace("\r", "\n")).strip()


def label_of(value: Any) -> LabelValue | None:
    word = value.strip().lower() if isinstance(value, str) else value
    if word is None or word == "":
        return None
    for name in LABEL_VALUES:
        if word == name:
            return name
    if isinstance(value, str) and _CELL_ERROR.fullmatch(value.strip()):
        raise Unsound(
            "label", f"the spreadsheet left the error {value.strip()} here. Write {_one_of(LABEL_VALUES)} over it."
        )
    near = nearest(word, LABEL_VALUES) if isinstance(word, str) else None
    hint = f" Did you mean {near!r}?" if near else ""
    raise Unsound("label", f"expected {_one_of(LABEL_VALUES)}; found {found(value)}.{hint}")


def _kind_of(text: str, value: LabelValue) -> str:
    if not text:
        return ""
    kind = re.sub(r"[\s-]+", "_", text.strip()).upper()
    if kind not in FAILURE_KINDS:
        near = nearest(kind, FAILURE_KINDS)
        hint = f" Did you mean {near!r}?" if near else " Leave it empty, or write OTHER and say in the note what it is."
        raise Unsound("failure_kind", f"expected {_one_of(FAILURE_KINDS)}; found {found(text)}.{hint}")
    if value == "correct":
        raise Unsound("failure_kind", f"it says {kind}, but the label says 'correct'. Change one of the two.")
    return kind


def number_of(value: Any) -> float | None:
    """A number as JSON or a spreadsheet gives it (a decimal comma, a percentage), or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if not isinstance(value, str):
        return float(value) if abs(value) < 1e300 else None
    plain = value.strip().replace("\u00a0", "").replace("\u202f", "").replace(",", ".")
    percent = plain.endswith("%")
    try:
        number = float(plain.rstrip("% "))
    except ValueError:
        return None
    return (number / 100 if percent else number) if math.isfinite(number) else None


def inclusion_of(value: Any) -> float | None:
    if value is None or value == "":
        return None
    number = number_of(value)
    if number is None or not 0 < number <= 1:
        raise Unsound("inclusion", f"expected a number above 0, at most 1; found {found(value)}.")
    return number


def seconds_of(value: Any) -> float | None:
    if value is None or value == "":
        return None
    number = number_of(value)
    if number is None or not 0 <= number < math.inf:
        raise Unsound("seconds", f"expected a number of seconds, 0 or more; found {found(value)}.")
    return number


def at_of(value: Any) -> float | None:
    """Epoch seconds of an ISO 8601 time (UTC where it names no zone) or of a number of them."""
    if value is None or value == "":
        return None
    number = number_of(value)
    if number is None and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
            number = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            number = None
    if number is None or not 0 < number < LATEST:
        raise Unsound("at", f"expected a time such as 2026-03-01T14:05:00Z; found {found(value)}.")
    return number


def blind_of(value: Any) -> bool | None:
    if value is None or value == "" or isinstance(value, bool):
        return None if value == "" else value
    word = value.strip().lower() if isinstance(value, str) else None
    if word in _TRUTH:
        return _TRUTH[word]
    raise Unsound("blind", f"expected true or false; found {found(value)}.")


def stratum_of(value: Any) -> Stratum | None:
    if value is None or value == "":
        return None
    for name in STRATA:
        if value == name:
            return name
    raise Unsound("stratum", f"expected {_one_of(STRATA)}; found {found(value)}.")
