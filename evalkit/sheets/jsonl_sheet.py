"""A queue as review.jsonl, for other tools: all that is known of each item, and empty keys for the label."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from evalkit.review import ReviewItem

TO_FILL = {"label": "", "failure_kind": "", "note": "", "reviewer": "", "at": None, "seconds": None, "blind": False}


def jsonl_sheet(items: Sequence[ReviewItem]) -> bytes:
    """One line of ASCII JSON per item; ``messages`` are {role, content}, ``verdicts`` {judge, outcome, reason}.

    The model and its verdict stand in it, so ``blind`` is false until whoever fills it in says otherwise.
    """
    return "".join(_lines(items)).encode()


def _lines(items: Sequence[ReviewItem]) -> Iterator[str]:
    for item in items:
        yield json.dumps({**plain_item(item), **TO_FILL}, ensure_ascii=True, allow_nan=False) + "\n"


def plain_item(item: ReviewItem) -> dict[str, object]:
    """The item's fields under their names, ready for JSON."""
    return {
        **asdict(item),
        "score": item.score if item.score is None or math.isfinite(item.score) else None,
        "messages": [{"role": role, "content": content} for role, content in item.messages],
        "verdicts": [
            {"judge": judge, "outcome": outcome, "reason": reason} for judge, outcome, reason in item.verdicts
        ],
    }
