"""The store's tables, version by version."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from evalkit.errors import StoreError

VERSIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE generations (
            number INTEGER PRIMARY KEY, identity TEXT NOT NULL, created_at REAL NOT NULL,
            run TEXT NOT NULL, target TEXT NOT NULL, request TEXT NOT NULL, reply TEXT NOT NULL)""",
        "CREATE INDEX generations_by_identity ON generations (identity)",
        """CREATE TABLE failures (
            identity TEXT NOT NULL, created_at REAL NOT NULL, run TEXT NOT NULL, target TEXT NOT NULL,
            reason TEXT NOT NULL)""",
        """CREATE TABLE runs (
            run TEXT PRIMARY KEY, started_at REAL NOT NULL, finished_at REAL, status INTEGER, facts TEXT NOT NULL)""",
        """CREATE TABLE trials (
            run TEXT NOT NULL, trial TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (run, trial)) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE batches (
            number INTEGER PRIMARY KEY, id TEXT NOT NULL, engine TEXT NOT NULL, model TEXT NOT NULL,
            identities TEXT NOT NULL, submitted_at REAL NOT NULL, state TEXT NOT NULL)""",
    ),
    (
        """CREATE TABLE preflights (
            identity TEXT PRIMARY KEY, created_at REAL NOT NULL, run TEXT NOT NULL, target TEXT NOT NULL,
            findings TEXT NOT NULL) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE labels (
            number INTEGER PRIMARY KEY, text_hash TEXT NOT NULL, label TEXT NOT NULL)""",
        "CREATE INDEX labels_by_text ON labels (text_hash)",
        """CREATE TABLE queues (
            number INTEGER PRIMARY KEY, run TEXT NOT NULL, made_at REAL NOT NULL, options TEXT NOT NULL,
            population TEXT NOT NULL)""",
        "CREATE INDEX queues_by_run ON queues (run)",
    ),
    (  # a record of 2 KB, which is kept with its key in a table WITHOUT ROWID, took a page of 4 KB of its own
        "ALTER TABLE trials RENAME TO trials_by_key",
        """CREATE TABLE trials (
            run TEXT NOT NULL, trial TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (run, trial))""",
        "INSERT INTO trials SELECT run, trial, record FROM trials_by_key",
        "DROP TABLE trials_by_key",
    ),
)
READS_LIKE_TODAY = 4
"""Since this version whoever reads a store finds the same tables and columns as today."""


def migrate(connection: sqlite3.Connection, file: Path) -> None:
    """Brings the tables up to date in one transaction; two processes may call it at once.

    A file that cannot be written is left as it is, if what is in it can be read all the same.

    Raises:
        StoreError: the file was made by a newer evalkit, or by one so old that it must be written to be read.
    """
    if _version(connection) == len(VERSIONS):
        return
    try:
        _bring_up_to_date(connection, file)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY:
            raise
        version = _version(connection)
        if version < READS_LIKE_TODAY:
            raise StoreError(
                f"{file}: this store is of version {version}, and cannot be written to bring it up to {len(VERSIONS)}. "
                "Make the file writable, or work in a copy of the workspace."
            ) from None


def roll_back(connection: sqlite3.Connection) -> None:
    """Ends a transaction that failed; SQLite has done it already where the disk is full."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _bring_up_to_date(connection: sqlite3.Connection, file: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)
        if version > len(VERSIONS):
            raise StoreError(
                f"{file}: this store is of version {version}; this evalkit knows up to {len(VERSIONS)}. "
                "Update evalkit, or move the file away to begin a new one."
            )
        for statements in VERSIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(VERSIONS)}")
    except BaseException:
        roll_back(connection)
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
