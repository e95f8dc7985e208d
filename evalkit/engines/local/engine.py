"""The engine that runs transformers models in this process; imports torch when it first loads weights."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.engines.base import Pulse
from evalkit.engines.local.batches import Row
from evalkit.engines.local.digests import DigestCache
from evalkit.engines.local.facts import cpu_four_bit_path, device_type, identity_facts, int8_note, package_versions
from evalkit.engines.local.libraries import import_libraries
from evalkit.engines.local.memory import Memory, memory_of, weight_bytes
from evalkit.engines.local.near_ties import is_exact
from evalkit.engines.local.placing import Placing
from evalkit.engines.local.rendering import CannotRender
from evalkit.engines.local.settings import LocalSettings
from evalkit.engines.local.sources import Sources
from evalkit.errors import EvalkitError
from evalkit.generation import Failure, Generation, Request
from evalkit.identity import conversation
from evalkit.preflight import Finding
from evalkit.target import Adapter, Engine, Quantisation, Settings, Target
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.engines.local.loaded import Loaded

NF4 = Quantisation("nf4", "nf4")
WeightsKey = tuple[object, ...]
Replies = list[tuple[str, Generation | Failure]]
SLICE_S = 0.08
"""How long a step lasts, unless one pass of the model takes longer: servers are stepped in between."""


class _GivenUp(Exception):
    """The pulse asked to stop while weights were being loaded."""


class LocalEngine:
    """Generates with transformers, peft and bitsandbytes in a decode loop of its own, a slice of time per ``step``.

    Which rows run together depends on what is queued when ``step`` is called, not on the order in which it came.
    A base that cannot be loaded is an EngineError; an adapter that cannot be applied is a Failure of its own rows.
    """

    capabilities = frozenset({"adapters", "score", "logit_bias"})

    def __init__(self, engine: Engine, pulse: Pulse, root: Path) -> None:
        self._settings = LocalSettings.of(engine)
        self._pulse = pulse
        self._placing = Placing(lambda: pulse(0))
        self._sources = Sources(DigestCache(Workspace(root).state / "digests.json"), self._placing.read)
        self._queue: dict[str, Request] = {}
        self._unrendered: dict[str, Request] = {}
        self._rendered: list[Row] = []
        self._current: WeightsKey | None = None
        self._loaded: dict[WeightsKey, Loaded] = {}

    def bound_batches(self, rows: int) -> None:
        """From now on at most ``rows`` of them run together."""
        self._settings = replace(self._settings, max_batch_rows=min(rows, self._settings.max_batch_rows))
        for loaded in self._loaded.values():
            loaded.loop.bound_rows(rows)

    @property
    def rows_in_flight(self) -> int:
        """How many rows are being decoded at this moment."""
        return sum(loaded.loop.rows_in_flight for loaded in self._loaded.values())

    def identity_facts(self, target: Target) -> Settings:
        """Weights and adapter digests, quantisation, dtype, device and the like, without loading weights.

        Raises:
            EngineError: the target's files, device or quantisation cannot be used.
        """
        facts = identity_facts(target, self._settings, self._sources)
        if self._settings.one_by_one and not is_exact(target.quantisation):
            return tuple(sorted((*facts, ("one_by_one", True))))  # such arithmetic may answer otherwise in a batch
        return facts

    def load(self, target: Target, adapters: tuple[tuple[Adapter, ...], ...]) -> None:
        """Have the target's base in memory, with these adapters on it as far as they can be applied.

        Raises:
            EngineError: the base cannot be loaded.
            MissingPackage: an optional package is needed.
        """
        try:
            loaded = self._load_base(target, adapters)
            for chosen in self._placing.adapters(adapters):
                loaded.mount(chosen, self._sources)
                self._tick()
        except _GivenUp:
            return

    @property
    def loading(self) -> tuple[str, float | None]:
        return self._placing.state

    def load_note(self, target: Target, adapters: tuple[tuple[Adapter, ...], ...]) -> str | None:
        """About how much memory the target will take; None where it is loaded or its files cannot be used."""
        if target.weights in self._loaded:
            return None
        import_libraries()
        try:
            folder = self._sources.folder(target.model)
            return self._memory(target, folder, adapters).sentence
        except EvalkitError:  # loading says it
            return None

    @property
    def inspection_facts(self) -> Settings:
        """The versions of what loads and generates."""
        return tuple(package_versions().items())

    def inspect_files(self, target: Target) -> tuple[Finding, ...]:
        """What the target's files say of it.

        Raises:
            EngineError: files are missing or broken.
        """
        import_libraries()
        from evalkit.engines.local.preflight.examination import examine_files

        return examine_files(target, self._sources, self._pulse)

    def inspect_loaded(self, target: Target) -> Finding:
        """Whether the target's adapters move the logits of its loaded base.

        Raises:
            EngineError: they cannot be put on it.
        """
        return self._load_base(target).inspect(target, self._sources)

    def submit(self, request_id: str, request: Request) -> None:
        self._queue[request_id] = self._unrendered[request_id] = request

    def step(self) -> Replies:
        """What is answered within a slice of time, perhaps nothing; empty if nothing is queued."""
        until = time.perf_counter() + SLICE_S
        target = self._next_target()
        if target is None:
            return []
        try:
            loaded = self._load_base(target)
        except _GivenUp:
            return []
        except EvalkitError as error:
            queued = [name for name, request in self._queue.items() if request.target.weights == target.weights]
            return self._answered([(name, Failure(str(error))) for name in queued])
        self._current = target.weights
        refused, is_rendered = self._render(loaded, until)
        if not is_rendered:
            return self._answered(refused)
        loaded.loop.add(self._rendered)
        self._rendered = []
        replies, dropped = loaded.loop.run(self._pulse, until)
        result = self._answered([*refused, *replies])
        for name in dropped:
            self.cancel(name)
        return result

    def cancel(self, request_id: str) -> None:
        request = self._queue.pop(request_id, None)
        self._unrendered.pop(request_id, None)
        self._rendered = [row for row in self._rendered if row.request_id != request_id]
        if request is not None and request.target.weights in self._loaded:
            self._loaded[request.target.weights].loop.cancel(request_id)

    def close(self) -> None:
        self._queue.clear()
        self._unrendered.clear()
        self._rendered.clear()
        self._current = None
        self._free(list(self._loaded))

    def _answered(self, replies: Replies) -> Replies:
        """The replies whose requests are still wanted, which are thereby done."""
        wanted = [(name, reply) for name, reply in replies if name in self._queue]
        for name, _ in wanted:
            del self._queue[name]
            self._unrendered.pop(name, None)
        return wanted

    def _next_target(self) -> Target | None:
        """A target of the weights to run now: those that run, then others in memory, then by label."""
        running = self._loaded.get(self._current) if self._current is not None else None
        if running is not None and (self._rendered or not running.loop.is_idle):
            return running.target
        targets = (request.target for request in self._queue.values())
        return min(targets, key=lambda target: (target.weights not in self._loaded, target.label), default=None)

    def _memory(self, target: Target, folder: Path, adapters: tuple[tuple[Adapter, ...], ...]) -> Memory:
        """What the target and these adapters will take; an adapter that cannot be used takes nothing."""
        folders = []
        for adapter in dict.fromkeys(adapter for chosen in adapters for adapter in chosen):
            with suppress(EvalkitError):
                folders.append(self._sources.folder(adapter))
        return memory_of(target, folder, folders, self._settings, device_type(self._settings))

    def _load_base(self, target: Target, adapters: tuple[tuple[Adapter, ...], ...] = ()) -> Loaded:
        key = target.weights
        if key not in self._loaded:
            in_use = {request.target.weights for request in self._queue.values()}
            self._free([other for other in self._loaded if other not in in_use])
            import_libraries()
            device = device_type(self._settings)
            folder = self._sources.folder(target.model)
            memory = self._memory(target, folder, adapters)
            memory.check_fits(replace(memory, kind="nf4", weights=weight_bytes(folder, NF4, "bf16")))
            print(f"Loading {target.label}: {memory.sentence}", file=sys.stderr, flush=True)
            self._tick()
            from evalkit.engines.local.loaded import Loaded

            facts = {
                **package_versions(),
                "cpu_4bit_path": cpu_four_bit_path(target.quantisation, device),
                "int8_threshold": int8_note(target.quantisation),
                "threads": self._settings.thread_count,
            }
            with self._placing.weights():
                self._loaded[key] = Loaded(target, folder, device, self._settings, facts, memory, self._tick)
            self._tick()
        return self._loaded[key]

    def _render(self, loaded: Loaded, until: float) -> tuple[Replies, bool]:
        """Makes rows of what was submitted for these weights, one at least in however short a slice.

        Those that can have no answer, and whether it is done.
        """
        refused: Replies = []
        mine = [name for name, request in self._unrendered.items() if request.target.weights == loaded.target.weights]
        for count, name in enumerate(mine):
            if count and time.perf_counter() >= until:
                return refused, False
            row = self._row(name, self._unrendered.pop(name), loaded)
            if isinstance(row, Failure):
                refused.append((name, row))
            else:
                self._rendered.append(row)
        return refused, True

    def _row(self, name: str, request: Request, loaded: Loaded) -> Row | Failure:
        """The rendered request, or why it can have no answer."""
        try:
            adapter = loaded.mount(request.target.adapters, self._sources, request.target.merged)
            return loaded.row(name, request, conversation(request), adapter)
        except (EvalkitError, CannotRender) as error:
            return Failure(str(error))

    def _tick(self) -> None:
        if self._pulse(0):
            raise _GivenUp

    def _free(self, keys: list[WeightsKey]) -> None:
        for key in keys:
            self._current = None if key == self._current else self._current
            self._loaded.pop(key).close()
