"""What people said of answers, by the hash of the text they read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from evalkit.review import Label
from evalkit.reviewing import settled
from evalkit.store.database import open_database, store_errors, transaction

_LOOKUP_SIZE = 500


class LabelStore:
    """One row a label, never changed and never deleted: whoever changes their mind adds a row.

    Every method raises StoreError where SQLite fails.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, file: Path) -> LabelStore:
        return cls(open_database(file).connection)

    def close(self) -> None:
        self._connection.close()

    @store_errors()
    def put(self, labels: Iterable[Label]) -> None:
        """Adds labels in one transaction."""
        rows = [(label.text_hash, json.dumps(label.to_dict())) for label in labels]
        with transaction(self._connection):
            self._connection.executemany("INSERT INTO labels (text_hash, label) VALUES (?, ?)", rows)

    @store_errors()
    def trail(self, text_hashes: Iterable[str]) -> tuple[Label, ...]:
        """Every label that these texts ever had, of all reviewers, in the order in which they came."""
        wanted = list(dict.fromkeys(text_hashes))
        found: list[tuple[int, str]] = []
        for start in range(0, len(wanted), _LOOKUP_SIZE):
            part = wanted[start : start + _LOOKUP_SIZE]
            marks = ",".join("?" * len(part))
            query = f"SELECT number, label FROM labels WHERE text_hash IN ({marks})"
            found += self._connection.execute(query, part)
        return tuple(Label(**json.loads(plain)) for _, plain in sorted(found))

    def labels_for(self, text_hashes: Iterable[str]) -> dict[str, Label]:
        """The label that counts of each text that has one.

        It is the newest that says what the reviewers come to (an adjudication, else the majority); a text on which
        they are split, or of which nobody could say, has the newest that does not decide, or none.
        """
        found: dict[str, Label] = {}
        for text, said in settled(self.trail(text_hashes)).items():
            fitting = [label for label in said.labels if label.truth is said.truth]
            if fitting:
                found[text] = max(fitting, key=lambda label: (label.adjudicates, label.at))
        return found

    def tied(self, text_hashes: Iterable[str]) -> frozenset[str]:
        """Those of these texts of which as many reviewers say right as wrong."""
        return frozenset(text for text, said in settled(self.trail(text_hashes)).items() if said.is_open)

    @store_errors()
    def reviewers(self) -> tuple[str, ...]:
        """The names under which labels are stored, sorted."""
        query = "SELECT DISTINCT json_extract(label, '$.reviewer') FROM labels ORDER BY 1"
        return tuple(str(name) for (name,) in self._connection.execute(query))
