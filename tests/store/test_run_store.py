"""Runs and their trials come back from the store as they went in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from evalkit.errors import StoreError
from evalkit.record import TrialRecord
from evalkit.store.database import open_database
from evalkit.store.generations import AsOf
from evalkit.store.migrations import VERSIONS
from evalkit.store.runs import RunStore, as_of

RECORD = TrialRecord(
    trial="suites/s/a.yaml::p[t]", suite="s", file="suites/s/a.yaml", line=3, probe="p", category="C", target="t",
    outcome="fail", reason="text: contains: nothing of 'x\ud800'", tags=("a", "b"), flags=("collapsed",), score=0.5,
    verdicts=({"judge": "text", "outcome": "fail", "spans": [{"start": 1, "end": 2}]},), generations=("i",),
    finishes=("stop",), prompt_tokens=4, new_tokens=5, generation_s=0.25, worker="gw1",
)  # fmt: skip


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = open_database(tmp_path / "store.sqlite3").connection
    yield opened
    opened.close()


@pytest.fixture
def store(connection: sqlite3.Connection) -> RunStore:
    return RunStore(connection)


def test_records_round_trip_and_the_last_of_a_trial_counts(store: RunStore) -> None:
    """Sorted by trial, one of each, every field as it was."""
    other = replace(RECORD, trial="suites/s/a.yaml::another[t]")
    store.put("run", [RECORD])
    store.put("run", [replace(RECORD, outcome="pass"), other])
    store.put("other run", [RECORD])

    assert store.records("run") == (other, replace(RECORD, outcome="pass"))
    assert store.records("other run") == (RECORD,)
    assert store.records("no run") == ()


def test_records_of_a_store_that_kept_them_by_key_are_all_there(tmp_path: Path) -> None:
    """Until version 5 a record stood in the index itself; a later one of the same trial replaces it as before."""
    file = tmp_path / "old.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as old:
        for statements in VERSIONS[:4]:
            for statement in statements:
                old.execute(statement)
        old.execute("PRAGMA user_version = 4")
        RunStore(old).put("run", [RECORD, replace(RECORD, trial="suites/s/a.yaml::another[t]")])

    with closing(RunStore.open(file)) as store:
        store.put("run", [replace(RECORD, outcome="pass")])

        assert store.records("run") == (
            replace(RECORD, trial="suites/s/a.yaml::another[t]"), replace(RECORD, outcome="pass"),
        )  # fmt: skip


def test_runs_are_listed_newest_first(store: RunStore) -> None:
    """A run that was killed has neither an end nor a status."""
    store.begin("killed", 10.0, {"argv": ["suites/s"]})
    store.begin("ended", 20.0, {})
    store.finish("ended", 25.5, 1)

    assert store.runs() == (("ended", 20.0, 25.5, 1, {}), ("killed", 10.0, None, None, {"argv": ["suites/s"]}))


def test_what_a_run_saw(store: RunStore, tmp_path: Path) -> None:
    """What was there when it ended; one that was killed has its own answers before those of later runs."""
    store.begin("killed", 10.0, {})
    store.begin("ended", 20.0, {})
    store.finish("ended", 25.5, 1)
    file = tmp_path / "store.sqlite3"

    assert as_of(file, "ended") == AsOf("ended", 25.5)
    assert as_of(file, "killed") == AsOf("killed", inf)
    assert as_of(file, "never") is None


def test_a_failed_write_leaves_the_store_usable(store: RunStore, connection: sqlite3.Connection) -> None:
    """The transaction is undone, so that neither this process nor the host waits for its lock."""
    connection.execute("CREATE TRIGGER full BEFORE INSERT ON trials BEGIN SELECT RAISE(ABORT, 'disk full'); END")

    with pytest.raises(StoreError, match=r"^The store cannot be used: disk full\.$"):
        store.put("run", [RECORD])

    assert not connection.in_transaction
    connection.execute("DROP TRIGGER full")
    store.put("run", [RECORD])
    assert store.records("run") == (RECORD,)


def test_a_record_copied_out_is_the_callers_own() -> None:
    """What is changed in ``to_dict`` leaves the record alone; ``values`` holds the same fields as they are."""
    plain = RECORD.to_dict()
    plain["verdicts"][0]["spans"][0]["start"] = 99

    assert RECORD.verdicts[0]["spans"][0]["start"] == 1
    assert RECORD.values() == RECORD.to_dict()
