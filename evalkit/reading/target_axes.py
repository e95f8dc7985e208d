"""A name on one axis, declared or not, and what it stands for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from evalkit.reading.decodings import inline_decoding
from evalkit.reading.drafts import NAME, Chain, NamedAdapter, NamedDecoding, NamedModel, name_of
from evalkit.reading.locations import GGUF, Location, locate
from evalkit.reading.places import Place, unknown_name
from evalkit.target import MERGED, Adapter, Condition, Engine, Model, Quantisation
from evalkit.workspace import Workspace, builtin_root

Named = TypeVar("Named")
RECORDINGS = "fixtures/recordings"
WEIGHTS_HINT = "A path or a hub id (org/name) works too."


@dataclass(frozen=True, slots=True)
class Axes:
    """Every name that is declared or built in; what is not found there may be a path, a hub id or inline settings."""

    workspace: Workspace
    models: Mapping[str, NamedModel] = field(default_factory=dict)
    adapters: Mapping[str, NamedAdapter] = field(default_factory=dict)
    quantisations: Mapping[str, Quantisation] = field(default_factory=dict)
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    decodings: Mapping[str, NamedDecoding] = field(default_factory=dict)
    engines: Mapping[str, Engine] = field(default_factory=dict)

    def model(self, name: str, place: Place) -> NamedModel:
        if name in self.models:
            return self.models[name]
        if name.lower().endswith(".gguf"):
            raise place.error(GGUF.format(shown=name))
        location = locate(name, self.roots(place))
        if location is None:
            raise place.error(f"{unknown_name('model', name, self.models)} {WEIGHTS_HINT}")
        return self.model_at(location, place)

    def model_at(self, location: Location, place: Place) -> NamedModel:
        """The declared model that lies there, else an undeclared one named after its place."""
        loaded = (named for named in self.models.values() if named.model.served is None)
        there = [named for named in loaded if named.location.is_same(location)]
        for named in sorted(there, key=lambda named: named.model.revision != location.revision):
            if location.revision in (None, "main", named.model.revision):
                return named
        model = Model(name_of(location), location.where, location.is_local, location.shown, location.revision)
        return NamedModel(model, place)

    def adapter(self, name: str, place: Place) -> NamedAdapter:
        if name in self.adapters:
            return self.adapters[name]
        location = locate(name, self.roots(place))
        if location is None:
            raise place.error(f"{unknown_name('adapter', name, (*self.adapters, 'none'))} {WEIGHTS_HINT}")
        for named in self.adapters.values():
            if named.location.is_same(location) and location.revision in (None, named.adapter.revision):
                return named
        adapter = Adapter(name_of(location), location.where, location.is_local, location.shown, location.revision)
        return NamedAdapter(adapter, place)

    def chain(self, text: str, place: Place) -> Chain:
        """The adapters of ``none``, of one name, or of names joined by ``+`` and applied in that order.

        ``+merged`` at the end merges them into the base.
        """
        if text == "none":
            return Chain()
        if text in self.adapters or any((root / text).exists() for root in self.roots(place)):
            return Chain((self.adapter(text, place),))
        *names, last = text.split("+")
        merged = last == MERGED and bool(names)
        return Chain(tuple(self.adapter(name, place) for name in (names if merged else [*names, last])), merged)

    def quantisation(self, name: str, place: Place) -> Quantisation:
        return _declared(self.quantisations, "quantisation", name, place)

    def condition(self, text: str, place: Place) -> Condition:
        """A declared condition, or on the command line ``NAME=PATH``, the text of any file."""
        name, given, path = text.partition("=")
        if not given or not place.is_option:
            return _declared(self.conditions, "condition", text, place)
        if not NAME.fullmatch(name):
            raise place.error(f"{name!r} is no name for a condition. Use letters, digits, '.', '_' and '-'.")
        files = (root / Path(path).expanduser() for root in self.roots(place))
        found = next((file for file in files if file.is_file()), None)
        if found is None:
            raise place.error(f"no file {path}. Write NAME=PATH with the path of the system prompt's text.")
        condition = Condition(name, read_condition(found, path, place), path)
        if name in self.conditions and self.conditions[name].system != condition.system:
            raise place.error(f"{name!r} is declared already, with another text. Choose another name for {path}.")
        return condition

    def decoding(self, text: str, place: Place) -> NamedDecoding:
        if "=" in text:
            return inline_decoding(text, place)
        return _declared(self.decodings, "decoding", text, place)

    def engine(self, text: str, place: Place) -> Engine:
        """A declared or built-in engine, or ``replay=FILE`` for one file of recordings."""
        name, given, path = text.partition("=")
        if not given:
            return _declared(self.engines, "engine", text, place)
        if name != "replay":
            raise place.error(f"only replay takes a file, found {text!r}. Write replay=FILE, or the engine's name.")
        return Engine("replay", "replay", (("recordings", (self.recording(path, place),)),))

    def recording(self, path: str, place: Place) -> str:
        """A file or pattern of recordings, relative to fixtures/recordings as the replay engine wants it."""
        folder = self.workspace.root / RECORDINGS
        for root in (*self.roots(place), folder):
            absolute = Path(os.path.abspath(root / path))
            pattern = absolute.relative_to(folder).as_posix() if absolute.is_relative_to(folder) else ""
            if pattern and any(folder.glob(pattern)):
                return pattern
        raise place.error(
            f"no recordings {path!r} in {RECORDINGS}. Record some with --eval-record {RECORDINGS}/NAME.jsonl"
        )

    def one_by_one(self) -> Axes:
        """The same names, with local engines that run every row alone."""
        alone = {"one_by_one": True}
        engines = {
            name: replace(engine, settings=tuple(sorted({**dict(engine.settings), **alone}.items())))
            if engine.kind == "local"
            else engine
            for name, engine in self.engines.items()
        }
        return replace(self, engines=engines)

    def roots(self, place: Place) -> tuple[Path, ...]:
        """Where a relative path may start: on the command line at the current folder first."""
        here = (Path.cwd(),) if place.is_option else ()
        return (*here, self.workspace.root, builtin_root())


def read_condition(file: Path, shown: str, place: Place) -> str:
    """The text of a condition, without blank space at its end.

    Raises:
        EvalkitError: the file is no UTF-8 text, or holds none.
    """
    try:
        text = file.read_text(encoding="utf-8").rstrip()
    except (OSError, UnicodeDecodeError) as error:
        raise place.error(f"{shown} cannot be read as UTF-8 text: {error}") from error
    if not text:
        raise place.error(f"{shown} is empty. Write the system prompt into it, or use the condition naked.")
    return text


def _declared(known: Mapping[str, Named], kind: str, name: str, place: Place) -> Named:
    if name not in known:
        raise place.error(unknown_name(kind, name, known))
    return known[name]
