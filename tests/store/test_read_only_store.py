"""A store that nobody may write, or its folder: read by a real command where that can be, else a sentence."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from evalkit.store.database import open_database
from evalkit.store.migrations import READS_LIKE_TODAY, VERSIONS

ADVICE = "or work in a copy of the workspace."
Evalkit = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a workspace of one probe has its store."""
    suite = tmp_path / "suites" / "small"
    suite.mkdir(parents=True)
    (suite / "a.yaml").write_text("probes: [{id: one, prompt: Ask., expect: {contains: x}}]\n")
    (tmp_path / ".evalkit").mkdir()
    return tmp_path / ".evalkit" / "store.sqlite3"


@pytest.fixture
def evalkit(tmp_path: Path) -> Evalkit:
    """Runs a command in the workspace, as somebody whom permissions bind."""
    bound: list[str] = []
    if not os.geteuid():
        if shutil.which("setpriv") is None:
            pytest.skip("root may write everything, and there is no setpriv to take that away")
        bound = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [*bound, sys.executable, "-m", "evalkit", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def make(file: Path, version: int) -> None:
    """A store of an older version that holds one run of one passing trial; nobody may write the file."""
    record = {
        "trial": "suites/small/a.yaml::one[t]", "suite": "small", "file": "suites/small/a.yaml", "line": 1,
        "probe": "one", "category": "C", "target": "t", "outcome": "pass", "reason": "",
    }  # fmt: skip
    with closing(sqlite3.connect(file, isolation_level=None)) as old:
        old.execute("PRAGMA journal_mode = WAL")
        for statement in (statement for statements in VERSIONS[:version] for statement in statements):
            old.execute(statement)
        old.execute(f"PRAGMA user_version = {version}")
        old.execute("INSERT INTO runs VALUES ('old', 1, 2, 0, '{}')")
        old.execute("INSERT INTO trials VALUES ('old', ?, ?)", (record["trial"], json.dumps(record)))
    file.chmod(0o444)


@pytest.mark.parametrize("version", range(READS_LIKE_TODAY, len(VERSIONS) + 1))
def test_a_file_that_cannot_be_written_is_read_as_it_is(version: int, file: Path, evalkit: Evalkit) -> None:
    """Its tables read like those of today, so that nobody needs to bring it up to date."""
    make(file, version)
    before = file.read_bytes()

    listed = evalkit("list", "runs", "--json")
    compared = evalkit("compare", "old", "old", "--json")

    assert (listed.returncode, listed.stderr) == (0, "")
    assert [run["outcomes"] for run in json.loads(listed.stdout)] == [{"pass": 1}]
    assert (compared.returncode, compared.stderr) == (0, "")
    assert file.read_bytes() == before


def test_the_same_file_is_brought_up_to_date_when_it_can_be_written(file: Path, evalkit: Evalkit) -> None:
    """What was read from it is in the new tables."""
    make(file, 4)
    evalkit("list", "runs")
    file.chmod(0o644)

    listed = evalkit("list", "runs", "--json")

    assert [run["outcomes"] for run in json.loads(listed.stdout)] == [{"pass": 1}]
    with closing(open_database(file).connection) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(VERSIONS),)


def test_a_file_that_must_be_written_to_be_read_says_so(file: Path, evalkit: Evalkit) -> None:
    """Version 3 had no labels yet."""
    make(file, 3)

    done = evalkit("list", "runs")

    assert done.returncode == 2
    assert done.stderr == (
        f"{file}: this store is of version 3, and cannot be written to bring it up to {len(VERSIONS)}. "
        f"Make the file writable, {ADVICE}\n"
    )


def test_a_folder_that_cannot_be_written_says_why_that_matters(file: Path, evalkit: Evalkit) -> None:
    """Whoever only reads locks too, so that nobody prunes the store meanwhile."""
    make(file, len(VERSIONS))
    file.parent.chmod(0o555)

    done = evalkit("list", "runs")

    file.parent.chmod(0o755)
    assert done.returncode == 2
    assert done.stderr == (
        f"{file}: cannot open the store: [Errno 13] Permission denied: '{file}.lock'. "
        f"Reading, too, locks a file beside it: make folder and files writable, {ADVICE}\n"
    )


@pytest.mark.parametrize("version", range(READS_LIKE_TODAY, len(VERSIONS)))
def test_every_later_version_reads_like_today(version: int, file: Path) -> None:
    """The same tables with the same columns; whoever adds some raises READS_LIKE_TODAY."""
    make(file, version)
    make(file.with_name("today.sqlite3"), len(VERSIONS))

    assert columns(file) == columns(file.with_name("today.sqlite3"))


def columns(file: Path) -> dict[str, list[str]]:
    with closing(sqlite3.connect(file)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in sorted(tables)
        }
