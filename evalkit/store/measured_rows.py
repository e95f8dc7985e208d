"""Whether a plain value out of a file is a trial's measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, get_args

from evalkit.measured import NEEDED, Measured
from evalkit.record import TrialOutcome

NUMBERS: set[type] = {int, float}
_NAMES = Measured.names()


def mistake_in(plain: Any) -> str | None:
    """What keeps a value from being one, as the end of a sentence; None where it is one."""
    if not isinstance(plain, dict):
        return "is no mapping"
    for name in NEEDED:
        if name not in plain:
            return f"the field {name!r} is missing"
    for name, value in plain.items():
        if name not in _NAMES:
            return f"the field {name!r} is not known"
        if not _IS_VALID[name](value):
            return f"the field {name!r} is {value!r}"
    return None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return type(value) is int


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _all_texts(value: object) -> bool:
    return isinstance(value, list) and _all_of(value, {str})


def _maps_to(kinds: set[type]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, dict) and _all_of(value.values(), kinds)


def _are_signals(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(own, dict) and _all_of(own.values(), NUMBERS) for own in value.values()
    )


def _all_of(values: Iterable[object], kinds: set[type]) -> bool:
    return set(map(type, values)) <= kinds


_IS_VALID: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(
        ("trial", "suite", "probe", "category", "target", "file", "role", "cluster", "probe_hash", "language"), _is_text
    ),
    **dict.fromkeys(("line", "sample", "words"), _is_count),
    **dict.fromkeys(("collapsed", "fabricated", "over_refusal", "is_demo"), _is_flag),
    **dict.fromkeys(("formerly", "finishes", "generations"), _all_texts),
    **dict.fromkeys(("judges", "optional_judges"), _maps_to({str})),
    "scores": _maps_to(NUMBERS),
    "signals": _are_signals,
    "outcome": lambda value: value in get_args(TrialOutcome),
}
