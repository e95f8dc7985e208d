"""Per-row choice of tokens and per-row stopping inside one call of ``generate``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import torch
from transformers import LogitsProcessor, StoppingCriteria

from evalkit.engines.base import Pulse
from evalkit.engines.local.batches import Row
from evalkit.engines.local.rendering import Renderer
from evalkit.generation import Finish
from evalkit.identity import seed_of
from evalkit.target import Decoding

PULSE_STEPS = 4
PULSE_S = 0.1
TAIL_SLACK = 8
"""Tokens decoded beyond a stop string's own: a decoder may drop a space or half a character at the start."""


class RowChoice(LogitsProcessor):  # type: ignore[misc]
    """Each row's own repetition penalty, filters and noise, so that taking the largest score gives the row's token.

    A sampled token is the inverse of the cumulative distribution, in token order and double precision, at a number
    made of (seed, sample index, step): it depends on the row alone. Greedy rows pass unchanged. Order of the filters
    as in transformers: temperature, top_k, top_p, min_p.
    """

    def __init__(self, rows: Sequence[Row], width: int) -> None:
        self._rows = rows
        self._width = width
        self._active = [index for index, row in enumerate(rows) if _is_changed(row.request.decoding)]
        self.not_numbers: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        bad = scores.amax(dim=-1).isnan()
        self.not_numbers = bad if self.not_numbers is None else self.not_numbers | bad
        step = input_ids.shape[1] - self._width
        for index in self._active:
            row = self._rows[index]
            decoding = row.request.decoding
            seen = input_ids[index, self._width - len(row.prompt_ids) :]
            scores[index] = _penalised(scores[index], seen, decoding.repetition_penalty)
            if not decoding.is_greedy:
                chosen = _sampled(scores[index], decoding, uniform(seed_of(row.request), row.request.sample, step))
                scores[index] = float("-inf")
                scores[index, chosen] = 0.0
        return scores


class RowStops(StoppingCriteria):  # type: ignore[misc]
    """Ends each row at its own end token, stop string or length, and calls the pulse between steps.

    ``counts`` and ``finishes`` say for each row how many new tokens count and why it ended. ``is_given_up`` is true
    once the pulse asked to stop: then nothing here is an answer.
    """

    def __init__(
        self, rows: Sequence[Row], width: int, ends: tuple[int, ...], renderer: Renderer, pulse: Pulse
    ) -> None:
        self.eos_token_id = ends  # generate pads finished rows only if a criterion has this attribute
        self._rows = rows
        self._width = width
        self._renderer = renderer
        self._pulse = pulse
        self._started = time.perf_counter()
        self._unreported = 0
        self._reported_at = 0.0
        self._ends = frozenset(ends)
        self.counts = [0] * len(rows)
        self.finishes: list[Finish | None] = [None] * len(rows)
        self.total_s: list[float | None] = [None] * len(rows)
        self.first_token_s: float | None = None
        self.is_given_up = False

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        elapsed = time.perf_counter() - self._started
        self.first_token_s = elapsed if self.first_token_s is None else self.first_token_s
        step = input_ids.shape[1] - self._width
        newest = input_ids[:, -1].tolist()
        for index, row in enumerate(self._rows):
            if self.finishes[index] is None:
                self.counts[index] = step
                self._unreported += 1
                self.finishes[index] = self._finish(row, newest[index], input_ids[index], step)
                self.total_s[index] = elapsed
        is_due = step % PULSE_STEPS == 0 or elapsed - self._reported_at > PULSE_S
        if is_due and not self.is_given_up:
            self._reported_at = elapsed
            self.report()
        done = [self.is_given_up or finish is not None for finish in self.finishes]
        return torch.tensor(done, device=input_ids.device)

    def report(self) -> None:
        """Tell the pulse of the tokens it has not heard of."""
        count, self._unreported = self._unreported, 0
        self.is_given_up = bool(self._pulse(count)) or self.is_given_up

    def _finish(self, row: Row, newest: int, ids: torch.Tensor, step: int) -> Finish | None:
        if newest in self._ends:
            return "stop"
        decoding = row.request.decoding
        if decoding.stop:
            longest = max(len(stop.encode("utf-8", "replace")) for stop in decoding.stop)
            tail = ids[max(self._width, len(ids) - longest - TAIL_SLACK) :].tolist()
            text = self._renderer.text(tuple(tail))
            if any(stop in text for stop in decoding.stop):
                return "stop_string"
        return "length" if step >= decoding.max_new_tokens else None


def uniform(seed: int, sample: int, step: int) -> float:
    """A number in [0, 1) that depends on nothing but its arguments, on every machine."""
    digest = sha256(f"{seed}:{sample}:{step}".encode("ascii")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def _is_changed(decoding: Decoding) -> bool:
    return not decoding.is_greedy or decoding.repetition_penalty != 1.0


def _penalised(scores: torch.Tensor, seen: torch.Tensor, penalty: float) -> torch.Tensor:
    """Scores with every token already in the prompt or answer made less likely (Keskar et al. 2019)."""
    if penalty == 1.0:
        return scores
    ids = seen.unique()
    known = scores[ids]
    return scores.index_put((ids,), torch.where(known < 0, known * penalty, known / penalty))


def _sampled(scores: torch.Tensor, decoding: Decoding, point: float) -> int:
    """The token at ``point`` of the filtered distribution."""
    logits = scores.double() / decoding.temperature
    if 0 < decoding.top_k < logits.numel():
        floor = logits.topk(decoding.top_k).values[-1]
        logits = logits.masked_fill(logits < floor, float("-inf"))
    if decoding.top_p < 1.0:
        ordered, order = logits.sort(descending=True, stable=True)
        shares = ordered.softmax(dim=-1)
        beyond = shares.cumsum(dim=-1) - shares >= decoding.top_p
        beyond[0] = False
        logits = logits.index_fill(0, order[beyond], float("-inf"))
    shares = logits.softmax(dim=-1)
    if decoding.min_p > 0.0:
        shares = shares.where(shares >= decoding.min_p * shares.max(), 0.0)
    summed = shares.cumsum(dim=-1)
    target = torch.tensor([point], dtype=summed.dtype, device=summed.device) * summed[-1]
    return int(torch.searchsorted(summed, target, right=True).clamp(max=int(shares.nonzero()[-1])))
