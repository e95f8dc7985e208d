"""Prompts passed through the model, those that begin alike from the keys and values that are known already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

from evalkit.engines.local.passes import Passes, padded, positions_of
from evalkit.engines.local.weights import Weights

Layers = tuple[tuple[torch.Tensor, torch.Tensor], ...]
"""Keys and values of each layer, of shape (1, heads, tokens, head size)."""


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a row: the keys and values of its first ``length`` tokens, and maybe of more in ``layers``."""

    layers: Layers
    length: int


class StartedLayer(DynamicLayer):  # type: ignore[misc]
    """One layer whose columns up to ``start`` are filled; one pass fills the rest."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, start: int) -> None:
        super().__init__()
        self.lazy_initialization(keys, values)
        self.keys, self.values = keys, values
        self._start = start

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self.keys[:, :, self._start :] = key_states
        self.values[:, :, self._start :] = value_states
        return self.keys, self.values

    def get_seq_length(self) -> int:
        return self._start


def prefill(
    passes: Passes, weights: Weights, prompts: Sequence[tuple[int, ...]], pasts: Sequence[Past | None]
) -> tuple[torch.Tensor, Cache]:
    """The logits after each prompt, and a cache of all of them, padded on the left to the longest.

    All rows are passed through with as many of their last tokens as the one of which the fewest are known needs; so
    no padding comes between, and columns are as far apart as positions.
    """
    if not any(pasts):
        ids, mask = padded(prompts, weights)
        cache = DynamicCache()
        return passes.logits(ids, None if mask is None else mask == 0, cache, positions_of(ids, mask)), cache
    width = max(map(len, prompts))
    new = max(len(prompt) - (past.length if past else 0) for prompt, past in zip(prompts, pasts, strict=True))
    start, device = width - new, weights.device
    used = [max(0, len(prompt) - new) for prompt in prompts]
    ids, _ = padded([prompt[known:] for prompt, known in zip(prompts, used, strict=True)], weights)
    unused = torch.tensor([width - len(prompt) for prompt in prompts], device=device)[:, None]
    columns = torch.arange(width, device=device)[None]
    padding = columns < unused if any(len(prompt) < width for prompt in prompts) else None
    positions = (columns[:, start:] - unused).clamp(min=0)
    cache = _started(pasts, used, start, width)
    return passes.logits(ids, padding, cache, positions), cache


def _started(pasts: Sequence[Past | None], used: Sequence[int], start: int, width: int) -> Cache:
    """A cache in which each row holds so many tokens of its past, ending at column ``start``."""
    cache = DynamicCache()
    first = next(past for past in pasts if past is not None)
    cache.layers = [
        StartedLayer(_columns(keys, len(pasts), width), _columns(values, len(pasts), width), start)
        for keys, values in first.layers
    ]
    for row, (past, count) in enumerate(zip(pasts, used, strict=True)):
        if past is None or not count:
            continue
        for layer, (keys, values) in zip(cache.layers, past.layers, strict=True):
            layer.keys[row, :, start - count : start] = keys[0, :, :count]
            layer.values[row, :, start - count : start] = values[0, :, :count]
    return cache


def _columns(like: torch.Tensor, rows: int, width: int) -> torch.Tensor:
    return like.new_zeros((rows, like.shape[1], width, like.shape[3]))
