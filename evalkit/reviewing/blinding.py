"""What of a conversation a reviewer need not see, because it says which arm of the experiment the answer is from."""

from __future__ import annotations

from collections.abc import Sequence

NAKED = "naked"
"""The one condition without a system prompt; the name is reserved for it."""

Messages = tuple[tuple[str, str], ...]


def apart_from_condition(target: str, messages: Sequence[tuple[str, str]]) -> tuple[str, Messages]:
    """The system prompt of the target's condition, ``""`` where it has none, and the messages without it.

    ``target`` is a label such as ``demo:nf4:authority:greedy``; ``messages`` are as the store has them, the condition's
    prompt first. A system message of the probe's own is part of what was asked, and stays.
    """
    parts = target.split(":")
    has_one = len(parts) == 4 and parts[2] != NAKED and messages[:1] and messages[0][0] == "system"
    return (messages[0][1], tuple(messages[1:])) if has_one else ("", tuple(messages))
