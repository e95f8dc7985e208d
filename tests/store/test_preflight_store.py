"""What checks came to, kept by identity."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from evalkit.preflight import Finding
from evalkit.store.database import open_database
from evalkit.store.preflights import PreflightStore

FOUND = (Finding("base", "pass", "fits"), Finding("ends", "warn", "runs on", is_final=True))


def test_findings_come_back_as_they_were(tmp_path: Path) -> None:
    """By identity; the newest stand; what was never looked at is None."""
    with closing(open_database(tmp_path / "store.sqlite3").connection) as connection:
        store = PreflightStore(connection)
        store.put("a", "run", "demo:nf4", (Finding("base", "fail", "does not fit"),))
        store.put("a", "later", "demo:nf4", FOUND)

        assert store.find("a") == FOUND
        assert store.find("b") is None
