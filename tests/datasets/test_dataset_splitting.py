"""No cluster on both sides, the same split every time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.datasets.candidate import Candidate
from evalkit.datasets.splitting import Split, cluster_count, clustered, split

Make = Callable[..., Candidate]
ROW = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([None, "x", "y", "z", "sea/a"]), st.integers(0, 2))
"""A probe's id, its cluster and which question it asks; ids come again, clusters overlap."""


def made(candidate: Make, drawn: Sequence[tuple[str, str | None, int]]) -> list[Candidate]:
    return [
        candidate(probe, cluster=cluster, sample=number, asked=[("user", f"Question {question} of {probe in 'ab'}?")])
        for number, (probe, cluster, question) in enumerate(drawn)
    ]


def ties(candidate: Candidate) -> set[tuple[str, Any]]:
    """Everything that one side of a split must not share with the other."""
    record = candidate.record
    own: set[tuple[str, Any]] = {("probe", candidate.probe), ("asked", candidate.asked)}
    return own | ({("cluster", record.cluster)} if record.cluster else set())


def sides(found: Split) -> tuple[list[str], list[str]]:
    return [item.cluster for item in found.train], [item.cluster for item in found.valid]


@given(drawn=st.lists(ROW, max_size=40), share=st.floats(0, 0.99), seed=st.integers(0, 5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_leaks(candidate: Make, drawn: list[tuple[str, str | None, int]], share: float, seed: int) -> None:
    """No cluster, probe or question is on both sides; nothing is lost or doubled; something is left to train on."""
    every = made(candidate, drawn)
    found = split(every, share, seed)
    train = set().union(*(ties(item.candidate) for item in found.train))
    valid = set().union(*(ties(item.candidate) for item in found.valid))

    assert not train & valid
    assert not {item.cluster for item in found.train} & {item.cluster for item in found.valid}
    assert sorted(map(id, every)) == sorted(id(item.candidate) for item in (*found.train, *found.valid))
    assert bool(found.train) == bool(every)


@given(drawn=st.lists(ROW, max_size=30), order=st.randoms(use_true_random=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_the_run_decides_nothing(candidate: Make, drawn: list[Any], order: Any) -> None:
    """The same transcripts in another order are on the same sides."""
    every = made(candidate, drawn)
    shuffled = list(every)
    order.shuffle(shuffled)

    def held_out(candidates: list[Candidate]) -> set[int]:
        return {id(item.candidate) for item in split(candidates, 0.2, 0).valid}

    assert held_out(every) == held_out(shuffled)


def test_a_tenth_is_held_out_and_the_seed_says_which(candidate: Make) -> None:
    """Of a hundred singletons ten, others with another seed, the same with the same."""
    every = [candidate(f"p{number}") for number in range(100)]
    first, again, other = split(every, 0.1, 0), split(every, 0.1, 0), split(every, 0.1, 1)

    assert (len(first.train), len(first.valid)) == (90, 10)
    assert first == again
    assert sides(first)[1] != sides(other)[1]


def test_whole_clusters_are_drawn_as_long_as_there_is_room(candidate: Make) -> None:
    """Forty families of five: two are held out."""
    every = [candidate(f"p{family}-{one}", cluster=f"f{family}") for family in range(40) for one in range(5)]
    found = split(every, 0.05, 3)

    assert (len(found.valid), cluster_count(found.valid)) == (10, 2)


def test_where_each_cluster_is_too_large_the_smallest_is_held_out(candidate: Make) -> None:
    """Rather too much than nothing to validate on."""
    every = [
        candidate(f"{family}{one}", cluster=family) for family, size in (("x", 9), ("y", 6)) for one in range(size)
    ]
    train, valid = sides(split(every, 0.1, 0))

    assert (set(train), set(valid)) == ({"x"}, {"y"})


@pytest.mark.parametrize(("count", "share"), [(1, 0.5), (4, 0.1), (30, 0.0)])
def test_nothing_is_held_out_of_too_few(candidate: Make, count: int, share: float) -> None:
    """One cluster is never parted, a tenth of four is none, and no share means no validation."""
    assert split([candidate(f"p{number}") for number in range(count)], share, 0).valid == ()


def test_noise_and_equal_questions_are_of_one_cluster(candidate: Make) -> None:
    """A noised probe goes with its original, and so does a probe of another suite that asks the same."""
    noise = {"kind": "typo", "ratio": 0.1, "replicate": 0, "of": "tides", "drawn": 1, "changed_share": 0.1}
    every = [
        candidate("tides"),
        candidate("tides~typo0.1", perturbation=noise, asked=[("user", "Waht is tides?")]),
        candidate("sea", suite="lake", asked=[("system", "Be brief."), ("user", "What  is TIDES?")]),
        candidate("ebb"),
    ]

    assert [item.cluster for item in clustered(every)] == ["lake/sea", "lake/sea", "lake/sea", "sea/ebb"]
