"""How many tokens are passed through the model at once where many rows begin together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evalkit.engines.local.batches import Row
from evalkit.engines.local.prefixes import parts
from evalkit.generation import Request
from evalkit.probe import Message
from evalkit.target import Decoding, Model, Quantisation, Target

TARGET = Target(Model("tiny", "", True, "tiny"), Quantisation("fp32", "fp32"))


def row(name: int, length: int) -> Row:
    request = Request(TARGET, (Message("user", ""),), Decoding(max_new_tokens=8))
    return Row(str(name), request, tuple(range(length)), "none")


def test_rows_that_begin_together_are_cut_where_they_are_too_many_tokens() -> None:
    """Padding counts, and a row that has too many by itself is passed through alone."""
    batch = tuple(row(name, length) for name, length in enumerate((150, 50, 50, 40, 40, 30)))

    found = parts(batch, [0] * 6, 100)

    assert [[len(item.prompt_ids) for item in part] for part in found] == [[150], [50, 50], [40, 40], [30]]


def test_tokens_that_are_known_do_not_count() -> None:
    """Rows of which little is new are passed through together, however long they are."""
    batch = tuple(row(name, 900) for name in range(4))

    assert [len(part) for part in parts(batch, [880, 880, 880, 880], 60)] == [3, 1]


@given(st.lists(st.tuples(st.integers(1, 90), st.booleans()), min_size=1), st.integers(1, 200))
def test_every_row_is_in_one_part_and_no_part_has_too_many_tokens(rows: list[tuple[int, bool]], most: int) -> None:
    """Whatever is known of whom."""
    batch = tuple(row(name, length) for name, (length, _) in enumerate(rows))
    known = [length // 2 if is_known else 0 for length, is_known in rows]
    new = {item.request_id: length - have for item, (length, _), have in zip(batch, rows, known, strict=True)}

    found = parts(batch, known, most)

    assert sorted(int(item.request_id) for part in found for item in part) == list(range(len(rows)))
    assert all(len(part) == 1 or len(part) * max(new[item.request_id] for item in part) <= most for part in found)
