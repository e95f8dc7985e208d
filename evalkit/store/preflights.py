"""What checks of targets came to, so that a second run need not repeat them: written by the host alone."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import asdict

from evalkit.preflight import Finding
from evalkit.store.database import store_errors


class PreflightStore:
    """Findings by the identity of what was checked. Every method raises StoreError where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @store_errors()
    def find(self, identity: str) -> tuple[Finding, ...] | None:
        """What was found; None if this was never checked."""
        query = "SELECT findings FROM preflights WHERE identity = ?"
        row = self._connection.execute(query, (identity,)).fetchone()
        return None if row is None else tuple(Finding(**plain) for plain in json.loads(row[0]))

    @store_errors()
    def put(self, identity: str, run: str, target: str, findings: Iterable[Finding]) -> None:
        """Keeps the findings in the place of earlier ones."""
        plain = json.dumps([asdict(finding) for finding in findings])
        self._connection.execute(
            "INSERT OR REPLACE INTO preflights VALUES (?, ?, ?, ?, ?)", (identity, time.time(), run, target, plain)
        )
