"""People's labels by the hash of the text they read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.review import Label
from evalkit.reviewing import PopulationTrial
from evalkit.store.labels import LabelStore
from evalkit.store.queues import QueueStore

ANN = Label("t1", "trial", "run", "wrong", "ann", 1.0, failure_kind="OTHER", blind=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    """An empty store."""
    with closing(LabelStore.open(tmp_path / "store.sqlite3")) as opened:
        yield opened


@pytest.fixture
def queues(tmp_path: Path) -> Iterator[QueueStore]:
    """No queues yet."""
    with closing(QueueStore.open(tmp_path / "store.sqlite3")) as opened:
        yield opened


def test_every_label_is_kept_in_its_order(store: LabelStore) -> None:
    """Whoever changes their mind adds a row; however many texts are asked for, those without one are not there."""
    again = replace(ANN, value="correct", failure_kind="", at=3.0)
    ben = replace(ANN, reviewer="ben", at=2.0, note="see line 2", seconds=4.5, adjudicates=True)
    store.put([ANN, replace(ANN, text_hash="t2")])
    store.put([ben, again])

    assert store.trail(["t1"]) == (ANN, ben, again)
    assert len(store.trail(f"t{number}" for number in range(2000))) == 4
    assert store.reviewers() == ("ann", "ben")


def test_the_label_that_counts_is_what_reviewers_come_to(store: LabelStore) -> None:
    """A later label of the same person, the majority, an adjudication; a split text has none that counts."""
    store.put(
        [
            ANN, replace(ANN, value="correct", at=2.0),
            *(replace(ANN, text_hash="most", reviewer=name, value=value) for name, value in
              (("ann", "correct"), ("ben", "wrong"), ("cid", "wrong"))),
            *(replace(ANN, text_hash="split", reviewer=name, value=value) for name, value in
              (("ann", "correct"), ("ben", "wrong"))),
            *(replace(ANN, text_hash="decided", reviewer=name) for name in ("ann", "ben")),
            replace(ANN, text_hash="decided", reviewer="cid", value="correct", adjudicates=True),
            replace(ANN, text_hash="open", value="unsure"),
        ]
    )  # fmt: skip
    found = store.labels_for(["t1", "most", "split", "decided", "open"])

    assert {text: (label.value, label.reviewer) for text, label in found.items()} == {
        "t1": ("correct", "ann"), "most": ("wrong", "ben"), "decided": ("correct", "cid"), "open": ("unsure", "ann"),
    }  # fmt: skip
    assert store.tied(["t1", "most", "split", "decided", "open"]) == {"split"}


def test_a_store_of_before_has_none(store: LabelStore) -> None:
    """Nothing was labelled, nothing is found."""
    assert (store.labels_for(["t1"]), store.trail(["t1"]), store.reviewers()) == ({}, (), ())


def test_queues_say_how_texts_were_drawn(queues: QueueStore) -> None:
    """The newest queue of a run first, and what each of them did to a trial."""
    trials = [
        PopulationTrial("a", "ta", "pass", "dates", "f", "s", "m", "passed", 0.25),
        PopulationTrial("b", "tb", "fail", stratum="failed"),
        PopulationTrial("c", "tc", "pass"),
    ]
    queues.put("r1", {"seed": 1}, trials)
    queues.put(
        "r2", {"seed": 2}, [replace(trials[0], stratum="gate", inclusion=None), replace(trials[1], stratum=None)]
    )
    (first,) = queues.of_run("r1")

    assert (first.run, first.options, first.population) == ("r1", {"seed": 1}, tuple(trials))
    newer, older = queues.draws()
    assert older.over(first.population) == first.population
    assert [(trial.stratum, trial.inclusion) for trial in newer.over(trials)] == [
        ("gate", None),
        (None, None),
        (None, None),
    ]
    assert (newer.seed, older.seed, len(queues.draws(1))) == (2, 1, 1)
    assert (queues.newest_run(), queues.of_run("r3")) == ("r2", ())
