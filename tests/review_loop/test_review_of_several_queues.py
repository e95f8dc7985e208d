"""Queues of different design, each half read: what the report makes of their labels, by hand."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

Loop = Any
FAILING = range(0, 110, 10)


def is_right(number: int) -> bool:
    """Of the passes all but each ninth, of the failures every second."""
    return number % 20 == 0 if number in FAILING else number % 9 != 4


def read_half(loop: Loop, name: str) -> set[int]:
    """The numbers of the answers in the first half of the sheet, which come back as labels."""
    rows = loop.rows()[: len(loop.rows()) // 2]
    numbers = [int(row["probe"][1:]) for row in rows]
    lines = [
        {**row, "label": "correct" if is_right(number) else "wrong", "reviewer": "anna", "blind": True, "at": 1.79e9}
        for row, number in zip(rows, numbers, strict=True)
    ]
    loop.evalkit("review", "import", loop.write(name, "".join(json.dumps(line) + "\n" for line in lines)))
    return set(numbers)


def by_hand(read: set[int]) -> tuple[float, int]:
    """The rate over four strata: names and others, passes and failures; how many were read."""
    groups: dict[tuple[bool, bool], list[int]] = {}
    for number in range(300):
        groups.setdefault((number % 3 == 2, number in FAILING), []).append(number)
    rate = 0.0
    for own in groups.values():
        seen = [is_right(number) for number in own if number in read]
        rate += len(own) / 300 * sum(seen) / len(seen)
    return rate, len(read)


def test_a_category_and_the_whole_run_both_half_read(loop: Loop) -> None:
    """Each kind of answer speaks for its own: more names were read, and are no larger a part of the rate for it."""
    loop.evalkit("review", "latest", "--category", "names", "--fraction", "0.6")
    names = read_half(loop, "names.jsonl")
    loop.evalkit("review", "latest", "--budget", "80", "--seed", "7")
    both = names | read_half(loop, "all.jsonl")
    told = loop.evalkit("review", "report", "latest").out
    plain = json.loads(loop.evalkit("review", "report", "latest", "--json").out)
    rate, count = by_hand(both)
    (row,) = (row for row in plain["categories"] if row["category"] == "names")

    assert plain["all"]["reviewed_n"] == count
    assert plain["all"]["corrected"]["rate"] == pytest.approx(rate)
    assert plain["all"]["corrected"]["low"] < sum(map(is_right, range(300))) / 300 < plain["all"]["corrected"]["high"]
    assert row["reviewed_n"] == sum(number % 3 == 2 for number in both) > len(names)
    assert (
        "\nLabels come from 2 queues that were drawn apart: what all of them treated alike speaks for its own kind, "
        "and the interval is the wider for it. One queue over the whole run: evalkit review RUN --budget N\n"
    ) in told
    assert f"\none:fp32:naked:greedy  {count}/300" in told
    assert f"  {100 * rate:.1f} % (" in told


def test_labels_that_somebody_picked_before_a_queue_was_drawn(loop: Loop) -> None:
    """Nine wrong passes, then a queue of which half was read: they count for themselves alone."""
    loop.evalkit("review", "latest", "--all")
    rows = {int(row["probe"][1:]): row for row in loop.rows()}
    picked = [number for number in rows if number not in FAILING and not is_right(number)][:9]
    forget_queues(loop)
    lines = [{**rows[number], "label": "wrong", "reviewer": "zoe", "blind": True, "at": 1.79e9} for number in picked]
    loop.evalkit("review", "import", loop.write("picked.jsonl", "".join(json.dumps(line) + "\n" for line in lines)))
    loop.evalkit("review", "latest", "--budget", "80")
    read = read_half(loop, "half.jsonl")
    plain = json.loads(loop.evalkit("review", "report", "latest", "--json").out)
    passes = [is_right(number) for number in read if number not in FAILING]
    fails = [is_right(number) for number in read if number in FAILING]

    assert plain["all"]["corrected"]["rate"] == pytest.approx(
        ((289 - 9) * sum(passes) / len(passes) + 11 * sum(fails) / len(fails)) / 300
    )


def forget_queues(loop: Loop) -> None:
    """As in a workspace where that queue was never made."""
    with sqlite3.connect(loop.root / ".evalkit" / "store.sqlite3") as store:
        store.execute("DELETE FROM queues")
    store.close()
