"""Which rows run together is a function of what waits; what they draw is a function of the row."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.engines.local.batches import Row, fitting, smaller_batches
from evalkit.engines.local.scheduling import Schedule, Start
from evalkit.generation import Request
from evalkit.probe import Message
from evalkit.target import Decoding, Model, Quantisation, Target

TARGET = Target(Model("m", "/m", True, "m"), Quantisation("fp32", "fp32"))


def row(name: str, length: int, new: int = 8, adapter: str | None = None, alone: bool = False) -> Row:
    request = Request(TARGET, (Message("user", name),), Decoding(max_new_tokens=new))
    return Row(name, request, tuple(range(length)), "none", adapter, adapter if alone else None)


def scored(name: str, length: int, continuation: int) -> Row:
    plain = row(name, length)
    return replace(plain, request=replace(plain.request, kind="score"), continuation=tuple(range(continuation)))


def names(rows: tuple[Row, ...]) -> list[str]:
    return [item.request_id for item in rows]


ROWS = st.lists(
    st.builds(
        lambda length, new, adapter: (length, new, adapter),
        st.integers(1, 60), st.integers(1, 60), st.sampled_from([None, "a", "b", "d"]),
    ), max_size=20,
)  # fmt: skip


@given(ROWS, st.integers(1, 6), st.integers(1, 400), st.integers(0, 9), st.randoms(use_true_random=False))
def test_every_row_runs_once_in_an_order_that_arrival_does_not_change(
    drawn: list[tuple[int, int, str | None]], max_rows: int, max_tokens: int, seed: int, shuffler: random.Random
) -> None:
    """Whatever leaves when, each row runs once, within both bounds and beside its own kind; arrival changes nothing."""
    rows = [row(f"r{index:02d}", *item[:2], item[2], item[2] == "d") for index, item in enumerate(drawn)]
    shuffled = list(rows)
    shuffler.shuffle(shuffled)

    def drain(waiting: list[Row]) -> list[tuple[str, ...]]:
        schedule, leaver = Schedule(max_rows, max_tokens), random.Random(seed)
        schedule.add(waiting)
        entered: list[tuple[str, ...]] = []
        running: list[Row] = []
        while running or len(schedule):
            if not running:
                start = schedule.start()
                assert start is not None
                assert start.manner == ("alone" if max_rows == 1 else "open")
                joining = start.batch
                assert joining
            else:
                joining = schedule.joining(tuple(running))
            running += joining
            entered.append(tuple(names(joining)))
            assert len(running) <= max_rows
            assert len(running) == 1 or max(item.padded_tokens for item in running) * len(running) <= max_tokens
            assert len({item.company for item in running}) == 1
            leaver.shuffle(running)
            del running[: leaver.randint(0, len(running))]
        assert schedule.start() is None
        return entered

    entered = drain(rows)
    assert sorted(name for batch in entered for name in batch) == names(tuple(rows))
    assert drain(shuffled) == entered


def test_the_longest_prompts_come_first() -> None:
    """The worst case for memory is met at once; nothing queued starts nothing."""
    schedule = Schedule(3, 1000)
    assert schedule.start() is None
    schedule.add([row("a", 3), row("b", 9), row("c", 9, new=20), row("d", 1)])

    start = schedule.start()

    assert start is not None
    assert (names(start.batch), start.manner, len(schedule)) == (["c", "b", "a"], "open", 1)
    assert fitting([], (), 3, 1000) == ()


def test_others_join_once_a_quarter_has_left() -> None:
    """Rows join in groups: not for every row that leaves, and no more than there is room for."""
    schedule = Schedule(8, 1000)
    rows = [row(f"r{index}", 9, adapter=None) for index in range(12)]
    schedule.add(rows)
    start = schedule.start()
    assert start is not None

    assert not schedule.wants(7)
    assert schedule.joining(start.batch[:7]) == ()
    assert schedule.wants(6)
    assert names(schedule.joining(start.batch[:6])) == ["r6", "r7"]


def test_a_long_row_waits_until_it_fits_beside_those_that_run() -> None:
    """Its own width counts for all rows, so it does not join where that would pass the bound."""
    schedule = Schedule(8, 100)
    long = row("long", 30, new=20)
    running = tuple(row(f"r{index}", 4, new=4) for index in range(4))
    schedule.add([row(f"x{index}", 4, new=4) for index in range(8)])
    schedule.start()
    schedule.add([long])

    assert schedule.joining(running[:2]) == ()
    assert schedule.joining(running[:1]) == (long,)


def test_scores_have_batches_of_their_own() -> None:
    """A score request is one pass: it never shares a batch with rows that decode."""
    schedule = Schedule(8, 1000)
    schedule.add([row("a", 5), scored("s", 7, 2), scored("t", 3, 9), row("b", 2)])

    first, second = schedule.start(), schedule.start()

    assert [(names(start.batch), start.manner) for start in (first, second) if start] == [
        (["s", "t"], "score"),
        (["a", "b"], "open"),
    ]


def test_one_by_one_every_row_starts_alone() -> None:
    """Rows of every kind, in the same order."""
    schedule = Schedule(8, 1000, is_one_by_one=True)
    schedule.add([row("a", 5), scored("s", 7, 2), row("b", 9)])

    starts = [schedule.start() for _ in range(4)]

    assert [(names(start.batch), start.manner) for start in starts if start] == [
        (["b"], "alone"),
        (["s"], "score"),
        (["a"], "alone"),
    ]


def test_a_failed_batch_is_split_by_adapter_and_then_by_row() -> None:
    """Several adapters are tried one at a time, rows of one adapter alone, and nothing joins them."""
    a, b, c = row("a", 3), row("b", 2, adapter="x"), row("c", 1, adapter="x")
    schedule = Schedule(8, 1000)
    schedule.add([row("waits", 9)])

    schedule.again_smaller((a, b, c))
    starts = [schedule.start() for _ in range(3)]

    assert smaller_batches((b, c)) == ((b,), (c,))
    assert [(names(start.batch), start.manner) for start in starts if start] == [
        (["a"], "apart"),
        (["b", "c"], "apart"),
        (["waits"], "open"),
    ]


def test_memory_trouble_halves_what_runs_until_all_is_done() -> None:
    """Half as many tokens run together from then on; once nothing waits any more, the first bound holds again."""
    schedule = Schedule(8, 1000)
    rows = [row(f"r{index}", 10, new=10) for index in range(8)]
    schedule.add(rows)
    first = schedule.start()
    assert first is not None

    schedule.again_with_less(first.batch)
    sizes = []
    while (start := schedule.start()) is not None:
        sizes.append(len(start.batch))
    schedule.add(rows)

    assert sizes == [4, 4]
    assert schedule.start() == Start(first.batch, "open")


def test_rows_to_be_done_again_alone_come_last() -> None:
    """After all that waits, one at a time."""
    schedule = Schedule(8, 1000)
    schedule.again_alone(row("tied", 20))
    schedule.add([row("a", 3)])

    starts = [schedule.start() for _ in range(3)]

    assert [(names(start.batch), start.manner) for start in starts if start] == [(["a"], "open"), (["tied"], "alone")]


def test_what_is_cancelled_never_starts() -> None:
    """Wherever it waits."""
    schedule = Schedule(8, 1000)
    schedule.add([row("a", 3), row("b", 3)])
    schedule.again_smaller((row("c", 3), row("d", 3)))
    schedule.again_alone(row("e", 3))

    for name in "ace":
        schedule.cancel(name)

    assert [names(start.batch) for start in (schedule.start(), schedule.start(), schedule.start()) if start] == [
        ["d"],
        ["b"],
    ]


def test_the_bound_on_rows_is_only_ever_lowered() -> None:
    """A repetition in other batches asks for fewer rows, never for more."""
    schedule = Schedule(4, 1000)
    schedule.add([row(f"r{index}", 3) for index in range(9)])

    schedule.bound_rows(9)
    first = schedule.start()
    schedule.bound_rows(2)
    second = schedule.start()

    assert first is not None
    assert second is not None
    assert (len(first.batch), len(second.batch)) == (4, 2)


@pytest.fixture(scope="module")
def sample() -> Callable[..., list[int]]:
    """The tokens that a row draws from fixed logits over steps."""
    import torch

    from evalkit.engines.local.choosing import choose
    from evalkit.engines.local.drafting import Draft

    def draw(logits: list[float], steps: int, seed: int = 0, sample_index: int = 0, **decoding: float) -> list[int]:
        plain = row("a", 1)
        asked = replace(plain.request, decoding=Decoding(**decoding), seed=seed, sample=sample_index)  # type: ignore[arg-type]
        draft = Draft(replace(plain, request=asked), frozenset(), str, 0.0)
        for _ in range(steps):
            draft.ids.append(choose(torch.tensor([logits]), [draft], 0.0)[0].token)
        return draft.ids

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
    from evalkit.engines.local.sampling import uniform

    numbers = [uniform(seed, sample, step) for seed in range(3) for sample in range(3) for step in range(3)]

    assert all(0.0 <= number < 1.0 for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert uniform(7, 0, 1) == 0.6200559347239394
