"""Opens the workspace's SQLite file."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evalkit.errors import StoreError
from evalkit.store.in_use import HeldConnection, shared_lock
from evalkit.store.migrations import migrate, roll_back

BUSY_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database and a sentence for the user when the old file had to be moved aside."""

    connection: HeldConnection
    note: str | None = None


def open_database(file: Path) -> Opened:
    """The database at ``file``, made and migrated as needed; a corrupt one is moved aside, never deleted.

    Raises:
        StoreError: the folder cannot be written, or the file was made by a newer evalkit.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _alone(file):
            return _open(file)
    except (sqlite3.Error, OSError) as error:
        raise _unusable(file, error) from None


@contextmanager
def store_errors() -> Iterator[None]:
    """What SQLite complains of, as a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"The store cannot be used: {error}.") from None


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        roll_back(connection)
        raise
    connection.execute("COMMIT")


def _open(file: Path) -> Opened:
    try:
        return Opened(_connect(file))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        aside = _move_aside(file)
        note = f"The store {file} is corrupt ({error}); it was moved to {aside.name} and a new one begun."
        return Opened(_connect(file), note)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Lets one process at a time open the store.

    SQLite reports a lock at once, without waiting, while two switch a new file to WAL; and two that find it corrupt
    would move each other's new one aside.
    """
    with file.with_name(f"{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unusable(file: Path, error: Exception) -> StoreError:
    advice = "Check the disk and the folder's permissions."
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        advice = (
            "Reading, too, locks a file beside it: make folder and files writable, or work in a copy of the workspace."
        )
    return StoreError(f"{file}: cannot open the store: {error}. {advice}")


def _connect(file: Path) -> HeldConnection:
    lock = shared_lock(file)
    try:
        connection = sqlite3.connect(file, timeout=BUSY_TIMEOUT_S, isolation_level=None, factory=HeldConnection)
    except BaseException:
        os.close(lock)
        raise
    connection.hold(lock)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        migrate(connection, file)
    except BaseException:
        connection.close()
        raise
    return connection


def _move_aside(file: Path) -> Path:
    aside = file.with_name(f"{file.name}.corrupt-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
    for suffix in ("-wal", "-shm", ""):
        part = file.with_name(file.name + suffix)
        if part.exists():
            os.replace(part, aside.with_name(aside.name + suffix))
    return aside
