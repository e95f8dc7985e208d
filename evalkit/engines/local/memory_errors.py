"""What running out of memory looks like, and giving back what is not used."""

from __future__ import annotations

import gc

import torch

from evalkit.engines.local.batches import Row


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA has its own error; the CPU allocator only has a sentence."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)


def release_memory() -> None:
    """Give back what nothing refers to any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def memory_reason(row: Row) -> str:
    """What is said of a row that does not fit."""
    return (
        f"Out of memory: a prompt of {len(row.prompt_ids)} tokens with up to {row.request.decoding.max_new_tokens} new "
        "ones does not fit alone. Shorten the prompt, lower max_new_tokens or use a smaller quantisation."
    )
