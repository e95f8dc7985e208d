"""A run's three rates by target and category, as reports take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from evalkit.record import TrialRecord
from evalkit.review import Label
from evalkit.reviewed import reviewed_rates, with_labels
from evalkit.reviewing import PopulationTrial
from evalkit.reviewing.queue import family_of
from evalkit.store.labels import LabelStore
from evalkit.store.queues import QueueStore
from evalkit.workspace import Workspace

Make = Callable[..., Any]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def records(make_record: Make) -> list[TrialRecord]:
    """Twenty of each of two targets, in two categories, and a reference target's."""
    return [
        *(make_record(n, "fail" if n % 10 == 0 else "pass", target=f"{'ab'[n // 20]}:x", category=f"c{n % 2}")
          for n in range(40)),
        make_record(50, "fail", target="bad:x", role="reference"),
    ]  # fmt: skip


def put(workspace: Workspace, records: Sequence[TrialRecord], wrong: Sequence[int]) -> None:
    """Everything is queued, and read by ann."""
    population = [
        PopulationTrial(
            one.trial, f"h-{one.trial}", one.outcome, one.category, one.trial, one.suite, one.target, "asked_for", 1.0
        )
        for one in records
    ]  # fmt: skip
    bad = {f"t{n}" for n in wrong}
    with closing(QueueStore.open(workspace.store_file)) as queues:
        queues.put("r1", {}, population)
    with closing(LabelStore.open(workspace.store_file)) as labels:
        labels.put(
            Label(one.text_hash, one.trial, "r1", "wrong" if one.trial in bad else "correct", "ann", 1.0, blind=True)
            for one in population
        )


def test_rows_by_target_and_category(workspace: Workspace, records: list[TrialRecord]) -> None:
    """Each target whole and by category, then all targets; a reference target is in none."""
    workspace.state.mkdir()
    put(workspace, records, wrong=(0, 1, 2, 25))
    found = reviewed_rates(workspace, "r1", records)

    assert found is not None
    assert [(row.target, row.category) for row in found.rows] == [
        (target, category) for target in ("a:x", "b:x", None) for category in (None, "c0", "c1")
    ]
    assert (found.run, found.labelled, found.answers, found.reviewers) == ("r1", 40, 40, ("ann",))
    counts = [(row.rates.automated.part, row.rates.reviewed.part, row.rates.corrected.rate) for row in found.rows]
    assert counts == [
        (18, 17, 0.85), (8, 8, 0.8), (10, 9, 0.9), (18, 19, 0.95), (8, 10, 1.0), (10, 9, 0.9),
        (36, 36, 0.9), (16, 18, 0.9), (20, 18, 0.9),
    ]  # fmt: skip
    assert found.of("a:x", "c1") == found.rows[2].rates
    assert found.of(None) == found.rows[6].rates
    assert found.of("bad:x") is None


def test_targets_that_answer_the_same_probes_are_not_twice_as_sure(workspace: Workspace, make_record: Make) -> None:
    """Over both, the probes are what is drawn: the interval is that of twenty, not of forty."""
    workspace.state.mkdir()
    records = [
        make_record(n, "fail" if n < 2 else "pass", trial=f"t{n}{name}", target=f"{name}:x")
        for name in "ab" for n in range(20)
    ]  # fmt: skip
    with closing(LabelStore.open(workspace.store_file)) as labels:
        labels.put(Label(f"h-{one.trial}", one.trial, "r1", "correct", "ann", 1.0) for one in records)
    population = [
        PopulationTrial(one.trial, f"h-{one.trial}", one.outcome, "", family_of(one), one.suite, one.target)
        for one in records
    ]  # fmt: skip
    state = with_labels(workspace.store_file, tuple(population))
    whole, alone = state.rates().automated, state.of({f"t{n}a" for n in range(20)}).rates().automated

    assert (whole.part, whole.whole, alone.part, alone.whole) == (36, 40, 18, 20)
    assert (whole.low, whole.high) == pytest.approx((alone.low, alone.high), abs=0.03)
    assert whole.high - whole.low >= alone.high - alone.low


def test_one_target_of_one_category_is_one_row(workspace: Workspace, records: list[TrialRecord]) -> None:
    """Nothing is said twice."""
    workspace.state.mkdir()
    own = [one for one in records if one.target == "a:x" and one.category == "c0"]
    put(workspace, own, wrong=())
    found = reviewed_rates(workspace, "r1", own)

    assert found is not None
    assert [(row.target, row.category) for row in found.rows] == [("a:x", None)]


def test_where_nobody_labelled_anything(workspace: Workspace, records: list[TrialRecord]) -> None:
    """There is nothing to set side by side; labels of other runs change nothing."""
    workspace.state.mkdir()
    assert reviewed_rates(workspace, "r1", records) is None
    put(workspace, records, wrong=())

    assert reviewed_rates(workspace, "r2", records) is None
