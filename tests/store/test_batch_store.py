"""Batches under way: written down before they are sent, found again until their results are stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evalkit.generation import Failure, Generation, Request
from evalkit.probe import Message
from evalkit.store.batches import BatchStore, StoredBatch
from evalkit.store.database import open_database
from evalkit.store.generations import GenerationStore
from evalkit.store.migrations import VERSIONS, migrate
from evalkit.target import Decoding, Model, Quantisation, Target

URL = "http://server"
REQUEST = Request(
    Target(Model("m", "m", False, "m"), Quantisation("served", "served")), (Message("user", "Hi"),), Decoding()
)
ANSWER = Generation("Yes.", "Yes.", (), "stop", prompt_tokens=1, new_tokens=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def store(file: Path) -> Iterator[BatchStore]:
    opened = BatchStore.open(file)
    yield opened
    opened.close()


def test_from_its_sending_to_its_end(store: BatchStore, file: Path) -> None:
    """Unnamed while it is sent, open until every reply is stored, a failure counting as one."""
    number = store.begin(URL, "judge-1", ["a", "b"], 5.0)
    assert [batch.identities for batch in store.unnamed(URL)] == [("a", "b")]
    assert store.open_batches(URL, 0.0) == ()

    store.name(number, "msgbatch_1")
    assert store.unnamed(URL) == ()
    assert store.open_batches(URL, 5.0) == (StoredBatch(number, "msgbatch_1", URL, "judge-1", ("a", "b"), 5.0),)

    with closing(GenerationStore.open(file)) as generations:
        generations.put([("a", REQUEST, ANSWER)], "run")
        store.take(number, ["a", "b"])
        assert [batch.identities for batch in store.open_batches(URL, 0.0)] == [("b",)]
        generations.put([("b", REQUEST, Failure("expired"))], "run")
        store.take(number, ["b"])
    assert store.open_batches(URL, 0.0) == ()


def test_other_servers_old_ones_and_lost_ones_are_not_found(store: BatchStore) -> None:
    """A batch is looked for where it was sent, as long as its results are kept."""
    for at, state in ((1.0, "open"), (9.0, "open"), (9.0, "lost"), (9.0, "forgotten")):
        number = store.begin(URL, "judge-1", ["a"], at)
        store.name(number, f"{state}-{at:g}")
        if state == "lost":
            store.lose(number)
        if state == "forgotten":
            store.forget(number)

    assert [batch.id for batch in store.open_batches(URL, 5.0)] == ["open-9"]
    assert store.open_batches("http://elsewhere", 0.0) == ()


def test_a_store_of_the_first_version_gets_the_table(file: Path) -> None:
    """Nothing in it is lost."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in VERSIONS[0]:
            connection.execute(statement)
        connection.execute("INSERT INTO runs (run, started_at, facts) VALUES ('r', 1, '{}')")
        connection.execute("PRAGMA user_version = 1")
        migrate(connection, file)

    with closing(open_database(file).connection) as connection:
        assert connection.execute("SELECT run FROM runs").fetchall() == [("r",)]
        assert connection.execute("SELECT * FROM batches").fetchall() == []
