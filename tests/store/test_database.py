"""Opening the store: new, shared, too new, corrupt, impossible."""

from __future__ import annotations

import fcntl
import gc
import os
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from evalkit.errors import StoreError
from evalkit.store.database import open_database
from evalkit.store.migrations import VERSIONS

OPENERS = 5
ROUNDS = 4
OPENER = """\
import pathlib, sys
from evalkit.store.database import open_database
print("ready", flush=True)
sys.stdin.readline()
opened = open_database(pathlib.Path(sys.argv[1]))
opened.connection.execute("INSERT INTO failures VALUES ('i', 0, 'r', 't', 'x')")
opened.connection.close()
print(opened.note or "", end="")
"""
TABLES = {"batches", "generations", "failures", "labels", "preflights", "queues", "runs", "trials"}


def tables(connection: sqlite3.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def opened_at_once(file: Path) -> list[str]:
    """What processes had to say that opened ``file`` at once, sorted."""
    command = [sys.executable, "-c", OPENER, str(file)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(OPENERS)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return sorted(process.communicate(timeout=300)[0] for process in processes)


def test_a_new_store_has_its_tables_and_is_in_wal_mode(tmp_path: Path) -> None:
    """The folder is made on the way."""
    opened = open_database(tmp_path / ".evalkit" / "store.sqlite3")

    assert tables(opened.connection) == TABLES
    assert opened.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert opened.note is None
    opened.connection.close()


@pytest.mark.parametrize("number", range(ROUNDS))
def test_processes_that_open_a_new_store_at_once_all_succeed(number: int, tmp_path: Path) -> None:
    """One makes the tables, and every one can write."""
    file = tmp_path / "store.sqlite3"

    assert opened_at_once(file) == [""] * OPENERS

    connection = open_database(file).connection
    assert connection.execute("SELECT count(*) FROM failures").fetchone() == (OPENERS,)
    connection.close()


@pytest.mark.parametrize("number", range(ROUNDS))
def test_processes_that_find_a_corrupt_store_at_once_move_it_aside_once(number: int, tmp_path: Path) -> None:
    """One says so, the others use the new file; nobody's answers are lost."""
    file = tmp_path / "store.sqlite3"
    file.write_bytes(b"This is no database. " * 300)

    notes = opened_at_once(file)

    assert notes[:-1] == [""] * (OPENERS - 1)
    [aside] = tmp_path.glob("store.sqlite3.corrupt-*")
    assert notes[-1] == (
        f"The store {file} is corrupt (file is not a database); it was moved to {aside.name} and a new one begun."
    )
    connection = open_database(file).connection
    assert connection.execute("SELECT count(*) FROM failures").fetchone() == (OPENERS,)
    connection.close()


def test_a_corrupt_store_is_kept(tmp_path: Path) -> None:
    """Nothing is deleted: what was in the file is in the file moved aside."""
    file = tmp_path / "store.sqlite3"
    file.write_bytes(b"not a database at all" * 100)

    open_database(file).connection.close()

    [aside] = tmp_path.glob("store.sqlite3.corrupt-*")
    assert aside.read_bytes() == b"not a database at all" * 100


def test_a_disk_that_gets_full_while_a_store_is_brought_up_to_date_leaves_it_as_it_was(tmp_path: Path) -> None:
    """SQLite has ended the transaction by itself then; the message says what went wrong, not that."""
    file = tmp_path / "store.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        for statements in VERSIONS[:4]:
            for statement in statements:
                old.execute(statement)
        old.execute("PRAGMA user_version = 4")
        old.execute("BEGIN")
        old.executemany(
            "INSERT INTO trials VALUES ('run', ?, ?)", ((str(number), "x" * 2000) for number in range(4000))
        )
        old.execute("COMMIT")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, limits[1]))
    try:
        with pytest.raises(StoreError) as caught:
            open_database(file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    advice = "Check the disk and the folder's permissions."
    assert str(caught.value) == f"{file}: cannot open the store: disk I/O error. {advice}"
    with closing(open_database(file).connection) as connection:
        assert connection.execute("SELECT count(*) FROM trials").fetchone() == (4000,)


def test_a_store_of_a_newer_evalkit_is_refused_and_left_alone(tmp_path: Path) -> None:
    """It is neither moved nor changed."""
    file = tmp_path / "store.sqlite3"
    connection = open_database(file).connection
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(StoreError) as caught:
        open_database(file)

    assert str(caught.value) == (
        f"{file}: this store is of version 99; this evalkit knows up to {len(VERSIONS)}. "
        "Update evalkit, or move the file away to begin a new one."
    )
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


def test_a_folder_in_the_place_of_the_store_is_a_sentence(tmp_path: Path) -> None:
    """SQLite's own words, and where to look."""
    file = tmp_path / "store.sqlite3"
    file.mkdir()

    with pytest.raises(StoreError) as caught:
        open_database(file)

    assert str(caught.value) == (
        f"{file}: cannot open the store: unable to open database file. Check the disk and the folder's permissions."
    )
    assert is_free(file)


def test_a_store_that_cannot_be_opened_is_held_by_nobody(tmp_path: Path) -> None:
    """Too new, corrupt or let go of: whoever wants it alone need not wait for a process that does not use it."""
    file = tmp_path / "store.sqlite3"
    newer = sqlite3.connect(file)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreError):
        open_database(file)
    assert is_free(file)

    file.write_bytes(b"no database, however long one looks at it" * 100)
    held = open_database(file).connection
    assert not is_free(file)
    child = os.fork()
    if not child:
        del held  # as a forked process's garbage is
        os._exit(0)
    os.waitpid(child, 0)
    assert not is_free(file)
    held.close()
    assert is_free(file)


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
def test_a_connection_nobody_holds_is_closed(tmp_path: Path) -> None:
    """As any of SQLite's: neither the store nor the file beside it stays open."""
    file = tmp_path / "store.sqlite3"

    open_database(file)
    gc.collect()

    opened = [os.path.realpath(link) for link in Path("/dev/fd").iterdir()]
    assert [name for name in opened if name.startswith(str(tmp_path))] == []
    assert is_free(file)


def is_free(file: Path) -> bool:
    """Whether somebody could have the store alone now."""
    with file.with_name(f"{file.name}.use").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_state_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    """A file in the place of .evalkit, say."""
    (tmp_path / ".evalkit").write_text("in the way")
    file = tmp_path / ".evalkit" / "store.sqlite3"

    with pytest.raises(StoreError) as caught:
        open_database(file)

    assert str(caught.value) == (
        f"{file}: cannot open the store: [Errno 17] File exists: '{tmp_path / '.evalkit'}'. "
        "Check the disk and the folder's permissions."
    )
