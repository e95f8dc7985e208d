"""Runs and their trials: written by the controller alone."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from math import inf
from pathlib import Path
from typing import Any

from evalkit.measured import Measured
from evalkit.record import TrialRecord
from evalkit.store.database import open_database, store_errors, transaction
from evalkit.store.generations import AsOf

_encoded = json.JSONEncoder(check_circular=False).encode


class RunStore:
    """One row a run, one row a trial of it. Every method raises StoreError where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, file: Path) -> RunStore:
        return cls(open_database(file).connection)

    @store_errors()
    def begin(self, run: str, started_at: float, facts: dict[str, Any]) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO runs (run, started_at, facts) VALUES (?, ?, ?)",
            (run, started_at, json.dumps(facts)),
        )

    @store_errors()
    def describe(self, run: str, facts: dict[str, Any]) -> None:
        """Replaces what is known of a run."""
        self._connection.execute("UPDATE runs SET facts = ? WHERE run = ?", (json.dumps(facts), run))

    @store_errors()
    def put(self, run: str, records: Iterable[TrialRecord]) -> None:
        """Stores records in one transaction; a record of the same trial replaces the earlier one."""
        rows = [(run, record.trial, _encoded(record.values())) for record in records]
        with transaction(self._connection):
            self._connection.executemany("INSERT OR REPLACE INTO trials VALUES (?, ?, ?)", rows)

    @store_errors()
    def finish(self, run: str, finished_at: float, status: int) -> None:
        self._connection.execute(
            "UPDATE runs SET finished_at = ?, status = ? WHERE run = ?", (finished_at, status, run)
        )

    def close(self) -> None:
        self._connection.close()

    @store_errors()
    def records(self, run: str) -> tuple[TrialRecord, ...]:
        rows = self._connection.execute("SELECT record FROM trials WHERE run = ? ORDER BY trial", (run,))
        return tuple(TrialRecord.from_dict(json.loads(row[0])) for row in rows)

    @store_errors()
    def measured(self, run: str) -> tuple[Measured, ...]:
        """What the trials of a run measured; never more than one whole record in memory."""
        rows = self._connection.execute("SELECT record FROM trials WHERE run = ? ORDER BY trial", (run,))
        return tuple(Measured.of(TrialRecord.from_dict(json.loads(row[0]))) for row in rows)

    @store_errors()
    def runs(self) -> tuple[tuple[str, float, float | None, int | None, dict[str, Any]], ...]:
        """(run, started at, finished at, exit status, facts), newest first."""
        rows = self._connection.execute(
            "SELECT run, started_at, finished_at, status, facts FROM runs ORDER BY started_at DESC"
        )
        return tuple((run, begun, ended, status, json.loads(facts)) for run, begun, ended, status, facts in rows)


def as_of(store_file: Path, run: str) -> AsOf | None:
    """What finds the answers that a run saw: its own, else the newest when it ended; None where there is no such run.

    Raises:
        StoreError: the store cannot be read.
    """
    with closing(RunStore.open(store_file)) as store:
        ends = {name: ended for name, _, ended, _, _ in store.runs()}
    if run not in ends:
        return None
    ended = ends[run]
    return AsOf(run, inf if ended is None else ended)
