"""One base model in memory with its adapters: renders rows for it and answers them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from evalkit.engines.local.adapters import AdapterRack
from evalkit.engines.local.batches import Row
from evalkit.engines.local.biases import biases
from evalkit.engines.local.flights import can_group
from evalkit.engines.local.generating import Loop
from evalkit.engines.local.memory import Memory
from evalkit.engines.local.memory_errors import release_memory
from evalkit.engines.local.near_ties import is_exact, noise_of
from evalkit.engines.local.prefix_reuse import PrefixReuse
from evalkit.engines.local.preflight.examination import guarded
from evalkit.engines.local.preflight.movement import check_movement
from evalkit.engines.local.scheduling import Schedule
from evalkit.engines.local.settings import LocalSettings
from evalkit.engines.local.sources import Sources
from evalkit.engines.local.weights import load_weights
from evalkit.errors import EvalkitError
from evalkit.generation import Failure, Request
from evalkit.identity import Conversation
from evalkit.preflight import Finding
from evalkit.target import Adapter, Target


class Loaded:
    """Weights in memory with the ``loop`` that answers rows on them. ``facts`` are the provenance that is not theirs.

    Raises:
        EngineError: the weights cannot be loaded.
        MissingPackage: the quantisation needs a package that is not installed.
    """

    def __init__(
        self, target: Target, folder: Path, device: str, settings: LocalSettings, facts: dict[str, Any],
        memory: Memory, tick: Callable[[], None],
    ) -> None:  # fmt: skip
        torch.set_num_threads(settings.thread_count)
        self.target = target
        self.weights = load_weights(target, folder, device, memory, tick)
        self._rack = AdapterRack(self.weights.model, device, settings.max_adapters)
        self._refused: dict[tuple[tuple[Adapter, ...], bool], EvalkitError] = {}
        loaded = {"attention": self.weights.attention, "device": _device_name(device), "dtype": self.weights.dtype}
        known = tuple(sorted((name, value) for name, value in {**facts, **loaded}.items() if value is not None))
        one_by_one = settings.one_by_one or not can_group(self.weights.model)
        schedule = Schedule(settings.max_batch_rows, settings.token_bound(device), one_by_one)
        noise = noise_of(target.quantisation, self.weights.dtype)
        is_reusing = settings.prefix_reuse and not one_by_one
        reuse = PrefixReuse(self.weights, self._rack, settings.token_bound(device)) if is_reusing else None
        self.loop = Loop(self.weights, self._rack, schedule, known, noise, is_exact(target.quantisation), reuse)

    def mount(self, adapters: tuple[Adapter, ...], sources: Sources, merged: bool = False) -> str | None:
        """The internal name of these adapters on one row, loading them if need be; None if there are none or refused.

        One that was refused is not tried again.
        """
        key = (adapters, merged)
        if key not in self._refused:
            try:
                return self._rack.mount(adapters, merged, sources.folder)
            except EvalkitError as error:
                self._refused[key] = error
        return None

    def inspect(self, target: Target, sources: Sources) -> Finding:
        """Whether the target's adapters move the logits.

        Raises:
            EngineError: they cannot be put on the base.
        """
        return guarded("logits", lambda: check_movement(target, self.weights, self._rack, sources.folder))

    def row(self, name: str, request: Request, messages: Conversation, adapter: str | None) -> Row | Failure:
        """The request made ready for a batch, or why it can have no answer.

        Raises:
            CannotRender: the chat template refuses the conversation.
        """
        refusal = self._refused.get((request.target.adapters, request.target.merged))
        if refusal is not None:
            return Failure(str(refusal))
        renderer = self.weights.renderer
        ids = renderer.prompt_ids(messages)
        continuation = () if request.continuation is None else renderer.continuation_ids(messages, request.continuation)
        if request.kind == "score" and not continuation:
            return Failure("There is nothing to score: the continuation has no tokens.")
        longest, new = self.weights.longest, len(continuation) or request.decoding.max_new_tokens
        if longest is not None and len(ids) + new > longest:
            what = "the continuation has" if continuation else "max_new_tokens is"
            remedy = "" if continuation else " or lower max_new_tokens"
            return Failure(
                f"The prompt has {len(ids)} tokens and {what} {new}: {len(ids) + new} together, and the "
                f"model holds {longest}. Shorten the prompt{remedy}."
            )
        bias = biases(request.decoding, renderer, self.weights.model.config.get_text_config().vocab_size)
        if isinstance(bias, Failure):
            return bias
        group = self._rack.group_of(adapter)
        return Row(name, request, ids, renderer.placement(messages), adapter, group, bias, continuation)

    def close(self) -> None:
        """Let go of the memory; nothing may be asked of this any more."""
        del self.weights, self._rack, self.loop
        release_memory()


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name(0) if device == "cuda" else "cpu"
