"""How many bytes of the file rows take, against files that SQLite wrote."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from evalkit.store.database import open_database
from evalkit.store.holdings import holdings
from evalkit.store.row_sizes import teach

ROWS = 300


@pytest.mark.parametrize("size", [20, 700, 1500, 2100, 5000, 40_000])
def test_about_what_the_file_grows_by(size: int, tmp_path: Path) -> None:
    """Within a quarter, at any size."""
    with closing(sqlite3.connect(tmp_path / "file", isolation_level=None)) as connection:
        teach(connection)
        connection.execute("CREATE TABLE t (name TEXT, value TEXT)")
        before = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute("BEGIN")
        rows = ((f"{number:08d}", "x" * size) for number in range(ROWS))
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        connection.execute("COMMIT")
        grown = (connection.execute("PRAGMA page_count").fetchone()[0] - before) * 4096
        (told,) = connection.execute("SELECT sum(row_bytes(length(name) + length(value))) FROM t").fetchone()

    assert told == pytest.approx(grown, rel=0.25)


@pytest.mark.parametrize("size", [700, 1500, 2100, 5000])
def test_about_what_the_records_of_a_run_take(size: int, tmp_path: Path) -> None:
    """Its rows and their index, within a quarter; a record of 2 KB takes no page of 4 KB."""
    with closing(open_database(tmp_path / "store.sqlite3").connection) as connection:
        before = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute("BEGIN")
        record = json.dumps({"outcome": "pass", "target": "t", "reason": "x" * size, "generations": []})
        rows = (("r1", f"suites/it/a.yaml::p{number:06d}[one:fp32:naked:greedy]", record) for number in range(ROWS))
        connection.executemany("INSERT INTO trials VALUES (?, ?, ?)", rows)
        connection.execute("INSERT INTO runs (run, started_at, facts) VALUES ('r1', 1, '{}')")
        connection.execute("COMMIT")
        grown = (connection.execute("PRAGMA page_count").fetchone()[0] - before) * 4096
        (run,) = holdings(connection).runs

    assert run.records_bytes == pytest.approx(grown, rel=0.25)
    assert size >= 2048 or grown < 4096 * ROWS
