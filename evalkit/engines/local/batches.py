"""Which rows run together: a function of what is queued, not of the order in which it arrived."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evalkit.generation import Request, SystemPlacement
from evalkit.identity import seed_of

Batch = tuple["Row", ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One queued request, rendered. ``adapter`` is the loaded adapter's internal name, None for the bare base.

    ``runs_alone`` names the group of rows this one must not leave (an adapter that peft cannot mix); None mixes.
    """

    request_id: str
    request: Request
    prompt_ids: tuple[int, ...]
    placement: SystemPlacement
    adapter: str | None = None
    runs_alone: str | None = None

    @property
    def padded_tokens(self) -> int:
        return len(self.prompt_ids) + self.request.decoding.max_new_tokens

    @property
    def order(self) -> tuple[object, ...]:
        """Longest first: the worst case for memory comes at once, and a batch holds little padding."""
        request, decoding = self.request, self.request.decoding
        noise = (0, 0) if decoding.is_greedy else (seed_of(request), request.sample)
        settings = (decoding.temperature, decoding.top_p, decoding.top_k, decoding.min_p, decoding.repetition_penalty)
        return (
            -len(self.prompt_ids), -decoding.max_new_tokens, self.prompt_ids, self.adapter or "", settings,
            decoding.stop, noise, self.request_id,
        )  # fmt: skip


def next_batch(rows: Iterable[Row], max_rows: int, max_tokens: int) -> Batch:
    """The first rows of the sorted queue that may run together; at least one if there are any.

    ``max_tokens`` bounds the batch's padded size, prompts and new tokens together.
    """
    ordered = sorted(rows, key=lambda row: row.order)
    if not ordered:
        return ()
    batch: list[Row] = []
    width = 0
    for row in ordered:
        if row.runs_alone != ordered[0].runs_alone:
            continue
        width = max(width, row.padded_tokens)
        if batch and (len(batch) == max_rows or width * (len(batch) + 1) > max_tokens):
            break
        batch.append(row)
    return tuple(batch)


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """The batch in two, the longer prompts first."""
    middle = (len(batch) + 1) // 2
    return batch[:middle], batch[middle:]


def smaller_batches(batch: Batch) -> tuple[Batch, ...]:
    """How to try a failed batch again: one adapter at a time if it mixed several, else row by row."""
    adapters = dict.fromkeys(row.adapter for row in batch)
    if len(adapters) > 1:
        return tuple(tuple(row for row in batch if row.adapter == adapter) for adapter in adapters)
    return tuple((row,) for row in batch)
