"""Takes runs out of the store with the answers that nothing else needs, and makes the file smaller."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evalkit.store.database import store_errors, transaction
from evalkit.store.holdings import RUN_ID, HeldRun, Holdings

_AT_ONCE = 500
SPARE = 1.1
"""More room than SQLite's own reckoning says."""
_TEMPORARY = ("/var/tmp", "/usr/tmp", "/tmp")


@dataclass(frozen=True, slots=True)
class Doomed:
    """A run that goes, and the numbers of the answers that go with it when those before it have gone."""

    run: HeldRun
    answers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Why the file keeps its size: ``needed`` bytes would have to be free in ``folder``, and ``free`` are."""

    needed: int
    free: int
    folder: Path


def doom(held: Holdings, runs: Iterable[HeldRun]) -> tuple[Doomed, ...]:
    """What goes with each of these runs, one after another.

    An answer stays while any run needs it, and so does one that another command than a run paid for.
    """
    needed = held.needed_by()
    found = []
    for run in runs:
        needed.subtract(run.answers)
        free = sorted(number for number in run.answers if not needed[number] and RUN_ID.fullmatch(held.owners[number]))
        found.append(Doomed(run, tuple(free)))
    return tuple(found)


@store_errors()
def remove(connection: sqlite3.Connection, doomed: Doomed) -> None:
    """Takes one run out, wholly or not at all.

    Raises:
        StoreError: SQLite fails.
    """
    run = doomed.run.run
    with transaction(connection):
        for part in _parts(doomed.answers):
            marks = ",".join("?" * len(part))
            connection.execute(f"DELETE FROM generations WHERE number IN ({marks})", part)
        connection.execute("DELETE FROM failures WHERE run = ? OR run LIKE ? || '~%'", (run, run))
        for table in ("trials", "runs"):
            connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))


@store_errors()
def settle(connection: sqlite3.Connection, file: Path) -> int:
    """The size of the file in bytes, with all in it that was written last.

    Raises:
        StoreError: SQLite fails.
    """
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file.stat().st_size


@store_errors()
def compact(connection: sqlite3.Connection, file: Path) -> NoRoom | None:
    """Gives the room that is free within the file back to the disk; why not, where it cannot.

    Raises:
        StoreError: SQLite fails.
    """
    pages, unused, size = (_number(connection, name) for name in ("page_count", "freelist_count", "page_size"))
    if not unused:
        return None
    lacking = _lacking(int((pages - unused) * size * SPARE), file.parent, _temporary_folder())
    if lacking is None:
        connection.execute("VACUUM")
    return lacking


def _lacking(needed: int, folder: Path, temporary: Path) -> NoRoom | None:
    """VACUUM writes a copy into the temporary folder, and from there into the log beside the store."""
    is_one_disk = folder.stat().st_dev == temporary.stat().st_dev
    for place, wanted in ((folder, 2 * needed if is_one_disk else needed), (temporary, needed)):
        free = shutil.disk_usage(place).free
        if free < wanted:
            return NoRoom(wanted, free, place)
    return None


def _temporary_folder() -> Path:
    """Where SQLite puts its temporary files (sqlite.org, Temporary Files Used By SQLite)."""
    named = (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), *_TEMPORARY)
    usable = (Path(name) for name in named if name and os.path.isdir(name) and os.access(name, os.W_OK | os.X_OK))
    return next(usable, Path())


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _parts(numbers: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    return (numbers[start : start + _AT_ONCE] for start in range(0, len(numbers), _AT_ONCE))
