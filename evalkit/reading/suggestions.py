"""How messages name what was found, and the name the user probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHOWN_CHARS = 60

OTHER_SPELLINGS = {
    "behavior": "behaviour",
    "licence": "license",
    "quantization": "quantisation",
    "quantizations": "quantisations",
    "quant": "quantisation",
    "id_": "id",
    "name": "id",
    "prompts": "prompt",
    "question": "prompt",
    "input": "prompt",
    "messages": "turns",
    "conversation": "turns",
    "expected": "expect",
    "expectation": "expect",
    "assert": "expect",
    "judge": "judges",
    "scorers": "judges",
    "tag": "tags",
    "labels": "tags",
    "lang": "language",
    "locale": "language",
    "group": "cluster",
    "family": "cluster",
    "reason": "why",
    "rationale": "why",
    "n": "samples",
    "repeats": "samples",
    "optional": "required",
    "max_tokens": "max_new_tokens",
    "sampling": "decoding",
    "generation": "decoding",
    "system_prompt": "system",
    "not_regexp": "not_regex",
    "regexp": "regex",
    "pattern": "regex",
    "exact": "equals",
    "contains_all": "contains",
    "must_contain": "contains",
    "recommended": "recommendation",
    "min": "at_least",
    "max": "at_most",
    "tests": "probes",
    "cases": "probes",
    "examples": "probes",
    "matrix": "expand",
    "parametrize": "expand",
    "foreach": "expand",
    "vars": "expand",
    "noise": "perturb",
    "perturbation": "perturb",
}


def shortened(text: str, limit: int = SHOWN_CHARS) -> str:
    """``text``, cut with an ellipsis where it is longer than ``limit``."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def nearest(found: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant: another spelling of it, or the closest by letters."""
    names = list(known)
    lowered = found.lower().replace("-", "_")
    other = OTHER_SPELLINGS.get(lowered)
    if other in names:
        return other
    by_lower = {name.lower(): name for name in reversed(names)}
    close = difflib.get_close_matches(found.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """The sentence that names the nearest known name, or lists the known ones when none is near."""
    names = list(known)
    near = nearest(found, names)
    if near is not None:
        return f"Did you mean {near!r}?"
    return f"Known: {', '.join(names)}."
