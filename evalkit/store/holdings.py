"""What every run holds in the store: which answers are its own, which others need too, how large they are."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evalkit.store.database import store_errors
from evalkit.store.row_sizes import teach

RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
"""What pytest's runs are called; answers that other commands paid for belong to no run."""
_LABELS = "SELECT json_extract(label, '$.run'), count(DISTINCT text_hash) FROM labels GROUP BY 1"


@dataclass(frozen=True, slots=True)
class HeldRun:
    """One run. Times are epoch seconds; sizes are bytes of the store's file.

    ``answers`` are the numbers of those it needs or made. ``outcomes`` count its trials. ``labels`` are people's of its
    answers, ``queues`` review queues drawn from it. One that wrote no trial has only answers.
    """

    run: str
    started_at: float
    ended_at: float | None = None
    status: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    records_bytes: int = 0
    labels: int = 0
    queues: int = 0
    answers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Holdings:
    """All runs, newest first. ``sizes`` are those of answers by number, ``owners`` the runs that made them."""

    runs: tuple[HeldRun, ...]
    sizes: Mapping[int, int]
    owners: Mapping[int, str]

    def needed_by(self) -> Counter[int]:
        """How many runs need each answer."""
        return Counter(number for run in self.runs for number in run.answers)

    def size(self, numbers: Iterable[int]) -> int:
        return sum(self.sizes[number] for number in numbers)

    @property
    def of_no_run(self) -> int:
        """Bytes of answers that no run needs or made, such as those to ``evalkit judge``."""
        needed = {number for run in self.runs for number in run.answers}
        return sum(size for number, size in self.sizes.items() if number not in needed)


@store_errors()
def holdings(connection: sqlite3.Connection) -> Holdings:
    """What is in the store now.

    Raises:
        StoreError: SQLite fails.
    """
    by_identity: dict[str, list[tuple[int, str, float]]] = defaultdict(list)
    sizes, owners = {}, {}
    teach(connection)
    for number, identity, made_by, at, size in connection.execute(
        "SELECT number, identity, run, created_at,"
        " row_bytes(length(request) + length(reply) + length(identity) + length(run) + length(target) + 8)"
        " + row_bytes(length(identity)) FROM generations ORDER BY number"
    ):
        owner = made_by.partition("~")[0]
        by_identity[identity].append((number, owner, at))
        sizes[number], owners[number] = size, owner
    runs = _listed(connection, by_identity, owners)
    known = {run.run for run in runs}
    runs += _unlisted(by_identity, known, {number for run in runs for number in run.answers})
    return Holdings(tuple(sorted(runs, key=lambda run: (run.started_at, run.run), reverse=True)), sizes, owners)


@store_errors()
def stray_labels(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The texts that have a label of a run which is not in the store.

    Raises:
        StoreError: SQLite fails.
    """
    query = "SELECT DISTINCT text_hash FROM labels WHERE json_extract(label, '$.run') NOT IN (SELECT run FROM runs)"
    return tuple(text for (text,) in connection.execute(query))


def _listed(
    connection: sqlite3.Connection, by_identity: Mapping[str, list[tuple[int, str, float]]], owners: Mapping[int, str]
) -> list[HeldRun]:
    named, made = _named(connection), defaultdict(set)
    for number, owner in owners.items():
        made[owner].add(number)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    targets: dict[str, dict[str, None]] = defaultdict(dict)
    records: Counter[str] = Counter()
    for run, outcome, target, count, size in connection.execute(
        "SELECT run, json_extract(record, '$.outcome'), json_extract(record, '$.target'), count(*),"
        " sum(row_bytes(length(record) + length(run) + length(trial)) + row_bytes(length(run) + length(trial)))"
        " FROM trials GROUP BY 1, 2, 3"
    ):
        outcomes[run][outcome] += count
        targets[run][target] = None
        records[run] += size
    labels = dict(connection.execute(_LABELS).fetchall())
    queues = dict(connection.execute("SELECT run, count(*) FROM queues GROUP BY run").fetchall())
    return [
        HeldRun(
            run, begun, ended, status, json.loads(facts), dict(outcomes[run]), tuple(targets[run]),
            records[run] + len(facts), labels.get(run, 0), queues.get(run, 0),
            frozenset((made[run] | {_seen(by_identity.get(name, []), run, ended) for name in named[run]}) - {0}),
        )
        for run, begun, ended, status, facts in connection.execute(
            "SELECT run, started_at, finished_at, status, facts FROM runs"
        )
    ]  # fmt: skip


def _unlisted(
    by_identity: Mapping[str, list[tuple[int, str, float]]], known: set[str], needed: set[int]
) -> list[HeldRun]:
    """Runs that were ended before their first trial was: only answers are left of them, which no other run needs."""
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for rows in by_identity.values():
        for number, owner, at in rows:
            if owner not in known and number not in needed and RUN_ID.fullmatch(owner):
                found[owner].append((number, at))
    return [
        HeldRun(run, min(at for _, at in rows), answers=frozenset(number for number, _ in rows))
        for run, rows in found.items()
    ]


def _named(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """The identities that the trials of each run name: their answers, and what judges asked."""
    found: dict[str, set[str]] = defaultdict(set)
    for query in (
        "SELECT DISTINCT run, one.value FROM trials, json_each(record, '$.generations') AS one",
        "SELECT DISTINCT run, json_extract(one.value, '$.identity') FROM trials, json_each(record, '$.asked') AS one",
        "SELECT DISTINCT run, json_extract(one.value, '$.identity')"
        " FROM trials, json_each(record, '$.verdicts') AS verdict, json_each(verdict.value, '$.asked') AS one",
    ):
        for run, identity in connection.execute(query):
            found[run].add(identity)
    return found


def _seen(rows: list[tuple[int, str, float]], run: str, ended: float | None) -> int:
    """The answer that a run saw, as ``newest_seen`` finds it; 0 where it saw none that is still there."""
    own = [number for number, owner, _ in rows if owner == run]
    then = [number for number, _, at in rows if ended is None or at <= ended]
    return max(own or then, default=0)
