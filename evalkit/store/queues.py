"""The review queues that were made of a run: what could have been drawn, and with which probability."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from evalkit.reviewing import PopulationTrial
from evalkit.reviewing.draws import Draw
from evalkit.store.database import open_database, store_errors


@dataclass(frozen=True, slots=True)
class StoredQueue:
    """One queue of ``run``; ``options`` are the fields of its ``QueueOptions``."""

    run: str
    made_at: float
    options: dict[str, Any]
    population: tuple[PopulationTrial, ...]


class QueueStore:
    """One row a queue, never changed. Every method raises StoreError where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, file: Path) -> QueueStore:
        return cls(open_database(file).connection)

    def close(self) -> None:
        self._connection.close()

    @store_errors()
    def put(self, run: str, options: dict[str, Any], population: Sequence[PopulationTrial]) -> None:
        trials = json.dumps([astuple(trial) for trial in population], separators=(",", ":"))
        self._connection.execute(
            "INSERT INTO queues (run, made_at, options, population) VALUES (?, ?, ?, ?)",
            (run, time.time(), json.dumps(options), trials),
        )

    @store_errors()
    def of_run(self, run: str) -> tuple[StoredQueue, ...]:
        """The queues of a run, the newest first."""
        query = "SELECT run, made_at, options, population FROM queues WHERE run = ? ORDER BY number DESC"
        return tuple(
            StoredQueue(
                name, made_at, json.loads(options), tuple(PopulationTrial(*plain) for plain in json.loads(trials))
            )
            for name, made_at, options, trials in self._connection.execute(query, (run,))
        )

    @store_errors()
    def draws(self, most: int = 50) -> tuple[Draw, ...]:
        """The newest ``most`` queues of all runs, the newest first."""
        query = "SELECT options, population FROM queues ORDER BY number DESC LIMIT ?"
        return tuple(
            Draw.of(json.loads(options).get("seed"), [PopulationTrial(*plain) for plain in json.loads(trials)])
            for options, trials in self._connection.execute(query, (most,))
        )

    @store_errors()
    def newest_run(self) -> str | None:
        """The run that was queued last."""
        row = self._connection.execute("SELECT run FROM queues ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else str(row[0])
