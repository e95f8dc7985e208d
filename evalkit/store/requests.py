"""What was asked for a stored answer, the condition apart from the probe's own messages."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.probe import Message
from evalkit.store.database import open_database, store_errors
from evalkit.store.generations import AsOf, newest_seen
from evalkit.target import Decoding


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """What the store keeps of a request: all of it but the target."""

    messages: tuple[Message, ...]
    condition: str | None
    decoding: Decoding
    seed: int | None
    sample: int


class RequestStore:
    """Reads what GenerationStore wrote. Every method raises StoreError where SQLite fails."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, file: Path) -> RequestStore:
        return cls(open_database(file).connection)

    def close(self) -> None:
        self._connection.close()

    @store_errors()
    def requests(self, identities: Sequence[str], as_of: AsOf | None = None) -> dict[str, StoredRequest]:
        """What was asked for the newest answer of each identity that has one; with ``as_of``, that this run saw."""
        found: dict[str, StoredRequest] = {}
        where, order, more = newest_seen(as_of)
        query = f"SELECT request FROM generations WHERE identity = ?{where} ORDER BY {order} LIMIT 1"
        for identity in identities:
            row = self._connection.execute(query, (identity, *more)).fetchone()
            if row is not None:
                found[identity] = _request(json.loads(row[0]))
        return found


def _request(plain: dict[str, Any]) -> StoredRequest:
    messages = tuple(Message(role, content) for role, content in plain["messages"])
    decoding = {name: _as_tuple(value) for name, value in plain["decoding"].items()}
    return StoredRequest(messages, plain["condition"], Decoding(**decoding), plain["seed"], plain["sample"])


def _as_tuple(value: Any) -> Any:
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value
