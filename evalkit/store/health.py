"""What is in a store and whether it is whole, without changing it."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evalkit.store.migrations import VERSIONS

Integrity = Literal["whole", "corrupt", "not finished"]
CHECK_LIMIT_S = 1.5
_STEPS_BETWEEN_LOOKS = 10_000


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """``mistake`` is SQLite's first complaint; ``not finished``: the check was cut short by its time limit."""

    integrity: Integrity
    size_bytes: int
    answers: int = 0
    runs: int = 0
    version: int = 0
    mistake: str = ""

    @property
    def is_newer(self) -> bool:
        """Whether a newer evalkit made it."""
        return self.version > len(VERSIONS)


def store_health(file: Path, check_limit_s: float = CHECK_LIMIT_S) -> StoreHealth:
    """Counts and checks the store at ``file``; runs may be using it meanwhile.

    Raises:
        OSError: there is no such file.
    """
    size = sum(part.stat().st_size for part in (file, file.with_name(f"{file.name}-wal")) if part.exists())
    file.stat()
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as connection:
            return _health(connection, size, check_limit_s)
    except sqlite3.OperationalError as error:
        return StoreHealth("not finished", size, mistake=str(error))
    except sqlite3.DatabaseError as error:
        return StoreHealth("corrupt", size, mistake=str(error))


def _health(connection: sqlite3.Connection, size: int, limit_s: float) -> StoreHealth:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    counts = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] if table in tables else 0
        for table in ("generations", "runs")
    }
    integrity, mistake = _check(connection, limit_s)
    return StoreHealth(integrity, size, counts["generations"], counts["runs"], version, mistake)


def _check(connection: sqlite3.Connection, limit_s: float) -> tuple[Integrity, str]:
    """SQLite's quick check, cut short after the time limit."""
    until = time.monotonic() + limit_s
    connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_LOOKS)
    try:
        first = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        return "not finished", "" if "interrupted" in str(error) else str(error)
    finally:
        connection.set_progress_handler(None, 0)
    return ("whole", "") if first == "ok" else ("corrupt", " ".join(first.split()))
