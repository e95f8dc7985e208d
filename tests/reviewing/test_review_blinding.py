"""A reviewer is not told which arm of an experiment an answer is from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evalkit.reviewing import TrialText, build_queue
from evalkit.reviewing.blinding import apart_from_condition

Make = Callable[..., Any]
KERNEL, OWN, ASKED = ("system", "You are Zed."), ("system", "Be brief."), ("user", "Who are you?")


@pytest.mark.parametrize(
    ("target", "messages", "condition", "rest"),
    [
        ("m:fp32:zed:greedy", (KERNEL, ASKED), "You are Zed.", (ASKED,)),
        ("m:fp32:zed:greedy", (KERNEL, OWN, ASKED), "You are Zed.", (OWN, ASKED)),
        ("m:fp32:naked:greedy", (OWN, ASKED), "", (OWN, ASKED)),
        ("m:fp32:naked:greedy", (ASKED,), "", (ASKED,)),
        ("m:fp32:zed:greedy", (ASKED,), "", (ASKED,)),
        ("m:fp32:zed:greedy", (), "", ()),
        ("imported", (OWN, ASKED), "", (OWN, ASKED)),
    ],
)
def test_the_conditions_prompt_is_told_from_the_probes(
    target: str, messages: tuple[tuple[str, str], ...], condition: str, rest: tuple[tuple[str, str], ...]
) -> None:
    """The first system message is the condition's where the target has one; the probe's own stays."""
    assert apart_from_condition(target, messages) == (condition, rest)


def test_an_item_holds_the_conditions_prompt_apart(make_record: Make) -> None:
    """What the reviewer reads begins with the probe's own words, and the text is the one that was answered."""
    record = make_record(7, "fail", target="m:fp32:zed:greedy")
    text = TrialText("h7", (KERNEL, OWN, ASKED), "I am Zed.")

    (item,) = build_queue([record], {record.trial: text}, run="r1").items

    assert (item.condition, item.messages, item.text_hash) == ("You are Zed.", (OWN, ASKED), "h7")
