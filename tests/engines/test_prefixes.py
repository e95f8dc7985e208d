"""Which beginnings of prompts are computed once follows from the rows that wait."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from evalkit.engines.local.batches import Row
from evalkit.engines.local.prefixes import BLOCK, LEAST, SPARED, Beginnings, common, parts, usable
from evalkit.generation import Request
from evalkit.probe import Message
from evalkit.target import Decoding, Model, Quantisation, Target

TARGET = Target(Model("m", "/m", True, "m"), Quantisation("fp32", "fp32"))


def row(name: str, ids: tuple[int, ...], adapter: str | None = None) -> Row:
    return Row(name, Request(TARGET, (Message("user", name),), Decoding(max_new_tokens=8)), ids, "none", adapter)


def shared(count: int, length: int, adapter: str | None = None, tail: int = 40) -> list[Row]:
    """Rows whose first tokens are the same and whose last ones are their own."""
    return [
        row(f"{adapter}{index}", (*range(length), *(1000 + 100 * index + place for place in range(tail))), adapter)
        for index in range(count)
    ]


def beginnings(*rows: Row) -> Beginnings:
    made = Beginnings()
    made.add(rows)
    return made


def test_what_many_rows_begin_with_is_worth_computing() -> None:
    """The common beginning in whole blocks; a row that knows it already, or waits alone, gets nothing new."""
    rows = shared(5, 100)
    waiting = beginnings(*rows)

    assert waiting.worth(rows[0], 0) == 96
    assert waiting.worth(rows[0], 96) == 96
    assert beginnings(rows[0]).worth(rows[0], 0) == 0


def test_little_in_common_is_not_worth_a_pass() -> None:
    """Fewer than 64 tokens, or too few rows to spare 256 tokens in all."""
    short, pair = shared(50, 63), shared(2, 255)

    assert beginnings(*short).worth(short[0], 0) == 0
    assert beginnings(*pair).worth(pair[0], 0) == 0
    assert beginnings(*shared(2, 256)).worth(shared(2, 256)[0], 0) == 256
    assert beginnings(*shared(3, 255)).worth(pair[0], 0) == 224
    assert (LEAST, SPARED) == (64, 256)


def test_adapters_share_nothing() -> None:
    """Keys and values are those of one adapter, so rows of another one do not count."""
    red, blue = shared(1, 400, "red"), shared(1, 400, "blue")

    assert beginnings(*red, *blue).worth(red[0], 0) == 0
    assert beginnings(*red, *blue, *shared(3, 400, "red")).worth(red[0], 0) == 384


def test_the_length_that_spares_most_is_chosen() -> None:
    """A kernel of many rows rather than the longer beginning of a few; then what the few share beyond it."""
    kernel = shared(20, 320, tail=50)
    same = [row(f"s{index}", (*range(320), *range(5000, 5200), index)) for index in range(4)]
    waiting = beginnings(*kernel, *same)

    assert waiting.worth(same[0], 0) == 320
    assert waiting.worth(same[0], 320) == 512
    assert waiting.worth(kernel[0], 320) == 320


def test_the_last_token_of_a_prompt_is_never_shared() -> None:
    """Equal prompts still have one token to pass through, for its logits are wanted."""
    same = [row(f"s{index}", tuple(range(128))) for index in range(9)]

    assert beginnings(*same).worth(same[0], 0) == 96
    assert common(tuple(range(128)), tuple(range(128))) == 96
    assert common(tuple(range(128)), tuple(range(129))) == 128


@given(st.integers(0, 10_000))
def test_counts_are_those_of_a_plain_search(seed: int) -> None:
    """Rows come and go; what is worth computing is what comparing all waiting prompts says."""
    source, waiting, here = random.Random(seed), Beginnings(), dict[str, Row]()
    stems = [tuple(source.choices(range(2), k=source.randint(1, 200))) for _ in range(3)]
    for number in range(30):
        if here and source.random() < 0.3:
            waiting.forget([gone := source.choice(list(here))])
            del here[gone]
            continue
        ids = (*source.choice(stems), *source.choices(range(2), k=source.randint(1, 80)))
        here[str(number)] = row(str(number), ids, source.choice([None, "a"]))
        waiting.add([here[str(number)]])

    for item in here.values():
        known = source.choice([0, 0, 64])
        spared = {
            depth: (
                sum(
                    other.adapter == item.adapter
                    and len(other.prompt_ids) > max(LEAST, depth)
                    and other.prompt_ids[:depth] == item.prompt_ids[:depth]
                    for other in here.values()
                )
                - 1
            )
            * (depth - known)
            for depth in range(known + LEAST, len(item.prompt_ids), BLOCK)
        }
        best = max(spared, key=lambda depth: (spared[depth], -depth), default=0)
        expected = best if spared.get(best, 0) >= SPARED else known
        assert waiting.worth(item, known) == expected


@given(st.integers(0, 300), st.integers(1, 300), st.integers(0, 300))
def test_common_is_the_longest_usable_beginning(one: int, other: int, same: int) -> None:
    """Whole blocks of what both begin with, the other's last token left out."""
    first = tuple(range(one))
    second = tuple(place if place < same else -1 for place in range(other))

    assert common(first, second) == usable(min(one, other - 1, same))


def test_rows_alike_in_what_is_new_are_passed_through_together() -> None:
    """A row that has much to pass through does not make the others do the same."""
    batch = (row("a", tuple(range(900))), row("b", tuple(range(500))), row("c", tuple(range(420))), row("d", (1, 2)))

    assert parts(batch, [0, 0, 0, 0], 4000) == (batch,)
    found = parts(batch, [800, 0, 384, 0], 4000)
    assert [[item.request_id for item in part] for part in found] == [["c", "d"], ["a"], ["b"]]
