"""The combinations of a template's values, each with what it adds to the template's id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from evalkit.reading.expanding.lists import NamedList
from evalkit.reading.naming import default_id, distinct_slugs
from evalkit.reading.schema_fields import MAX_ID_CHARS

SLUG_CHARS = 24
_NUMBER_CHARS = 6
_SHORTEST_SLUG = 4


def combinations(lists: Sequence[NamedList], template_id: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Every combination as values by list name, with its part of the id such as ``.paris.how-old-is``.

    The last list varies fastest. A value that is added at the end of a list changes no other id.
    """
    room = (MAX_ID_CHARS - len(template_id)) // len(lists) - 1 - _NUMBER_CHARS
    limit = max(_SHORTEST_SLUG, min(SLUG_CHARS, room))
    slugs = [distinct_slugs(map(_called, one.values), limit) for one in lists]
    names = [one.name for one in lists]
    for values, parts in zip(product(*(one.values for one in lists)), product(*slugs), strict=True):
        yield dict(zip(names, values, strict=True)), "." + ".".join(parts)


def _called(value: Any) -> str:
    """What a value is called by: itself, or of a mapping its ``id``, else its first field."""
    if not isinstance(value, dict):
        return str(value)
    return str(value.get("id", next(iter(value.values()))))


def made_up_id(raw: dict[str, Any], taken: set[str]) -> str:
    """An id from the template's words, such that no written id looks like one of its probes'."""
    turns = raw.get("turns")
    spoken = [turn.get("user") for turn in turns if isinstance(turn, dict)] if isinstance(turns, list) else []
    words = next((text for text in (raw.get("prompt"), *spoken) if isinstance(text, str)), "")
    while True:
        name = default_id(words, taken)
        if not any(other.startswith(f"{name}.") for other in taken):
            return name
