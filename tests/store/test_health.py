"""A store looked at from outside: counted, checked, and left as it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from evalkit.store.database import open_database
from evalkit.store.generations import GenerationStore
from evalkit.store.health import StoreHealth, store_health
from evalkit.store.migrations import VERSIONS
from evalkit.store.runs import RunStore


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A hundred answers of one run."""
    file = tmp_path / "a #1?" / "store.sqlite3"
    connection = open_database(file).connection
    row = ("x", 1.0, "run", "demo", "{}", "answer " * 200)
    connection.executemany(
        "INSERT INTO generations (identity, created_at, run, target, request, reply) VALUES (?, ?, ?, ?, ?, ?)",
        [row] * 100,
    )
    connection.close()
    runs = RunStore.open(file)
    runs.begin("run", 1.0, {})
    runs.close()
    return file


def test_a_whole_store(store: Path) -> None:
    """What is in it, and how large it is."""
    before = store.read_bytes()

    health = store_health(store)

    assert health == StoreHealth("whole", len(before), answers=100, runs=1, version=len(VERSIONS))
    assert store.read_bytes() == before


def test_a_store_in_use(store: Path) -> None:
    """What a run that is amid writing has finished counts."""
    writer = GenerationStore.open(store)
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM generations")

    health = store_health(store)

    connection.execute("ROLLBACK")
    connection.close()
    writer.close()
    assert (health.integrity, health.answers) == ("whole", 100)


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    """It stays where it is."""
    file = tmp_path / "store.sqlite3"
    file.write_bytes(b"This is no database. " * 300)

    health = store_health(file)

    assert (health.integrity, health.mistake) == ("corrupt", "file is not a database")
    assert [entry.name for entry in tmp_path.iterdir()] == ["store.sqlite3"]


def test_a_store_with_a_broken_page(store: Path) -> None:
    """SQLite's own check finds it; an ordinary opening would not."""
    pages = bytearray(store.read_bytes())
    pages[4096 * 12 : 4096 * 13] = b"\xff" * 4096
    store.write_bytes(pages)

    assert store_health(store).integrity == "corrupt"


def test_a_store_that_takes_too_long(store: Path) -> None:
    """The check is cut short; the counts stand."""
    connection = sqlite3.connect(store)
    connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) "
        "INSERT INTO failures SELECT i, 1.0, 'run', 'demo', 'reason' FROM n"
    )
    connection.commit()
    connection.close()

    health = store_health(store, check_limit_s=-1.0)

    assert (health.integrity, health.answers, health.mistake) == ("not finished", 100, "")


def test_a_store_of_a_newer_evalkit(tmp_path: Path) -> None:
    """Its tables may be others."""
    connection = sqlite3.connect(tmp_path / "store.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    health = store_health(tmp_path / "store.sqlite3")

    assert (health.is_newer, health.answers) == (True, 0)


def test_no_store(tmp_path: Path) -> None:
    """Nothing is made."""
    with pytest.raises(FileNotFoundError):
        store_health(tmp_path / "store.sqlite3")

    assert list(tmp_path.iterdir()) == []
