"""Runs one batch of rows through a loaded model, and makes the most of it when it fails."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import torch
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

from evalkit.engines.base import Pulse
from evalkit.engines.local.adapters import AdapterRack
from evalkit.engines.local.batches import Batch, Row, halves, smaller_batches
from evalkit.engines.local.rows import RowChoice, RowStops
from evalkit.engines.local.weights import Weights
from evalkit.generation import Failure, Generation, Reply
from evalkit.target import Settings


def answer_batch(weights: Weights, rack: AdapterRack, batch: Batch, facts: Settings, pulse: Pulse) -> dict[str, Reply]:
    """A reply for every row by its request id; none for rows that were given up because the pulse said so.

    Out of memory halves the batch. Any other error runs the batch again in smaller ones, so that one row's fault is
    one Failure.
    """
    replies: dict[str, Reply] = {}
    waiting: list[Batch] = [batch]
    while waiting:
        rows = waiting.pop(0)
        try:
            answers = _generate(weights, rack, rows, facts, pulse)
        except Exception as error:
            is_memory = is_out_of_memory(error)
            if is_memory:
                release_memory()
            if len(rows) == 1:
                replies[rows[0].request_id] = Failure(_memory_reason(rows[0]) if is_memory else _reason(error))
            else:
                waiting[:0] = halves(rows) if is_memory else smaller_batches(rows)
            continue
        if answers is None:
            return replies
        replies.update(zip((row.request_id for row in rows), answers, strict=True))
    return replies


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA has its own error; the CPU allocator only has a sentence."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)


def release_memory() -> None:
    """Give back what nothing refers to any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _generate(
    weights: Weights, rack: AdapterRack, rows: Batch, facts: Settings, pulse: Pulse
) -> tuple[Reply, ...] | None:
    """The rows' replies in order; None if they were given up."""
    width = max(len(row.prompt_ids) for row in rows)
    ids, mask = _padded([row.prompt_ids for row in rows], width, weights)
    choice = RowChoice(rows, width)
    stops = RowStops(rows, width, weights.ends, weights.renderer, pulse)
    config = GenerationConfig(
        do_sample=False,
        num_beams=1,
        max_new_tokens=max(row.request.decoding.max_new_tokens for row in rows),
        pad_token_id=weights.pad,
    )
    with torch.no_grad(), rack.applied([row.adapter for row in rows]):
        output = rack.network.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=config,
            logits_processor=LogitsProcessorList([choice]),
            stopping_criteria=StoppingCriteriaList([stops]),
        )
    stops.report()
    if stops.is_given_up:
        return None
    broken = choice.not_numbers.tolist() if choice.not_numbers is not None else [False] * len(rows)
    facts = tuple(sorted((*facts, ("batch_rows", len(rows)))))
    return tuple(
        Failure("The model's logits are not numbers (NaN). Use fp32 or bf16, or check the weights.")
        if broken[index]
        else _generation(weights, row, output[index, width:].tolist(), stops, index, facts)
        for index, row in enumerate(rows)
    )


def _padded(prompts: Sequence[tuple[int, ...]], width: int, weights: Weights) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and attention mask, both of shape (rows, width), padded on the left."""
    ids = [[weights.pad] * (width - len(prompt)) + list(prompt) for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids, device=weights.device), torch.tensor(mask, device=weights.device)


def _generation(
    weights: Weights, row: Row, new_ids: list[int], stops: RowStops, index: int, facts: Settings
) -> Generation:
    ids = tuple(new_ids[: stops.counts[index]])
    finish = stops.finishes[index]
    assert finish is not None, "a row left generate without a finish reason"
    raw_text = weights.renderer.text(ids)
    text = raw_text
    if finish == "stop":
        body = ids
        while body and body[-1] in weights.ends:
            body = body[:-1]
        text = weights.renderer.text(body)
    elif finish == "stop_string":
        found = [raw_text.find(stop) for stop in row.request.decoding.stop]
        text = raw_text[: min((place for place in found if place >= 0), default=len(raw_text))]
    return Generation(
        text=text,
        raw_text=raw_text,
        token_ids=ids,
        finish=finish,
        prompt_tokens=len(row.prompt_ids),
        new_tokens=len(ids),
        system_placement=row.placement,
        first_token_s=stops.first_token_s,
        total_s=stops.total_s[index],
        facts=facts,
    )


def _memory_reason(row: Row) -> str:
    return (
        f"Out of memory: a prompt of {len(row.prompt_ids)} tokens with up to {row.request.decoding.max_new_tokens} new "
        "ones does not fit alone. Shorten the prompt, lower max_new_tokens or use a smaller quantisation."
    )


def _reason(error: Exception) -> str:
    return f"Generation failed: {type(error).__name__}: {error}"
