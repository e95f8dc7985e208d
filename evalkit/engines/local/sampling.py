"""Draws tokens so that each depends on its row alone, and says where the arithmetic might have drawn another."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import torch

from evalkit.target import Decoding


def uniform(seed: int, sample: int, step: int) -> float:
    """A number in [0, 1) that depends on nothing but its arguments, on every machine."""
    digest = sha256(f"{seed}:{sample}:{step}".encode("ascii")).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53


def draw(
    scores: torch.Tensor, decodings: Sequence[Decoding], points: Sequence[float], noise: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The token of each row at its point of its filtered distribution, in token order and double precision.

    Filters in transformers' order: temperature, top_k, top_p, min_p. ``noise`` is how far a row's logits may be off.
    The second tensor says whether that could have changed the token: the point lies near the token's bounds, where
    tokens that a filter only just keeps or drops count in full.
    """

    def each(values: Sequence[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64, device=scores.device)[:, None]

    temperature = each([decoding.temperature for decoding in decodings])
    logits = scores.double() / temperature
    slack = noise.double()[:, None] / temperature
    doubt = torch.zeros_like(slack)
    if any(0 < decoding.top_k < logits.shape[1] for decoding in decodings):
        logits, doubt = _top_k(logits, [decoding.top_k for decoding in decodings], slack, doubt)
    if any(decoding.top_p < 1.0 for decoding in decodings):
        logits, doubt = _top_p(logits, each([decoding.top_p for decoding in decodings]), slack, doubt)
    shares = logits.softmax(dim=-1)
    if any(decoding.min_p > 0.0 for decoding in decodings):
        shares, doubt = _min_p(shares, each([decoding.min_p for decoding in decodings]), slack, doubt)
    summed = shares.cumsum(dim=-1)
    target = each(points) * summed[:, -1:]
    last = torch.where(shares > 0, torch.arange(shares.shape[1], device=shares.device), 0).amax(dim=-1, keepdim=True)
    tokens = torch.searchsorted(summed, target, right=True).minimum(last)
    above = summed.gather(1, tokens)
    below = above - shares.gather(1, tokens)
    room = torch.minimum(
        torch.where(below <= 0, torch.inf, target - below),
        torch.where(above >= summed[:, -1:], torch.inf, above - target),
    )
    return tokens[:, 0], (room < (slack + doubt) * summed[:, -1:])[:, 0]


def _top_k(
    logits: torch.Tensor, counts: Sequence[int], slack: torch.Tensor, doubt: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    size = logits.shape[1]
    kept = [count if 0 < count < size else size for count in counts]
    highest = logits.topk(max(count for count in kept if count < size)).values
    places = torch.tensor([min(count, highest.shape[1]) - 1 for count in kept], device=logits.device)[:, None]
    is_cut = torch.tensor([count < size for count in kept], device=logits.device)[:, None]
    floor = torch.where(is_cut, highest.gather(1, places), -torch.inf)
    return _cut(logits, logits < floor, floor, slack, doubt)


def _top_p(
    logits: torch.Tensor, shares_kept: torch.Tensor, slack: torch.Tensor, doubt: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    shares = ordered.softmax(dim=-1)
    before = shares.cumsum(dim=-1) - shares
    beyond = (before >= shares_kept) & (shares_kept < 1.0)
    beyond[:, 0] = False
    is_close = ((before - shares_kept).abs() < slack) & (shares_kept < 1.0)
    doubt = doubt + (shares * is_close).sum(dim=-1, keepdim=True)
    floor = ordered.masked_fill(beyond, torch.inf).amin(dim=-1, keepdim=True)
    dropped = torch.zeros_like(beyond).scatter(1, order, beyond)
    return _cut(logits, dropped, floor, slack, doubt)


def _min_p(
    shares: torch.Tensor, least: torch.Tensor, slack: torch.Tensor, doubt: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    floor = least * shares.amax(dim=-1, keepdim=True)
    is_close = ((shares / floor.clamp(min=1e-300)).log().abs() < 2 * slack) & (least > 0)
    return shares.where(shares >= floor, 0.0), doubt + (shares * is_close).sum(dim=-1, keepdim=True)


def _cut(
    logits: torch.Tensor, dropped: torch.Tensor, floor: torch.Tensor, slack: torch.Tensor, doubt: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The logits without the dropped ones, and the doubt grown by the shares of those that are close to the cut."""
    kept = logits.masked_fill(dropped, -torch.inf)
    is_close = (logits - floor).abs() < slack
    is_open = (is_close & dropped).any(dim=-1, keepdim=True)
    shares = (logits - kept.logsumexp(dim=-1, keepdim=True)).exp()
    return kept, doubt + (shares * (is_close & is_open)).sum(dim=-1, keepdim=True)
