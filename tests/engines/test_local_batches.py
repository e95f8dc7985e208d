"""Batches are a function of what is queued; sampling is a function of the row."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.engines.local.batches import Row, halves, next_batch, smaller_batches
from evalkit.generation import Request
from evalkit.probe import Message
from evalkit.target import Decoding, Model, Quantisation, Target

TARGET = Target(Model("m", "/m", True, "m"), Quantisation("fp32", "fp32"))


def row(name: str, length: int, new: int = 8, adapter: str | None = None, alone: bool = False) -> Row:
    request = Request(TARGET, (Message("user", name),), Decoding(max_new_tokens=new))
    return Row(name, request, tuple(range(length)), "none", adapter, adapter if alone else None)


ROWS = st.lists(
    st.builds(
        lambda length, new, adapter: (length, new, adapter),
        st.integers(1, 60), st.integers(1, 60), st.sampled_from([None, "a", "b", "d"]),
    ), max_size=20,
)  # fmt: skip


@given(ROWS, st.integers(1, 6), st.integers(1, 400), st.randoms(use_true_random=False))
def test_every_row_runs_once_in_an_order_that_arrival_does_not_change(
    drawn: list[tuple[int, int, str | None]], max_rows: int, max_tokens: int, shuffler: random.Random
) -> None:
    """Draining a queue gives each row once, within both bounds, and the same batches for any order of arrival."""
    rows = [row(f"r{index:02d}", *item[:2], item[2], item[2] == "d") for index, item in enumerate(drawn)]
    shuffled = list(rows)
    shuffler.shuffle(shuffled)

    def drain(waiting: list[Row]) -> list[tuple[str, ...]]:
        batches = []
        while waiting:
            batch = next_batch(waiting, max_rows, max_tokens)
            assert 1 <= len(batch) <= max_rows
            assert len(batch) == 1 or max(item.padded_tokens for item in batch) * len(batch) <= max_tokens
            assert len({item.runs_alone for item in batch}) == 1
            batches.append(tuple(item.request_id for item in batch))
            waiting = [item for item in waiting if item not in batch]
        return batches

    batches = drain(rows)
    assert sorted(name for batch in batches for name in batch) == [item.request_id for item in rows]
    assert drain(shuffled) == batches


def test_the_longest_prompts_come_first() -> None:
    """The worst case for memory is met at once; nothing queued is no batch."""
    batch = next_batch([row("a", 3), row("b", 9), row("c", 9, new=20), row("d", 1)], 3, 1000)

    assert [item.request_id for item in batch] == ["c", "b", "a"]
    assert next_batch([], 3, 1000) == ()


def test_a_failed_batch_is_split_by_adapter_and_then_by_row() -> None:
    """Several adapters are tried one at a time, rows of one adapter alone; memory trouble halves."""
    a, b, c = row("a", 3), row("b", 2, adapter="x"), row("c", 1, adapter="x")

    assert smaller_batches((a, b, c)) == ((a,), (b, c))
    assert smaller_batches((b, c)) == ((b,), (c,))
    assert halves((a, b, c)) == ((a, b), (c,))


@pytest.fixture(scope="module")
def sample() -> Callable[..., list[int]]:
    """The tokens that a row draws from fixed logits over steps."""
    import torch

    from evalkit.engines.local.rows import RowChoice

    def draw(logits: list[float], steps: int, seed: int = 0, sample_index: int = 0, **decoding: float) -> list[int]:
        plain = row("a", 1)
        asked = replace(plain.request, decoding=Decoding(**decoding), seed=seed, sample=sample_index)  # type: ignore[arg-type]
        choice = RowChoice((replace(plain, request=asked),), 1)
        found: list[int] = []
        for _ in range(steps):
            scores = choice(torch.tensor([[0, *found]]), torch.tensor([logits]))
            found.append(int(scores.argmax()))
        return found

    return draw


def test_sampled_shares_are_those_of_the_distribution(sample: Callable[..., list[int]]) -> None:
    """Over 4,000 steps the tokens come in the shares that temperature gives them."""
    drawn = sample([0.0, 1.0, 2.0], 4000, temperature=2.0)

    shares = [drawn.count(token) / len(drawn) for token in range(3)]
    assert shares == pytest.approx([0.186, 0.307, 0.506], abs=0.025)


@pytest.mark.parametrize(
    ("decoding", "kept"),
    [
        ({"top_k": 2}, {1, 2}),
        ({"top_k": 50}, {0, 1, 2, 3}),
        ({"top_p": 0.6}, {2}),
        ({"top_p": 0.7}, {1, 2}),
        ({"top_p": 0.0}, {2}),
        ({"min_p": 0.3}, {1, 2}),
        ({"top_k": 3, "top_p": 0.7}, {1, 2}),
    ],
)
def test_filters_keep_what_transformers_keeps(
    decoding: dict[str, float], kept: set[int], sample: Callable[..., list[int]]
) -> None:
    """top_k, top_p and min_p leave the tokens that transformers' own filters leave."""
    assert set(sample([0.0, 2.0, 3.0, 0.5], 600, temperature=1.0, **decoding)) == kept


def test_noise_depends_on_seed_sample_and_step_alone() -> None:
    """The number is in [0, 1), the same on every machine, and another for any other argument."""
    from evalkit.engines.local.rows import uniform

    numbers = [uniform(seed, sample, step) for seed in range(3) for sample in range(3) for step in range(3)]

    assert all(0.0 <= number < 1.0 for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert uniform(7, 0, 1) == 0.6200559347239394
