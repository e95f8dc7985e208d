"""How many bytes of SQLite's file a row takes."""

from __future__ import annotations

import sqlite3

_CELL = 10
"""About what a row's header, its lengths and its place on the page take beside its values."""


def teach(connection: sqlite3.Connection) -> None:
    """Gives the connection the SQL function ``row_bytes(values)``; not for tables WITHOUT ROWID."""
    page = int(connection.execute("PRAGMA page_size").fetchone()[0])
    connection.create_function("row_bytes", 1, lambda values: on_disk(values, page), deterministic=True)


def on_disk(values: int, page: int) -> int:
    """The bytes of a row whose values have so many; of what is too large for a page only a part is on one of the tree.

    The rest goes to whole pages of its own. What is on a page of the tree takes its share of it, as many of its size as
    it holds.

    Source: sqlite.org/fileformat2.html, section 1.6, B-tree Pages.
    """
    payload, most = values + _CELL, page - 35
    if payload <= most:
        return page // max(1, page // payload)
    least = (page - 12) * 32 // 255 - 23
    kept = least + (payload - least) % (page - 4)
    local = kept if kept <= most else least
    return local - (local - payload) // (page - 4) * page
