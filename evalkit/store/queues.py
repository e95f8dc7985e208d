"""The review queues that were made of a run: what could have been drawn, and with which probability."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from evalkit.reviewing import PopulationTrial
from evalkit.reviewing.draws import Draw
from evalkit.store.database import open_database, store_errors

LABELS = "labels_before"
"""The number of the newest label that there was when a queue was drawn; queues of older evalkits have none."""


@dataclass(frozen=True, slots=True)
class StoredQueue:
    """One queue of ``run``; ``options`` are the fields of its ``QueueOptions``, and ``LABELS``."""

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
        """Adds a queue; it remembers which labels there were by now."""
        trials = json.dumps([astuple(trial) for trial in population], separators=(",", ":"))
        (labels,) = self._connection.execute("SELECT COALESCE(MAX(number), 0) FROM labels").fetchone()
        self._connection.execute(
            "INSERT INTO queues (run, made_at, options, population) VALUES (?, ?, ?, ?)",
            (run, time.time(), json.dumps({**options, LABELS: labels}), trials),
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
    def draws(self, texts: Collection[str], labelled: Collection[str]) -> tuple[Draw, ...]:
        """What every queue that chose one of the ``labelled`` texts did with ``texts``, the newest first."""
        found: list[Draw] = []
        if not labelled:
            return ()
        first = dict(self._connection.execute("SELECT text_hash, MIN(number) FROM labels GROUP BY text_hash"))
        query = "SELECT options, population FROM queues ORDER BY number DESC"
        for options, trials in self._connection.execute(query):
            own = [PopulationTrial(*plain) for plain in json.loads(trials) if plain[1] in texts]
            if any(trial.inclusion is not None and trial.text_hash in labelled for trial in own):
                before = json.loads(options).get(LABELS, 0)
                found.append(Draw.of(own, {text for text in labelled if first.get(text, before + 1) <= before}))
        return tuple(found)

    @store_errors()
    def newest_run(self) -> str | None:
        """The run that was queued last."""
        row = self._connection.execute("SELECT run FROM queues ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else str(row[0])
