"""Decodings as text and as settings."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from evalkit.reading.drafts import NamedDecoding
from evalkit.reading.places import Place, unknown_name
from evalkit.reading.token_names import biases_of
from evalkit.target import Decoding, Settings

SHORT = {
    "temperature": "t", "top_p": "p", "top_k": "k", "min_p": "m",
    "repetition_penalty": "r", "max_new_tokens": "n", "seed": "s", "min_new_tokens": "min",
    "presence_penalty": "presence", "frequency_penalty": "frequency", "no_repeat_ngram": "ngram",
}  # fmt: skip
WHOLE = ("top_k", "max_new_tokens", "seed", "min_new_tokens", "no_repeat_ngram")
ONLY_IN_FILES = ("stop", "logit_bias", "banned", "stop_on_cycle")
SAMPLING = ("top_p", "top_k", "min_p")


def decoding_problem(settings: dict[str, Any]) -> tuple[str, str] | None:
    """The first setting that cannot be meant, with the message about it."""
    bounds: dict[str, tuple[str, Any]] = {
        "temperature": ("a number of 0 (greedy) or more", lambda value: value >= 0),
        "top_p": ("a number above 0 and at most 1", lambda value: 0 < value <= 1),
        "top_k": ("a whole number of 0 (off) or more", lambda value: value >= 0),
        "min_p": ("a number from 0 to 1", lambda value: 0 <= value <= 1),
        "repetition_penalty": ("a number above 0", lambda value: value > 0),
        "max_new_tokens": ("a whole number of 1 or more", lambda value: value >= 1),
        "seed": ("a whole number of 0 or more", lambda value: value >= 0),
        "min_new_tokens": ("a whole number of 0 or more", lambda value: value >= 0),
        "presence_penalty": ("a number from -2 to 2", lambda value: -2 <= value <= 2),
        "frequency_penalty": ("a number from -2 to 2", lambda value: -2 <= value <= 2),
        "no_repeat_ngram": ("a whole number of 0 (off) or more", lambda value: value >= 0),
    }
    for name, (expected, holds) in bounds.items():
        value = settings.get(name)
        if value is not None and (value in (math.inf, -math.inf) or not holds(value)):
            return name, f"expected {expected}, found {value}."
    least, most = settings.get("min_new_tokens"), settings.get("max_new_tokens")
    if least is not None and most is not None and least > most:
        return "min_new_tokens", f"expected at most max_new_tokens, which is {most}, found {least}."
    if any(not text for text in settings.get("stop", ())):
        return "stop", "expected text to stop at, found an empty text."
    if "" in settings.get("banned", ()):
        return "banned", "expected a text or a token id to ban, found an empty text."
    return None


def sampling_problem(settings: dict[str, Any]) -> tuple[str, str] | None:
    """A setting that shapes sampling in a decoding that does not sample."""
    if settings.get("temperature", 0.0) > 0:
        return None
    for name in SAMPLING:
        if settings.get(name, getattr(Decoding(), name)) != getattr(Decoding(), name):
            return name, f"has no effect on greedy decoding, found {settings[name]}. Add a temperature above 0."
    return None


def settings_of(written: dict[str, Any]) -> Settings:
    """Settings in the order of the dataclass, with the types it has."""
    names = (field.name for field in fields(Decoding) if field.name in written)
    return tuple((name, _typed(name, written[name])) for name in names)


def inline_decoding(text: str, place: Place) -> NamedDecoding:
    """The decoding written as ``temperature=0.8,top_p=0.9``; its name says its settings: ``t0.8-p0.9``.

    Raises:
        UsageError: an unknown setting, a value out of bounds, or a setting given twice.
    """
    written: dict[str, Any] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name in ONLY_IN_FILES:
            raise place.error(f"{name} cannot be written inline. Declare the decoding in fixtures/targets.yaml.")
        if name not in SHORT:
            raise place.error(unknown_name("setting of a decoding", name, SHORT))
        if name in written:
            raise place.error(f"{name} is given twice in {text!r}.")
        written[name] = _number(name, value, place)
    problem = decoding_problem(written) or sampling_problem(written)
    if problem is not None:
        raise place.error(f"{problem[0]}: {problem[1]}")
    settings = settings_of(written)
    return NamedDecoding("-".join(f"{SHORT[name]}{value:.12g}" for name, value in settings), settings)


def _number(name: str, value: str, place: Place) -> float | int:
    try:
        return int(value) if name in WHOLE else float(value)
    except ValueError:
        kind = "a whole number" if name in WHOLE else "a number"
        raise place.error(f"{name}: expected {kind}, found {value!r}.") from None


def _typed(name: str, value: Any) -> Any:
    if name == "logit_bias":
        return biases_of(dict(value))
    if name in ("stop", "banned"):
        return tuple(value)
    if name == "stop_on_cycle":
        return value
    return int(value) if name in WHOLE else float(value)
