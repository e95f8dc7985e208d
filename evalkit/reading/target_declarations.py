"""Entries of targets.yaml turned into what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

from evalkit.errors import Problem, UnreadableFile
from evalkit.reading.decodings import decoding_problem, sampling_problem, settings_of
from evalkit.reading.drafts import GREEDY, NAKED, NAME, SERVED, NamedAdapter, NamedDecoding, NamedModel
from evalkit.reading.engine_settings import ENGINE_KINDS, engine_of
from evalkit.reading.locations import HUB_ID, Location, locate
from evalkit.reading.places import Place
from evalkit.reading.served_models import price_of, refuse_served_keys, served_model
from evalkit.reading.target_axes import Axes, read_condition
from evalkit.reading.target_files import TargetFile, located
from evalkit.reading.target_schema import (
    AdapterEntry,
    ConditionEntry,
    DecodingEntry,
    ModelEntry,
    QuantisationEntry,
)
from evalkit.target import MERGED, Adapter, Condition, Engine, LoadedKind, Model, Price, Quantisation, Settings
from evalkit.workspace import Workspace, builtin_root

KINDS: tuple[LoadedKind, ...] = get_args(LoadedKind)
FOUR_BIT = ("nf4", "fp4")
RESERVED = {"adapters": ("none", MERGED), "conditions": ("naked",), "quantisations": (SERVED,)}
Made = TypeVar("Made")


@dataclass(slots=True)
class Declarations:
    """Collects what the files declare, and every mistake, so that all are shown at once."""

    workspace: Workspace
    files: tuple[TargetFile, ...]
    problems: list[Problem] = field(default_factory=list)
    engines: dict[str, Engine] = field(default_factory=dict)
    prices: dict[str, Price] = field(default_factory=dict)

    def axes(self) -> Axes:
        """Every declared and built-in name; a later file replaces what an earlier one declared.

        Raises:
            UnreadableFile: with every mistake of every file.
        """
        self.engines.update({kind: Engine(kind, kind) for kind in ENGINE_KINDS})
        self.engines.update(self._gather("engines", engine_of))
        self.prices.update(
            (model, price_of(entry)) for file in self.files for model, entry in file.content.prices.items()
        )
        axes = Axes(
            workspace=self.workspace,
            models=self._gather("models", self._model),
            adapters=self._gather("adapters", self._adapter),
            quantisations={
                **{kind: Quantisation(kind, kind) for kind in KINDS},
                SERVED: Quantisation(SERVED, SERVED),
                **self._gather("quantisations", _quantisation),
            },
            conditions={NAKED.name: NAKED, **self._gather("conditions", self._condition)},
            decodings={GREEDY.name: GREEDY, **self._gather("decodings", _decoding)},
            engines=self.engines,
        )
        if self.problems:
            order = {file.shown: rank for rank, file in enumerate(self.files)}
            raise UnreadableFile(sorted(self.problems, key=lambda one: (order.get(one.file, 0), one.line or 0)))
        return axes

    def _gather(self, section: str, make: Callable[[TargetFile, str, Any], Made]) -> dict[str, Made]:
        found: dict[str, Made] = {}
        for file in self.files:
            for name, entry in getattr(file.content, section).items():
                try:
                    _check_name(section, name, file.place(section, name))
                    found[name] = make(file, name, entry)
                except UnreadableFile as error:
                    self.problems.extend(error.problems)
        return found

    def _model(self, file: TargetFile, name: str, entry: ModelEntry) -> NamedModel:
        decoding = _settings(file, ("models", name, "decoding"), entry.decoding or DecodingEntry())
        if entry.id is not None and entry.path is None and entry.hub is None:
            served, engine = served_model(file, name, entry, self.engines, self.prices)
            return NamedModel(served, file.place("models", name), True, decoding, engine)
        refuse_served_keys(file, name, entry)
        location = self._location(file, "models", name, entry)
        model = Model(
            name, location.where, location.is_local, location.shown, location.revision,
            entry.trust_remote_code, entry.demo,
        )  # fmt: skip
        return NamedModel(model, file.place("models", name), True, decoding)

    def _adapter(self, file: TargetFile, name: str, entry: AdapterEntry) -> NamedAdapter:
        if entry.id is not None and entry.path is None and entry.hub is None:
            served = Adapter(name, entry.id, False, entry.id, entry.revision)
            return NamedAdapter(served, file.place("adapters", name), True, entry.base, entry.id, True)
        location = self._location(file, "adapters", name, entry)
        adapter = Adapter(name, location.where, location.is_local, location.shown, location.revision)
        return NamedAdapter(adapter, file.place("adapters", name), True, entry.base, entry.id)

    def _location(self, file: TargetFile, section: str, name: str, entry: ModelEntry | AdapterEntry) -> Location:
        served_id = entry.id if isinstance(entry, ModelEntry) else None
        given = [key for key, value in (("path", entry.path), ("hub", entry.hub), ("id", served_id)) if value]
        if len(given) != 1:
            expected = "path (a folder), hub (an id on the hub) or id (a server's)"
            if isinstance(entry, AdapterEntry):
                expected = "path (a folder), hub (an id on the hub) or id (a server's)"
            found = " and ".join(given) or "none of them"
            raise file.place(section, name).error(f"expected {expected}, found {found}.")
        if entry.hub is not None:
            match = HUB_ID.fullmatch(entry.hub)
            if match is None:
                raise file.place(section, name, "hub").error(
                    f"expected a hub id such as org/name, found {entry.hub!r}. Write a folder as path."
                )
            return Location(match["id"], False, match["id"], entry.revision or match["revision"])
        if entry.revision is not None:
            raise file.place(section, name, "revision").error("a folder has no revision. Take this line out.")
        text = str(entry.path)
        found_at = locate(text, (self.workspace.root, builtin_root()))
        if found_at is not None and found_at.is_local:
            return found_at
        return Location(str((self.workspace.root / Path(text).expanduser()).absolute()), True, text)

    def _condition(self, file: TargetFile, name: str, entry: ConditionEntry) -> Condition:
        if (entry.file is None) == (entry.system is None):
            found = "neither" if entry.file is None else "both"
            raise file.place("conditions", name).error(f"expected file or system (its text), found {found}.")
        if entry.file is not None:
            place = file.place("conditions", name, "file")
            path = located(entry.file, self.workspace, place)
            return Condition(name, read_condition(path, entry.file, place), entry.file)
        text = str(entry.system).rstrip()
        if not text:
            raise file.place("conditions", name, "system").error("expected a system prompt, found an empty text.")
        return Condition(name, text, file.shown)


def _check_name(section: str, name: str, place: Place) -> None:
    if name in RESERVED.get(section, ()):
        raise place.error(f"{name!r} is built in and cannot be declared. Choose another name.")
    if not NAME.fullmatch(name):
        raise place.error(
            f"{name!r} is no name: a label needs letters, digits, '.', '_' and '-', a letter or digit first."
        )


def _quantisation(file: TargetFile, name: str, entry: QuantisationEntry) -> Quantisation:
    place = file.place("quantisations", name)
    kind = entry.kind or next((kind for kind in KINDS if kind == name), None)
    if kind is None:
        raise place.error(f"kind is missing. Add one of {', '.join(KINDS)}.")
    if name in KINDS and kind != name:
        raise place.error(f"{name!r} is built in and cannot be of kind {kind!r}. Choose another name.")
    allowed = {
        "compute_dtype": (*FOUR_BIT, "int8"), "double_quant": FOUR_BIT, "int8_threshold": ("int8",),
    }  # fmt: skip
    for setting, kinds in allowed.items():
        if getattr(entry, setting) is not None and kind not in kinds:
            raise file.place("quantisations", name, setting).error(
                f"has no effect on {kind}; it is for {', '.join(kinds)}. Take this line out."
            )
    threshold = 6.0 if entry.int8_threshold is None else float(entry.int8_threshold)
    if threshold < 0:
        raise file.place("quantisations", name, "int8_threshold").error(f"expected 0 or more, found {threshold:g}.")
    return Quantisation(name, kind, entry.compute_dtype, bool(entry.double_quant), threshold)


def _decoding(file: TargetFile, name: str, entry: DecodingEntry) -> NamedDecoding:
    written = entry.model_dump(exclude_none=True)
    problem = sampling_problem(written)
    if problem is not None:
        raise file.place("decodings", name, problem[0]).error(problem[1])
    settings = dict(_settings(file, ("decodings", name), entry))
    return NamedDecoding(name, settings_of({"temperature": 0.0, **settings}))


def _settings(file: TargetFile, path: tuple[str, ...], entry: DecodingEntry) -> Settings:
    written = entry.model_dump(exclude_none=True)
    problem = decoding_problem(written)
    if problem is not None:
        raise file.place(*path, problem[0]).error(problem[1])
    return settings_of(written)
