"""People's labels by the hash of the text they read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.review import Label
from evalkit.reviewing import PopulationTrial
from evalkit.reviewing.draws import Place
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

    assert (first.run, first.options, first.population) == ("r1", {"seed": 1, "labels_before": 0}, tuple(trials))
    newer, older = queues.draws({"ta", "tb"}, {"ta", "tc"}), queues.draws({"ta", "tb"}, {"tb"})
    assert (len(newer), older, queues.draws({"ta"}, ())) == (1, (), ())
    assert [newer[0].place(trial) for trial in trials] == [
        Place("passed", True, outcome="pass"), Place("failed", False, outcome="fail"), None,
    ]  # fmt: skip
    assert (queues.newest_run(), queues.of_run("r3")) == ("r2", ())


def test_queues_know_which_labels_there_were_before(queues: QueueStore, store: LabelStore) -> None:
    """A text that had one was not brought by the queue; a later label of it changes nothing."""
    trials = [PopulationTrial(name, name, "pass", stratum="passed", inclusion=0.5) for name in ("a", "b")]
    queues.put("r1", {}, trials)
    store.put([replace(ANN, text_hash="a")])
    queues.put("r1", {}, trials)
    store.put([replace(ANN, text_hash=name, reviewer="ben") for name in ("a", "b")])
    newer, older = queues.draws({"a", "b"}, {"a", "b"})

    assert [older.brought(trial) for trial in trials] == [True, True]
    assert ([newer.chose(trial) for trial in trials], [newer.brought(trial) for trial in trials]) == (
        [True, True], [False, True],
    )  # fmt: skip


def test_every_queue_that_labels_come_from_is_found(queues: QueueStore) -> None:
    """However many there were since; those that chose none of the labelled texts are left out."""
    queues.put("r0", {}, [PopulationTrial("a", "ta", "pass", stratum="passed", inclusion=0.5)])
    for number in range(120):
        inclusion = 0.1 if number % 2 else None
        queues.put(f"r{number}", {}, [PopulationTrial("b", "tb", "fail", stratum="failed", inclusion=inclusion)])
    found = queues.draws({"ta", "tb"}, {"ta", "tb"})

    assert len(found) == 61
    assert found[-1].texts == {"ta": Place("passed", True, outcome="pass")}
