"""The engine that runs transformers models in this process; imports torch when it first loads weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.engines.base import Pulse
from evalkit.engines.local.batches import Row, next_batch
from evalkit.engines.local.digests import DigestCache
from evalkit.engines.local.facts import cpu_four_bit_path, device_type, identity_facts, package_versions
from evalkit.engines.local.rendering import CannotRender
from evalkit.engines.local.settings import LocalSettings
from evalkit.engines.local.sources import Sources
from evalkit.errors import EngineError, EvalkitError
from evalkit.generation import Failure, Generation, Request
from evalkit.identity import conversation
from evalkit.target import Adapter, Engine, Settings, Target
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.engines.local.loaded import Loaded

WeightsKey = tuple[object, ...]
Replies = list[tuple[str, Generation | Failure]]


class _GivenUp(Exception):
    """The pulse asked to stop while weights were being loaded."""


class LocalEngine:
    """Generates with transformers, peft and bitsandbytes in length-sorted static batches, one per ``step``.

    Which rows share a batch depends on what is queued when ``step`` is called, not on the order in which it came.
    A base that cannot be loaded is an EngineError; an adapter that cannot be applied is a Failure of its own rows.
    """

    capabilities = frozenset({"adapters"})

    def __init__(self, engine: Engine, pulse: Pulse, root: Path) -> None:
        self._settings = LocalSettings.of(engine)
        self._pulse = pulse
        self._sources = Sources(DigestCache(Workspace(root).state / "digests.json"))
        self._queue: dict[str, Request] = {}
        self._rows: dict[str, Row] = {}
        self._loaded: dict[WeightsKey, Loaded] = {}

    def bound_batches(self, rows: int) -> None:
        """From now on at most ``rows`` of them run together."""
        self._settings = replace(self._settings, max_batch_rows=min(rows, self._settings.max_batch_rows))

    def identity_facts(self, target: Target) -> Settings:
        """Weights and adapter digests, quantisation, dtype, device and the like, without loading weights.

        Raises:
            EngineError: the target's files, device or quantisation cannot be used.
        """
        _refuse_several(target.adapters, target.label)
        return identity_facts(target, self._settings, self._sources)

    def load(self, target: Target, adapters: tuple[tuple[Adapter, ...], ...]) -> None:
        """Have the target's base in memory, with these adapters on it as far as they can be applied.

        Raises:
            EngineError: the base cannot be loaded.
            MissingPackage: an optional package is needed.
        """
        try:
            loaded = self._load_base(target)
            for chosen in adapters:
                if len(chosen) == 1:
                    loaded.mount(chosen[0], self._sources)
                    self._tick()
        except _GivenUp:
            return

    def submit(self, request_id: str, request: Request) -> None:
        self._queue[request_id] = request

    def step(self) -> Replies:
        """The replies of one batch, and of requests that can have no answer; empty if nothing is queued."""
        target = self._next_target()
        if target is None:
            return []
        queued = [name for name, request in self._queue.items() if request.target.weights == target.weights]
        try:
            loaded = self._load_base(target)
        except _GivenUp:
            return []
        except EvalkitError as error:
            return self._answered([(name, Failure(str(error))) for name in queued])
        refused: Replies = []
        for name in queued:
            if name not in self._rows:
                row = self._row(name, self._queue[name], loaded)
                if isinstance(row, Failure):
                    refused.append((name, row))
                else:
                    self._rows[name] = row
        rows = [self._rows[name] for name in queued if name in self._rows]
        bound = self._settings.token_bound(loaded.weights.device)
        batch = next_batch(rows, self._settings.max_batch_rows, bound)
        replies = loaded.answer(batch, self._pulse) if batch else {}
        result = self._answered([*refused, *replies.items()])
        for row in batch:  # what has no reply by now was given up
            self.cancel(row.request_id)
        return result

    def cancel(self, request_id: str) -> None:
        self._queue.pop(request_id, None)
        self._rows.pop(request_id, None)

    def close(self) -> None:
        self._queue.clear()
        self._rows.clear()
        self._free(list(self._loaded))

    def _answered(self, replies: Replies) -> Replies:
        """The replies whose requests are still wanted, which are thereby done."""
        wanted = [(name, reply) for name, reply in replies if name in self._queue]
        for name, _ in wanted:
            self.cancel(name)
        return wanted

    def _next_target(self) -> Target | None:
        """A target of the weights to run now: those in memory first, then by label."""
        targets = (request.target for request in self._queue.values())
        return min(targets, key=lambda target: (target.weights not in self._loaded, target.label), default=None)

    def _load_base(self, target: Target) -> Loaded:
        key = target.weights
        if key not in self._loaded:
            in_use = {request.target.weights for request in self._queue.values()}
            self._free([other for other in self._loaded if other not in in_use])
            device = device_type(self._settings)
            folder = self._sources.folder(target.model)
            self._tick()
            from evalkit.engines.local.loaded import Loaded

            facts = {
                **package_versions(),
                "cpu_4bit_path": cpu_four_bit_path(target.quantisation, device),
                "threads": self._settings.thread_count,
            }
            self._loaded[key] = Loaded(target, folder, device, self._settings, facts, self._tick)
            self._tick()
        return self._loaded[key]

    def _row(self, name: str, request: Request, loaded: Loaded) -> Row | Failure:
        """The rendered request, or why it can have no answer."""
        if request.kind == "score":
            return Failure("The local engine generates text and does not score continuations.")
        try:
            _refuse_several(request.target.adapters, request.target.label)
            adapter = loaded.mount(request.target.adapters[0], self._sources) if request.target.adapters else None
            return loaded.row(name, request, conversation(request), adapter)
        except (EvalkitError, CannotRender) as error:
            return Failure(str(error))

    def _tick(self) -> None:
        if self._pulse(0):
            raise _GivenUp

    def _free(self, keys: list[WeightsKey]) -> None:
        for key in keys:
            self._loaded.pop(key).close()


def _refuse_several(adapters: tuple[Adapter, ...], label: str) -> None:
    if len(adapters) > 1:
        names = ", ".join(repr(adapter.name) for adapter in adapters)
        raise EngineError(
            f"Target {label!r} asks for {len(adapters)} adapters at once ({names}); the local engine applies one. "
            "Merge them with peft's add_weighted_adapter and name the result."
        )
