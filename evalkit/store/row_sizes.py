"""How many bytes of SQLite's file a row takes."""

from __future__ import annotations

import sqlite3

_CELL = 10
"""About what a row's header, its lengths and its place on the page take beside its values."""


def teach(connection: sqlite3.Connection) -> None:
    """Gives the connection the SQL functions ``row_bytes(values)`` and, for tables WITHOUT ROWID, ``key_bytes``."""
    page = int(connection.execute("PRAGMA page_size").fetchone()[0])
    connection.create_function("row_bytes", 1, lambda values: on_disk(values, page, page - 35), deterministic=True)
    most = (page - 12) * 64 // 255 - 23
    connection.create_function("key_bytes", 1, lambda values: on_disk(values, page, most), deterministic=True)


def on_disk(values: int, page: int, most: int) -> int:
    """The bytes of a row whose values have so many; of more than ``most`` only a part is on a page of the tree.

    The rest goes to whole pages of its own: a record of 2 KB in a table WITHOUT ROWID takes more than 4. What is on a
    page of the tree takes its share of it, as many of its size as it holds.

    Source: sqlite.org/fileformat2.html, section 1.6, B-tree Pages.
    """
    payload = values + _CELL
    if payload <= most:
        return page // max(1, page // payload)
    least = (page - 12) * 32 // 255 - 23
    kept = least + (payload - least) % (page - 4)
    local = kept if kept <= most else least
    return local - (local - payload) // (page - 4) * page
