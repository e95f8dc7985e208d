"""One base model in memory with its adapters: renders rows for it and answers them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from evalkit.engines.base import Pulse
from evalkit.engines.local.adapters import AdapterRack
from evalkit.engines.local.batches import Batch, Row
from evalkit.engines.local.generating import answer_batch, release_memory
from evalkit.engines.local.settings import LocalSettings
from evalkit.engines.local.sources import Sources
from evalkit.engines.local.weights import load_weights
from evalkit.errors import EvalkitError
from evalkit.generation import Failure, Reply, Request
from evalkit.identity import Conversation
from evalkit.target import Adapter, Target


class Loaded:
    """Weights in memory. ``facts`` are the provenance that does not come from the weights themselves.

    Raises:
        EngineError: the weights cannot be loaded.
        MissingPackage: the quantisation needs a package that is not installed.
    """

    def __init__(
        self, target: Target, folder: Path, device: str, settings: LocalSettings, facts: dict[str, Any],
        tick: Callable[[], None],
    ) -> None:  # fmt: skip
        torch.set_num_threads(settings.thread_count)
        self.weights = load_weights(target, folder, device, tick)
        self._rack = AdapterRack(self.weights.model, device)
        self._refused: dict[tuple[str, str | None], EvalkitError] = {}
        loaded = {"attention": self.weights.attention, "device": _device_name(device), "dtype": self.weights.dtype}
        self._facts = tuple(sorted((name, value) for name, value in {**facts, **loaded}.items() if value is not None))

    def mount(self, adapter: Adapter, sources: Sources) -> str | None:
        """The adapter's internal name, loading it if need be; None if it was refused before."""
        key = (adapter.location, adapter.revision)
        if key not in self._refused:
            try:
                self._rack.mount(adapter, sources.folder(adapter))
            except EvalkitError as error:
                self._refused[key] = error
        return self._rack.name_of(adapter)

    def row(self, name: str, request: Request, messages: Conversation, adapter: str | None) -> Row | Failure:
        """The request made ready for a batch, or why it can have no answer.

        Raises:
            CannotRender: the chat template refuses the conversation.
        """
        for wanted in request.target.adapters:
            refusal = self._refused.get((wanted.location, wanted.revision))
            if refusal is not None:
                return Failure(str(refusal))
        ids = self.weights.renderer.prompt_ids(messages)
        longest, new = self.weights.longest, request.decoding.max_new_tokens
        if longest is not None and len(ids) + new > longest:
            return Failure(
                f"The prompt has {len(ids)} tokens and max_new_tokens is {new}: {len(ids) + new} together, and the "
                f"model holds {longest}. Shorten the prompt or lower max_new_tokens."
            )
        alone = adapter if adapter is not None and self._rack.runs_alone(adapter) else None
        return Row(name, request, ids, self.weights.renderer.placement(messages), adapter, alone)

    def answer(self, batch: Batch, pulse: Pulse) -> dict[str, Reply]:
        return answer_batch(self.weights, self._rack, batch, self._facts, pulse)

    def close(self) -> None:
        """Let go of the memory; nothing may be asked of this any more."""
        del self.weights, self._rack
        release_memory()


def _device_name(device: str) -> str:
    return torch.cuda.get_device_name(0) if device == "cuda" else "cpu"
