"""The log-probabilities a model gives to continuations, in one pass for many rows."""

from __future__ import annotations

import time
from typing import Any

import torch

from evalkit.engines.local.adapters import AdapterRack
from evalkit.engines.local.batches import Batch
from evalkit.engines.local.choosing import NOT_NUMBERS
from evalkit.engines.local.passes import accepted_inputs, padded, positions_of
from evalkit.engines.local.weights import Weights
from evalkit.generation import Failure, Generation, Reply
from evalkit.target import Settings

MOST_LOGITS = 2**27
"""Logits held at once, 512 MiB in fp32: rows with long continuations are passed through in parts."""


def score(weights: Weights, rack: AdapterRack, batch: Batch, facts: Settings) -> list[Reply]:
    """For each row its continuation with the natural logarithm of each token's probability after those before it."""
    longest = max(len(row.continuation) for row in batch)
    vocabulary = weights.model.config.get_text_config().vocab_size
    rows = max(1, MOST_LOGITS // (vocabulary * (longest + 1)))
    return [
        reply
        for start in range(0, len(batch), rows)
        for reply in _score(weights, rack, batch[start : start + rows], facts)
    ]


def _score(weights: Weights, rack: AdapterRack, batch: Batch, facts: Settings) -> list[Reply]:
    started = time.perf_counter()
    longest = max(len(row.continuation) for row in batch)
    accepted = accepted_inputs(weights.model)
    ids, mask = padded([(*row.prompt_ids, *row.continuation[:-1]) for row in batch], weights)
    inputs: dict[str, Any] = {"input_ids": ids, "attention_mask": mask, "use_cache": False}
    if "position_ids" in accepted:
        inputs["position_ids"] = positions_of(ids, mask)
    if "logits_to_keep" in accepted:
        inputs["logits_to_keep"] = longest
    logits = rack.network(**inputs).logits
    replies: list[Reply] = []
    for row, found in zip(batch, logits, strict=True):
        wanted = torch.tensor(row.continuation, device=found.device)
        logprobs = found[-len(row.continuation) :].float().log_softmax(dim=-1).gather(1, wanted[:, None])[:, 0].tolist()
        if any(value != value for value in logprobs):
            replies.append(Failure(NOT_NUMBERS))
            continue
        replies.append(
            Generation(
                text=row.request.continuation or "",
                raw_text=row.request.continuation or "",
                token_ids=row.continuation,
                finish="scored",
                prompt_tokens=len(row.prompt_ids),
                new_tokens=0,
                system_placement=row.placement,
                total_s=time.perf_counter() - started,
                logprobs=tuple(logprobs),
                facts=tuple(sorted((*facts, ("batch_rows", len(batch))))),
            )
        )
    return replies
