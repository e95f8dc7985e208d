"""Targets as they were named, before their folders are looked at."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from evalkit.reading.locations import Location
from evalkit.reading.places import Place
from evalkit.target import Adapter, Condition, Decoding, Engine, Model, Quantisation, Role, Settings, Target

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model and where it was named; ``decoding`` is what it changes in every decoding, ``engine`` who serves it."""

    model: Model
    place: Place
    is_declared: bool = False
    decoding: Settings = ()
    engine: Engine | None = None

    @property
    def location(self) -> Location:
        return Location(self.model.location, self.model.is_local, self.model.shown, self.model.revision)


@dataclass(frozen=True, slots=True)
class NamedAdapter:
    """An adapter and where it was named; ``base`` is the model its declaration says it belongs to.

    ``served_id`` is what servers call it, None for its name; ``is_only_served``: its weights are not declared.
    """

    adapter: Adapter
    place: Place
    is_declared: bool = False
    base: str | None = None
    served_id: str | None = None
    is_only_served: bool = False

    @property
    def location(self) -> Location:
        return Location(self.adapter.location, self.adapter.is_local, self.adapter.shown, self.adapter.revision)


@dataclass(frozen=True, slots=True)
class Chain:
    """Adapters of one target in the order in which they are applied, beside the base or merged into it."""

    adapters: tuple[NamedAdapter, ...] = ()
    merged: bool = False


@dataclass(frozen=True, slots=True)
class NamedDecoding:
    """A decoding as the settings that were written down."""

    name: str
    settings: Settings = ()


GREEDY = NamedDecoding("greedy", (("temperature", 0.0),))
NAKED = Condition("naked")
SERVED: Final = "served"


@dataclass(frozen=True, slots=True)
class Draft:
    """One target by its names; ``place`` is where this combination was asked for."""

    model: NamedModel
    place: Place
    adapters: tuple[NamedAdapter, ...]
    quantisation: Quantisation
    condition: Condition
    decoding: NamedDecoding
    engine: Engine
    role: Role = "subject"
    merged: bool = False

    @property
    def weights(self) -> tuple[str, ...]:
        """The names that a role belongs to: the model's, then the adapters'."""
        return (self.model.model.name, *(named.adapter.name for named in self.adapters))

    @property
    def label(self) -> str:
        return self.target(tuple(named.adapter for named in self.adapters)).label

    def target(self, adapters: tuple[Adapter, ...]) -> Target:
        """The target, with adapters whose facts have been read. What a decoding says goes before what a model says."""
        return Target(
            model=self.model.model,
            quantisation=self.quantisation,
            adapters=adapters,
            condition=self.condition,
            decoding_name=self.decoding.name,
            decoding=Decoding().changed(self.model.decoding).changed(self.decoding.settings),
            engine=self.engine,
            role=self.role,
            merged=self.merged,
        )


def with_distinct_names(drafts: tuple[Draft, ...], taken: dict[str, frozenset[str]]) -> tuple[Draft, ...]:
    """The drafts with undeclared models and adapters renamed until no two different things share a name.

    ``taken`` holds the declared names under ``model`` and ``adapter``.
    """
    models = _names([d.model.location for d in drafts if not d.model.is_declared], taken["model"])
    adapters = _names(
        [named.location for d in drafts for named in d.adapters if not named.is_declared], taken["adapter"]
    )

    def model(named: NamedModel) -> NamedModel:
        if named.is_declared:
            return named
        name, at = models[_key(named.location)]
        return replace(named, model=replace(named.model, name=name, location=at.where, shown=at.shown))

    def adapter(named: NamedAdapter) -> NamedAdapter:
        if named.is_declared:
            return named
        name, at = adapters[_key(named.location)]
        return replace(named, adapter=replace(named.adapter, name=name, location=at.where, shown=at.shown))

    return tuple(replace(d, model=model(d.model), adapters=tuple(map(adapter, d.adapters))) for d in drafts)


Key = tuple[str, str | None]


def _key(location: Location) -> Key:
    where = str(Path(location.where).resolve()) if location.is_local else location.where.lower()
    return (where, location.revision)


def _names(locations: list[Location], taken: frozenset[str]) -> dict[Key, tuple[str, Location]]:
    """A name for each different place, and how it was first written; names that clash take in the folder above."""
    first: dict[Key, Location] = {}
    for location in locations:
        first.setdefault(_key(location), location)
    widths = dict.fromkeys(first, 1)
    while True:
        names = {key: name_of(location, widths[key]) for key, location in first.items()}
        counts = Counter(names.values())
        clashing = {key for key, name in names.items() if counts[name] > 1 or name in taken}
        wider = {key for key in clashing if widths[key] < _widest(first[key])}
        if not wider:
            return {key: (names[key], location) for key, location in first.items()}
        widths = {key: width + (key in wider) for key, width in widths.items()}


def _widest(location: Location) -> int:
    return len(Path(location.where).parts) + (location.revision is not None)


def name_of(location: Location, width: int = 1) -> str:
    """A name made of the last ``width`` parts of a path or hub id; beyond them, of the revision too."""
    parts = [part for part in Path(location.where).parts if part != "/"]
    kept = parts[-width:]
    if width > len(parts) and location.revision is not None:
        kept = [*kept, location.revision]
    return re.sub(r"[^A-Za-z0-9._-]", "-", "-".join(kept)).lstrip("-._") or "unnamed"
