"""How many bytes of the file rows take, against files that SQLite wrote."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from evalkit.store.row_sizes import teach

ROWS = 300


@pytest.mark.parametrize("size", [20, 700, 1500, 2100, 5000, 40_000])
@pytest.mark.parametrize(("table", "function"), [("", "row_bytes"), (" WITHOUT ROWID", "key_bytes")])
def test_about_what_the_file_grows_by(table: str, function: str, size: int, tmp_path: Path) -> None:
    """Within a quarter, at any size: a record of 2 KB in a table without row ids takes twice that."""
    with closing(sqlite3.connect(tmp_path / "file", isolation_level=None)) as connection:
        teach(connection)
        connection.execute(f"CREATE TABLE t (name TEXT PRIMARY KEY, value TEXT){table}" if table else
                           "CREATE TABLE t (name TEXT, value TEXT)")  # fmt: skip
        before = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute("BEGIN")
        rows = ((f"{number:08d}", "x" * size) for number in range(ROWS))
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        connection.execute("COMMIT")
        grown = (connection.execute("PRAGMA page_count").fetchone()[0] - before) * 4096
        (told,) = connection.execute(f"SELECT sum({function}(length(name) + length(value))) FROM t").fetchone()

    assert told == pytest.approx(grown, rel=0.25)
