"""Ids for probes that were given none."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

SLUG_WORDS = 6
SLUG_CHARS = 48


def slug(text: str) -> str | None:
    """The first words as lower-case letters, digits and hyphens; None where Latin letters are too few to tell."""
    words = " ".join(text.split(maxsplit=SLUG_WORDS)[:SLUG_WORDS])[: 4 * SLUG_CHARS]
    folded = unicodedata.normalize("NFKD", words.casefold()).encode("ascii", "ignore").decode()
    letters = sum(char.isalpha() for char in words)
    if sum(char.isalpha() for char in folded) < letters / 2:
        return None
    name = re.sub(r"[^a-z0-9]+", "-", folded.replace("'", "")).strip("-")
    return name[:SLUG_CHARS].rstrip("-") or None


def default_id(prompt: str, taken: set[str]) -> str:
    """A slug of the prompt, or a digest of it for other scripts, numbered where it is ``taken``; takes it."""
    base = slug(prompt) or f"probe-{hashlib.sha256(prompt.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    taken.add(name)
    return name


def distinct_slugs(texts: Iterable[str], limit: int) -> tuple[str, ...]:
    """A slug of at most ``limit`` characters for each text, numbered where an earlier one has it.

    A text without Latin letters or digits is named by its place, counted from 1. What a text is called depends on the
    texts before it alone: a list that grows at its end keeps the names that it has.
    """
    taken: set[str] = set()
    found = []
    for place, text in enumerate(texts, 1):
        base = (slug(text) or str(place))[:limit].rstrip("-") or str(place)
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        found.append(name)
    return tuple(found)
