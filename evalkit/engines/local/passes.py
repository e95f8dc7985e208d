"""The model's forward over rows that share a pass: padded on the left, each at its own positions."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import torch

from evalkit.engines.local.adapters import AdapterRack
from evalkit.engines.local.attention import Sight, attending, takes_sight
from evalkit.engines.local.weights import Weights
from evalkit.errors import EngineError

UNUSED = "ignores the attention that evalkit's local engine gives it. Set `one_by_one: true`, or use transformers 5.23."


class Passes:
    """One base's passes; the adapters are those that its rack has applied."""

    def __init__(self, weights: Weights, rack: AdapterRack) -> None:
        self._weights = weights
        self._rack = rack
        self._accepted = accepted_inputs(weights.model)
        self._has_sight = takes_sight(weights.model)

    def logits(
        self, ids: torch.Tensor, padding: torch.Tensor | None, cache: Any, positions: torch.Tensor
    ) -> torch.Tensor:
        """The logits after each row's last token, of shape (rows, vocabulary).

        ``ids`` and ``positions`` have the shape (rows, new tokens). ``padding`` is True where a row has no token yet,
        of shape (rows, columns of the cache and new ones); None where nothing is padded.
        """
        inputs: dict[str, Any] = {"input_ids": ids, "past_key_values": cache, "use_cache": True}
        if "position_ids" in self._accepted:
            inputs["position_ids"] = positions
        if "logits_to_keep" in self._accepted:
            inputs["logits_to_keep"] = 1
        if self._has_sight:
            sight = Sight(padding, ids.shape[1])
            with attending(self._weights.model.config):
                found: torch.Tensor = self._rack.network(**inputs, sight=sight).logits
            if not sight.is_used:
                raise EngineError(f"transformers {version('transformers')} {UNUSED}")
        else:
            mask = None if padding is None else (~padding).long()
            found = self._rack.network(**inputs, attention_mask=mask).logits
        return found[:, -1]


def accepted_inputs(model: Any) -> frozenset[str]:
    """The names of what the model's forward takes."""
    return frozenset(inspect.signature(type(model).forward).parameters)


def padded(sequences: Sequence[tuple[int, ...]], weights: Weights) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Ids and attention mask, both of shape (rows, width), padded on the left; no mask where nothing is padded."""
    width = max(map(len, sequences))
    ids = [[weights.pad] * (width - len(sequence)) + list(sequence) for sequence in sequences]
    mask = [[0] * (width - len(sequence)) + [1] * len(sequence) for sequence in sequences]
    is_padded = any(len(sequence) < width for sequence in sequences)
    device = weights.device
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device) if is_padded else None


def positions_of(ids: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Each token's place in its row, 0 for padding."""
    if mask is None:
        return torch.arange(ids.shape[1], device=ids.device).expand(ids.shape)
    return (mask.cumsum(dim=-1) - 1).clamp(min=0)
