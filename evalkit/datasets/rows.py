"""A transcript as one row of a dataset: its messages, and where they are from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evalkit.datasets.selecting import Wanted
from evalkit.datasets.splitting import Member, Split
from evalkit.reporting.summary import DEMO_STAMP

TRAINERS_OWN = frozenset(
    {
        "prompt", "completion", "completions", "chosen", "rejected", "label", "labels", "text", "images", "tools",
        "input_ids", "attention_mask", "assistant_masks", "completion_mask", "chat_template_kwargs", "conversations",
    }
)  # fmt: skip
"""Columns beside ``messages`` that TRL or mlx-lm take for something of theirs; none of ours may be called so."""

Row = dict[str, Any]


def rows(split: Split, wanted: Wanted, run: str) -> tuple[list[Row], list[Row]]:
    """Training and validation rows. Every row has the same columns, and no column holds null anywhere.

    A column of nulls in one file and of numbers in the other cannot be read by ``datasets.load_dataset``, so scores are
    there only where every transcript has one.
    """
    judge = wanted.ranking_judge
    every = (*split.train, *split.valid)
    is_scored = all(member.candidate.score(judge) is not None for member in every)

    def made(members: Sequence[Member]) -> list[Row]:
        return [_row(member, wanted, run, is_scored=is_scored) for member in members]

    return made(split.train), made(split.valid)


def _row(member: Member, wanted: Wanted, run: str, *, is_scored: bool) -> Row:
    candidate, record = member.candidate, member.candidate.record
    messages = candidate.messages(with_system=wanted.with_system, with_thinking=wanted.with_thinking)
    score = candidate.score(wanted.ranking_judge)
    return {
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "run": run,
        "trial": record.trial,
        "suite": record.suite,
        "probe": record.probe,
        "category": record.category,
        "cluster": member.cluster,
        "target": record.target,
        "text_hash": candidate.text_hash,
        **({"score": float(score)} if is_scored and score is not None else {}),
        "stamp": DEMO_STAMP if record.is_demo else "",
    }
