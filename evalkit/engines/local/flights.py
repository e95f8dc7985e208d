"""Forward passes of rows that decode together, or of one row exactly as ``generate`` runs it alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from evalkit.engines.local.adapters import AdapterRack
from evalkit.engines.local.arena import Arena
from evalkit.engines.local.drafting import Draft
from evalkit.engines.local.passes import Passes, accepted_inputs, positions_of
from evalkit.engines.local.prefilling import Layers, Past, prefill
from evalkit.engines.local.weights import Weights

GROUPABLE_LAYERS = ("full_attention", "sliding_attention")
WIDENING_ROPES = ('"dynamic"', '"longrope"')
"""Rotary embeddings that follow the longest row of a batch, so that a row's arithmetic depends on its neighbours."""


class Flight(Protocol):
    """Rows in the air; ``is_whole`` is false once a failure has left them in pieces.

    ``admit`` and ``advance`` give the logits after each row's newest token, of shape (rows, vocabulary). ``pasts`` is
    what is known of each row that is admitted, ``expected`` how many rows there will be once all are in that begin now.
    """

    drafts: list[Draft]

    @property
    def is_whole(self) -> bool: ...

    def admit(self, drafts: Sequence[Draft], pasts: Sequence[Past | None], expected: int) -> torch.Tensor: ...

    def advance(self) -> torch.Tensor: ...

    def leave(self, index: int) -> None:
        """Row ``index`` goes; the last one takes its place."""

    def known(self, index: int) -> Layers:
        """Copies of what row ``index`` holds: keys and values of all its tokens but the newest."""


class GroupFlight:
    """Any number of rows on the model's plain forward; others may be admitted while these decode."""

    def __init__(self, weights: Weights, rack: AdapterRack) -> None:
        self._weights = weights
        self._passes = Passes(weights, rack)
        self._arena = Arena()
        self.drafts: list[Draft] = []

    @property
    def is_whole(self) -> bool:
        return self._arena.row_count == len(self.drafts)

    def admit(self, drafts: Sequence[Draft], pasts: Sequence[Past | None], expected: int) -> torch.Tensor:
        prompts = [draft.row.prompt_ids for draft in drafts]
        logits, prefilled = prefill(self._passes, self._weights, prompts, pasts)
        self._arena.admit(prefilled, [draft.length for draft in drafts], expected)
        self.drafts.extend(drafts)
        return logits

    def advance(self) -> torch.Tensor:
        arena, device = self._arena, self._weights.device
        arena.make_room()
        ids = torch.tensor([[draft.ids[-1]] for draft in self.drafts], device=device)
        lengths = torch.tensor(arena.lengths, device=device)[:, None]
        padding = None
        if min(arena.lengths) < arena.width:
            padding = torch.arange(arena.width + 1, device=device) < arena.width - lengths
        logits = self._passes.logits(ids, padding, arena, lengths)
        arena.advance()
        return logits

    def leave(self, index: int) -> None:
        self._arena.leave(index)
        self.drafts[index] = self.drafts[-1]
        self.drafts.pop()

    def known(self, index: int) -> Layers:
        return self._arena.copied(index)


class LoneFlight:
    """One row, with the inputs and the cache that ``generate`` would give it: nothing of it depends on other rows."""

    def __init__(self, weights: Weights, rack: AdapterRack) -> None:
        self._weights = weights
        self._rack = rack
        self._ids = torch.empty((1, 0), dtype=torch.long)
        self._options: dict[str, Any] = {}
        self.drafts: list[Draft] = []

    @property
    def is_whole(self) -> bool:
        return True

    def admit(self, drafts: Sequence[Draft], pasts: Sequence[Past | None], expected: int) -> torch.Tensor:
        (draft,) = drafts
        model, device = self._weights.model, self._weights.device
        accepted = accepted_inputs(model)
        self._ids = torch.tensor([draft.row.prompt_ids], device=device)
        self._options = {"attention_mask": None, "use_cache": True}
        if "position_ids" in accepted:
            self._options["position_ids"] = torch.arange(draft.length, device=device)[None]
        if "logits_to_keep" in accepted:
            self._options["logits_to_keep"] = 1
        if model._supports_default_dynamic_cache():
            self._options["past_key_values"] = DynamicCache(config=model.config.get_text_config(decoder=True))
        logits = self._forward(None, is_first=True)
        self.drafts = [draft]
        return logits

    def advance(self) -> torch.Tensor:
        newest = torch.tensor([[self.drafts[0].ids[-1]]], device=self._weights.device)
        self._ids = torch.cat([self._ids, newest], dim=-1)
        return self._forward(1, is_first=False)

    def leave(self, index: int) -> None:
        self.drafts.pop(index)

    def known(self, index: int) -> Layers:
        raise NotImplementedError("a row that runs alone shares nothing")

    def _forward(self, new: int | None, is_first: bool) -> torch.Tensor:
        model = self._weights.model
        inputs = model.prepare_inputs_for_generation(
            self._ids, next_sequence_length=new, is_first_iteration=is_first, **self._options
        )
        output = self._rack.network(**inputs)
        self._options = model._update_model_kwargs_for_generation(output, self._options, is_encoder_decoder=False)
        logits: torch.Tensor = output.logits
        return logits[:, -1]


def lone_logits(weights: Weights, rack: AdapterRack, draft: Draft) -> torch.Tensor:
    """The logits after a row's newest token by one pass over its tokens alone, of shape (1, vocabulary)."""
    accepted = accepted_inputs(weights.model)
    ids = torch.tensor([[*draft.row.prompt_ids, *draft.ids]], device=weights.device)
    inputs: dict[str, Any] = {"input_ids": ids, "use_cache": False}
    if "position_ids" in accepted:
        inputs["position_ids"] = positions_of(ids, None)
    if "logits_to_keep" in accepted:
        inputs["logits_to_keep"] = 1
    logits: torch.Tensor = rack.network(**inputs).logits
    return logits[:, -1]


def can_group(model: Any) -> bool:
    """Whether rows of different lengths may share this model's forward without touching each other.

    Not so with states that are no keys and values, with attention in chunks, with keys shared between layers, and
    with rotary embeddings that follow the longest row.
    """
    config = model.config.get_text_config(decoder=True)
    ropes = json.dumps(getattr(config, "rope_parameters", None), default=str)
    if not model._supports_default_dynamic_cache() or any(rope in ropes for rope in WIDENING_ROPES):
        return False
    if getattr(config, "attention_chunk_size", None) or getattr(config, "num_kv_shared_layers", None):
        return False
    kinds = set(getattr(config, "layer_types", None) or ())
    layers = DynamicCache(config=config).layers
    return kinds <= set(GROUPABLE_LAYERS) and all(
        type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers
    )
