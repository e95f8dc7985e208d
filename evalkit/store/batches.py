"""Batches under way at servers: what must be kept to come back to them, on another day and in another process."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evalkit.store.database import open_database, store_errors, transaction

_LOOKUP_SIZE = 500


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """One batch; ``identities`` are those whose results have not been stored yet.

    ``engine`` is the server's address, ``model`` what it calls its model, ``submitted_at`` epoch seconds. While it is
    being sent, ``id`` is the process that sends it.
    """

    number: int
    id: str
    engine: str
    model: str
    identities: tuple[str, ...]
    submitted_at: float


class BatchStore:
    """Rows go from ``sending`` (the server has not named it yet) to ``open`` to ``done``, or end as ``lost``.

    Every method raises StoreError where SQLite fails.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, file: Path) -> BatchStore:
        return cls(open_database(file).connection)

    def close(self) -> None:
        self._connection.close()

    @store_errors()
    def begin(self, engine: str, model: str, identities: Iterable[str], now: float) -> int:
        """Writes down that a batch is about to be sent, and gives its number."""
        row = (str(os.getpid()), engine, model, json.dumps(list(identities)), now, "sending")
        done = self._connection.execute(
            "INSERT INTO batches (id, engine, model, identities, submitted_at, state) VALUES (?, ?, ?, ?, ?, ?)", row
        )
        assert done.lastrowid is not None, "a row was inserted"
        return done.lastrowid

    @store_errors()
    def name(self, number: int, batch: str) -> None:
        """The server took it under this id."""
        self._connection.execute("UPDATE batches SET id = ?, state = 'open' WHERE number = ?", (batch, number))

    @store_errors()
    def forget(self, number: int) -> None:
        """The server did not take it: it never was."""
        self._connection.execute("DELETE FROM batches WHERE number = ?", (number,))

    @store_errors()
    def lose(self, number: int) -> None:
        """It may be somewhere, and nobody can come back to it."""
        self._connection.execute("UPDATE batches SET state = 'lost' WHERE number = ?", (number,))

    @store_errors()
    def open_batches(self, engine: str, since: float) -> tuple[StoredBatch, ...]:
        """Those of a server whose results are still to be had, oldest first."""
        return self._found(engine, "open", since)

    @store_errors()
    def unnamed(self, engine: str) -> tuple[StoredBatch, ...]:
        """Those that are being sent, or were when their command ended."""
        return self._found(engine, "sending", 0.0)

    @store_errors()
    def take(self, number: int, identities: Iterable[str]) -> None:
        """Strikes out the identities whose replies are stored by now; with the last one the batch is done."""
        wanted = self._stored(list(identities))
        with transaction(self._connection):
            row = self._connection.execute("SELECT identities FROM batches WHERE number = ?", (number,)).fetchone()
            left = [identity for identity in json.loads(row[0]) if identity not in wanted]
            self._connection.execute(
                "UPDATE batches SET identities = ?, state = ? WHERE number = ?",
                (json.dumps(left), "open" if left else "done", number),
            )

    def _stored(self, identities: list[str]) -> set[str]:
        """Those of ``identities`` that have an answer or a failure."""
        found: set[str] = set()
        for start in range(0, len(identities), _LOOKUP_SIZE):
            part = identities[start : start + _LOOKUP_SIZE]
            marks = ",".join("?" * len(part))
            for table in ("generations", "failures"):
                query = f"SELECT identity FROM {table} WHERE identity IN ({marks})"
                found |= {row[0] for row in self._connection.execute(query, part)}
        return found

    def _found(self, engine: str, state: str, since: float) -> tuple[StoredBatch, ...]:
        rows = self._connection.execute(
            "SELECT number, id, engine, model, identities, submitted_at FROM batches"
            " WHERE engine = ? AND state = ? AND submitted_at >= ? ORDER BY number",
            (engine, state, since),
        )
        return tuple(
            StoredBatch(number, name, server, model, tuple(json.loads(identities)), at)
            for number, name, server, model, identities, at in rows
        )
