"""One row of a batch, and which rows may run together: a function of what is queued, not of how it arrived."""

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
    ``bias`` is added to the logits of these tokens, minus infinity for banned ones. ``continuation`` are the tokens a
    ``score`` request wants the log-probabilities of.
    """

    request_id: str
    request: Request
    prompt_ids: tuple[int, ...]
    placement: SystemPlacement
    adapter: str | None = None
    runs_alone: str | None = None
    bias: tuple[tuple[int, float], ...] = ()
    continuation: tuple[int, ...] = ()

    @property
    def is_score(self) -> bool:
        return self.request.kind == "score"

    @property
    def padded_tokens(self) -> int:
        return len(self.prompt_ids) + (len(self.continuation) or self.request.decoding.max_new_tokens)

    @property
    def company(self) -> tuple[str | None, bool]:
        """Rows of one company may share a batch."""
        return self.runs_alone, self.is_score

    @property
    def order(self) -> tuple[object, ...]:
        """One group after the other, so that adapters are loaded once; in it longest first.

        So the worst case for memory comes at once, and a batch holds little padding.
        """
        request, decoding = self.request, self.request.decoding
        noise = (0, 0) if decoding.is_greedy else (seed_of(request), request.sample)
        settings = (decoding.temperature, decoding.top_p, decoding.top_k, decoding.min_p, decoding.repetition_penalty)
        return (
            self.runs_alone or "", -len(self.prompt_ids), -self.padded_tokens, self.prompt_ids, self.continuation,
            self.adapter or "", settings, decoding.stop, noise, self.request_id,
        )  # fmt: skip


def fitting(rows: Iterable[Row], beside: Batch, max_rows: int, max_tokens: int) -> Batch:
    """The first of the ordered ``rows`` that may run together with those ``beside``; at least one if there are none.

    ``max_tokens`` bounds the padded size of all of them, prompts and new tokens together.
    """
    company = beside[0].company if beside else None
    width = max((row.padded_tokens for row in beside), default=0)
    found: list[Row] = []
    for row in rows:
        if company is None:
            company = row.company
        if row.company != company:
            continue
        count = len(beside) + len(found) + 1
        width = max(width, row.padded_tokens)
        if count > 1 and (count > max_rows or width * count > max_tokens):
            break
        found.append(row)
    return tuple(found)


def smaller_batches(batch: Batch) -> tuple[Batch, ...]:
    """How to try a failed batch again: one adapter at a time if it mixed several, else row by row."""
    adapters = dict.fromkeys(row.adapter for row in batch)
    if len(adapters) > 1:
        return tuple(tuple(row for row in batch if row.adapter == adapter) for adapter in adapters)
    return tuple((row,) for row in batch)
