"""Each row's own choice of its next token from the logits of a pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from evalkit.engines.local.drafting import Draft
from evalkit.engines.local.sampling import draw, uniform
from evalkit.identity import seed_of

NOT_NUMBERS = "The model's logits are not numbers (NaN). Use fp32 or bf16, or check the weights."
NOTHING_LEFT = "No token is left to choose: the decoding bans every one. Take out some bans."


@dataclass(frozen=True, slots=True)
class Choice:
    """A row's next token; ``is_near_tie``: other arithmetic might have taken another; ``problem``: there is none."""

    token: int
    is_near_tie: bool = False
    problem: str | None = None


def choose(logits: torch.Tensor, drafts: Sequence[Draft], noise: float) -> list[Choice]:
    """Each row's token: its own penalties, bias, bans, filters and noise; ties go to the lowest token id.

    ``noise`` is how far logits may be off for a largest logit of 1, see ``near_ties``.
    """
    scores = logits.to(torch.float32)
    for index, draft in enumerate(drafts):
        if draft.is_shaped or not draft.may_end:
            if scores is logits:
                scores = logits.clone()
            _change(scores[index], draft)
    choices = _choose(scores, drafts, noise)
    for index, draft in enumerate(drafts):
        if not draft.banned:
            continue
        choice = choices[index]
        while choice.problem is None and draft.is_banned(choice.token):
            if scores is logits:
                scores = logits.clone()
            scores[index, choice.token] = -math.inf
            again = _choose(scores[index : index + 1], [draft], noise)[0]
            choice = Choice(again.token, choice.is_near_tie or again.is_near_tie, again.problem)
        choices[index] = choice
    return choices


def _choose(scores: torch.Tensor, drafts: Sequence[Draft], noise: float) -> list[Choice]:
    top = scores.topk(min(2, scores.shape[1]), dim=-1)
    table = torch.cat([top.values.double(), top.indices.double()], dim=-1).tolist()  # one wait for the device
    choices = [_best(line, scores[index], noise) for index, line in enumerate(table)]
    sampled = [index for index, draft in enumerate(drafts) if not draft.row.request.decoding.is_greedy]
    if sampled:
        requests = [drafts[index].row.request for index in sampled]
        points = [
            uniform(seed_of(request), request.sample, len(drafts[index].ids))
            for index, request in zip(sampled, requests, strict=True)
        ]
        slack = torch.tensor([noise * max(1.0, abs(table[index][0])) for index in sampled], device=scores.device)
        rows = torch.tensor(sampled, device=scores.device)
        tokens, is_near = draw(scores[rows], [request.decoding for request in requests], points, slack)
        for index, token, near in zip(sampled, tokens.tolist(), is_near.tolist(), strict=True):
            if choices[index].problem is None:
                choices[index] = Choice(token, near)
    return choices


def _best(line: Sequence[float], scores: torch.Tensor, noise: float) -> Choice:
    """The likeliest token; ``line`` holds the highest two scores and after them their tokens."""
    highest, second = line[0], line[len(line) // 2 - 1]
    token = int(line[len(line) // 2])
    if math.isnan(highest):
        return Choice(token, problem=NOT_NUMBERS)
    if highest == -math.inf:
        return Choice(token, problem=NOTHING_LEFT)
    if highest == second:
        token = int(scores.argmax())
    return Choice(token, highest - second < noise * max(1.0, abs(highest)))


def _change(scores: torch.Tensor, draft: Draft) -> None:
    """Write a row's bias and penalties into its scores."""
    decoding, device = draft.row.request.decoding, scores.device
    if draft.row.bias:
        ids, values = zip(*draft.row.bias, strict=True)
        scores.index_add_(0, torch.tensor(ids, device=device), torch.tensor(values, dtype=scores.dtype, device=device))
    if decoding.repetition_penalty != 1.0:  # counts the prompt (Keskar et al. 2019)
        seen = torch.tensor(sorted({*draft.row.prompt_ids, *draft.ids}), device=device)
        known, penalty = scores[seen], decoding.repetition_penalty
        scores[seen] = torch.where(known < 0, known * penalty, known / penalty)
    if draft.seen:  # of the answer alone, as OpenAI's API defines them
        ids, counts = zip(*sorted(draft.seen.items()), strict=True)
        count = torch.tensor(counts, dtype=scores.dtype, device=device)
        less = decoding.frequency_penalty * count + decoding.presence_penalty
        scores.index_add_(0, torch.tensor(ids, device=device), -less)
    barred = set(draft.barred) | (set() if draft.may_end else set(draft.ends))
    if barred:
        scores[torch.tensor(sorted(barred), device=device)] = -math.inf
