"""Attention of rows that all end at the same column, without the copies and the masks that a general one makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

NAME = "evalkit_rows"
PLACE = "_attn_implementation_internal"
"""Where a configuration of transformers 5.23 keeps the name of the attention its layers use."""
KNOWN = ("gemma2", "gemma3_text", "llama", "mistral", "qwen2", "qwen3")
"""Model types whose attention is told nothing but scale, window and soft cap; others keep their own."""


class Sight:
    """What each row of one pass may look at: itself and what is before it, within a layer's window, no padding.

    ``padding`` is True at the unused columns on the left, of shape (rows, columns seen); None where there are none.
    ``newest`` columns at the end are the pass's own. ``is_used``: ``attend`` was called with it.
    """

    def __init__(self, padding: torch.Tensor | None, newest: int) -> None:
        self._padding = padding
        self._newest = newest
        self.is_used = False
        self._masks: dict[tuple[int, int | None, torch.device], torch.Tensor | None] = {}

    def is_causal(self, columns: int, window: int | None) -> bool:
        """Whether each column sees itself and all before it, and nothing else is to be said."""
        return self._padding is None and columns == self._newest and (window is None or window >= columns)

    def mask(self, columns: int, window: int | None, like: torch.Tensor) -> torch.Tensor | None:
        """What is added to scores of shape (rows, heads, newest, columns); None where all is seen."""
        if window is not None and window >= columns:
            window = None
        key = (columns, window, like.device)
        if key not in self._masks:
            self._masks[key] = self._mask(columns, window, like)
        return self._masks[key]

    def _mask(self, columns: int, window: int | None, like: torch.Tensor) -> torch.Tensor | None:
        device = like.device  # a model may be spread over several
        unseen = None if self._padding is None else self._padding[:, -columns:][:, None, None].to(device)
        if self._newest > 1 or window is not None:
            keys = torch.arange(columns, device=device)
            queries = torch.arange(columns - self._newest, columns, device=device)[:, None]
            beyond = keys > queries
            if window is not None:
                beyond |= keys <= queries - window
            unseen = beyond[None, None] if unseen is None else unseen | beyond
        if unseen is None:
            return None
        hidden = torch.finfo(like.dtype).min / 2  # finite, also with a score: padding looks at nothing at all
        return torch.zeros(unseen.shape, dtype=like.dtype, device=device).masked_fill_(unseen, hidden)


def attend(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: torch.Tensor | None,
    *, sight: Sight, scaling: float, softcap: float | None = None, sliding_window: int | None = None, **options: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """What transformers' own attention gives for these rows, of shape (rows, newest, heads, head size)."""
    sight.is_used = True
    newest = query.shape[2]
    reach = key.shape[2] if sliding_window is None else min(key.shape[2], sliding_window + newest - 1)
    key, value = key[:, :, -reach:], value[:, :, -reach:]
    if softcap is None:
        is_causal = sight.is_causal(reach, sliding_window)
        mask = None if is_causal else sight.mask(reach, sliding_window, query)
        output, _ = sdpa_attention_forward(module, query, key, value, mask, scaling=scaling, is_causal=is_causal)
        return output, None
    mask = sight.mask(reach, sliding_window, query)
    rows, heads, _, size = query.shape
    shared = key.shape[1]
    grouped = (query * (scaling / softcap)).reshape(rows, shared, -1, size)
    scores = torch.matmul(grouped, key.transpose(2, 3)).tanh_().mul_(softcap)
    if mask is not None:
        scores.view(rows, shared, heads // shared, newest, -1).add_(mask[:, :, None])
    shares = scores.softmax(dim=-1, dtype=torch.float32).to(query.dtype)
    output = torch.matmul(shares, value).view(rows, heads, newest, size)
    return output.transpose(1, 2).contiguous(), None


def takes_sight(model: Any) -> bool:
    """Whether the model's layers may use ``attend``.

    Not with a transformers that keeps the name of the attention elsewhere than 5.23 does: layers that went on with
    their own would be told of no padding.
    """
    config = model.config
    if config.model_type not in KNOWN or getattr(config, "use_bidirectional_attention", None):
        return False
    if not hasattr(config, PLACE):
        return False
    with attending(config):
        if config._attn_implementation != NAME:
            return False
    return all(module.config is config for module in model.modules() if hasattr(module, "config"))


@contextmanager
def attending(config: Any) -> Iterator[None]:
    """Inside, layers of the model with this configuration use ``attend``, and no masks are made for them."""
    own = getattr(config, PLACE)
    setattr(config, PLACE, NAME)
    try:
        yield
    finally:
        setattr(config, PLACE, own)


AttentionInterface.register(NAME, attend)
