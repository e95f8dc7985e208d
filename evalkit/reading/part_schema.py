"""The key ``parts`` of a probe: the tasks that its prompt sets, and the concepts that each owns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from evalkit.probe import Part
from evalkit.reading.schema_fields import Entry, Identifier, Line, Texts, wrong


class PartEntry(Entry):
    """One of the tasks that a prompt sets."""

    id: Identifier = Field(description="Its name, unique in the probe.")
    owns: Texts | None = Field(default=None, description="Concepts that belong to this part and to no other.")
    marker: Line | None = Field(
        default=None,
        description="Where its section of the answer is: a word of its heading, or the language of its code.",
    )


def _parts(entries: list[PartEntry]) -> list[PartEntry]:
    if len(entries) < 2:
        wrong(f"expected at least 2 parts, found {len(entries)}. Add the others, or remove parts.")
    _once([entry.id for entry in entries], "the id", "Give each part its own.")
    _once([entry.marker.casefold() for entry in entries if entry.marker], "the marker", "Give each part its own.")
    for entry in entries:
        _once([concept.casefold() for concept in entry.owns or ()], "the concept", "Write it once.")
    owners: dict[str, str] = {}
    for entry in entries:
        for concept in entry.owns or ():
            other = owners.setdefault(concept.casefold(), entry.id)
            if other != entry.id:
                wrong(
                    f"the concept {concept!r} is owned by {other!r} and by {entry.id!r}. A concept has one owner: "
                    "leave it out of both where both parts may use it."
                )
    if not owners:
        wrong("no part owns a concept. Add owns to one: words that only its section may use.")
    return entries


def _once(names: Sequence[str], what: str, remedy: str) -> None:
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        wrong(f"{what} {name!r} stands there {count} times. {remedy}")


Parts = Annotated[list[PartEntry], AfterValidator(_parts)]


def parts_of(entries: Sequence[PartEntry] | None) -> tuple[Part, ...]:
    """The parts as nouns, in order."""
    return tuple(Part(entry.id, tuple(entry.owns or ()), entry.marker) for entry in entries or ())
