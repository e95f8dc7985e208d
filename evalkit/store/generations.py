"""Generations by identity: written by the host alone, as they finish."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from evalkit.generation import ROW_FACTS, Failure, Finish, Generation, Reply, Request
from evalkit.probe import Message
from evalkit.store.database import open_database, store_errors, transaction
from evalkit.target import Decoding

_LOOKUP_SIZE = 500
_DECODING = tuple(item.name for item in fields(Decoding))
_DERIVED = ("identity", "created_at", "is_stored")
_decoded = json.JSONDecoder().raw_decode
_REPLY = tuple(item.name for item in fields(Generation) if item.name not in _DERIVED)
"""In the order of the class, which takes what is derived after it."""
_OLDER = {item.name: item.default for item in fields(Generation) if item.default is not MISSING}
_of_reply = itemgetter(*_REPLY)


@dataclass(frozen=True, slots=True)
class AsOf:
    """What a run saw: its own answers, else the newest that were there when it ended."""

    run: str
    ended: float


class Said(NamedTuple):
    """An answer as reports show it; ``messages`` are what was asked, as (role, content), a condition's text first."""

    messages: tuple[tuple[str, str], ...]
    identity: str
    text: str
    raw_text: str
    finish: Finish
    new_tokens: int
    thinking: str
    facts: tuple[tuple[str, Any], ...]


class GenerationStore:
    """Content-addressed answers. Several answers of one identity may exist (``--eval-fresh``); the newest counts.

    Every method raises StoreError where SQLite fails.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, file: Path) -> GenerationStore:
        return cls(open_database(file).connection)

    def close(self) -> None:
        self._connection.close()

    @store_errors()
    def find(
        self, identities: Sequence[str], *, only_run: str | None = None, as_of: AsOf | None = None
    ) -> dict[str, Generation]:
        """The newest answer of each identity that has one; ``only_run`` looks at that run's answers alone.

        With ``as_of`` it is the one that this run saw.
        """
        found: dict[str, Generation] = {}
        for start in range(0, len(identities), _LOOKUP_SIZE):
            part = identities[start : start + _LOOKUP_SIZE]
            marks = ",".join("?" * len(part))
            query = f"SELECT identity, created_at, reply FROM generations WHERE identity IN ({marks})"
            values: list[Any] = list(part)
            if only_run is not None:
                query += " AND run = ?"
                values.append(only_run)
            where, order, more = newest_seen(as_of)
            for identity, created_at, reply in self._connection.execute(
                f"{query}{where} ORDER BY {order}", [*values, *more]
            ):
                found.setdefault(identity, _generation(identity, created_at, json.loads(reply)))
        return found

    @store_errors()
    def conversations(
        self, identities: Sequence[str], as_of: AsOf | None = None
    ) -> dict[str, tuple[tuple[Message, ...], Generation]]:
        """Each identity's newest answer with the messages it answered, the condition's system text first.

        With ``as_of`` it is the one that this run saw.
        """
        return {
            identity: (_messages(request), _generation(identity, created_at, _decoded(reply)[0]))
            for identity, created_at, request, reply in self._rows(identities, as_of)
        }

    @store_errors()
    def said(self, identities: Sequence[str], as_of: AsOf | None = None) -> dict[str, Said]:
        """The same as ``conversations`` as far as reports show it: for thousands, in two thirds of the time."""
        return {
            identity: _said(identity, _decoded(request)[0], _decoded(reply)[0])
            for identity, _, request, reply in self._rows(identities, as_of)
        }

    def _rows(self, identities: Sequence[str], as_of: AsOf | None) -> Iterator[tuple[str, float, str, str]]:
        """Identity, time, request and reply of the answers that count, in the order of the identities."""
        for start in range(0, len(identities), _LOOKUP_SIZE):
            part = identities[start : start + _LOOKUP_SIZE]
            newest = self._newest(part, as_of)
            marks = ",".join("?" * len(newest))
            query = f"SELECT number, created_at, request, reply FROM generations WHERE number IN ({marks})"
            rows = {number: row for number, *row in self._connection.execute(query, list(newest.values()))}
            for identity in part:
                if identity in newest:
                    created_at, request, reply = rows[newest[identity]]
                    yield identity, created_at, request, reply

    def _newest(self, identities: Sequence[str], as_of: AsOf | None) -> dict[str, int]:
        """The row of each identity's answer that counts; no text is read of the others."""
        where, order, more = newest_seen(as_of)
        marks = ",".join("?" * len(identities))
        query = f"SELECT identity, number FROM generations WHERE identity IN ({marks}){where} ORDER BY {order}"
        found: dict[str, int] = {}
        for identity, number in self._connection.execute(query, [*identities, *more]):
            found.setdefault(identity, number)
        return found

    @store_errors()
    def facts(self, identities: Sequence[str]) -> tuple[dict[str, str], ...]:
        """What engines these identities' newest answers are from, each once, in the order of the identities."""
        found: dict[tuple[tuple[str, str], ...], None] = {}
        query = "SELECT json_extract(reply, '$.facts') FROM generations WHERE identity = ? ORDER BY number DESC LIMIT 1"
        for identity in identities:
            row = self._connection.execute(query, (identity,)).fetchone()
            if row is not None and row[0] is not None:
                own = ((name, str(value)) for name, value in json.loads(row[0]) if name not in ROW_FACTS)
                found[tuple(own)] = None
        return tuple(map(dict, found))

    @store_errors()
    def put(self, settled: Iterable[tuple[str, Request, Reply]], run: str) -> list[Reply]:
        """Stores replies in one transaction and returns them with identity and time filled in."""
        now = time.time()
        stored: list[Reply] = []
        with transaction(self._connection):
            for identity, request, reply in settled:
                if isinstance(reply, Failure):
                    row = (identity, now, run, request.target.label, _safe(reply.reason))
                    self._connection.execute("INSERT INTO failures VALUES (?, ?, ?, ?, ?)", row)
                    stored.append(replace(reply, identity=identity))
                else:
                    self._connection.execute(
                        "INSERT INTO generations (identity, created_at, run, target, request, reply)"
                        " VALUES (?, ?, ?, ?, ?, ?)",
                        (identity, now, run, request.target.label, _request_json(request), _reply_json(reply)),
                    )
                    stored.append(replace(reply, identity=identity, created_at=now))
        return stored


def newest_seen(as_of: AsOf | None) -> tuple[str, str, tuple[Any, ...]]:
    """SQL that puts the answer that counts first: a condition, an order, and the values of both."""
    if as_of is None:
        return "", "number DESC", ()
    return " AND (run = ? OR created_at <= ?)", "run = ? DESC, number DESC", (as_of.run, as_of.ended, as_of.run)


def _request_json(request: Request) -> str:
    plain = {
        "messages": [[message.role, message.content] for message in request.messages],
        "condition": request.target.condition.system,
        "decoding": {name: getattr(request.decoding, name) for name in _DECODING},
        "seed": request.seed,
        "sample": request.sample,
    }
    return json.dumps(plain)


def _reply_json(generation: Generation) -> str:
    return json.dumps({name: getattr(generation, name) for name in _REPLY})


def _messages(request: str) -> tuple[Message, ...]:
    """What was asked, the condition's system text first."""
    plain = _decoded(request)[0]
    condition = plain["condition"]
    own = tuple([Message(role, content) for role, content in plain["messages"]])
    return own if condition is None else (Message("system", condition), *own)


def _said(identity: str, request: dict[str, Any], reply: dict[str, Any]) -> Said:
    asked = tuple([(role, content) for role, content in request["messages"]])
    if request["condition"] is not None:
        asked = (("system", request["condition"]), *asked)
    text, raw = reply["text"], reply["raw_text"]
    facts = tuple([(name, value) for name, value in reply["facts"]])
    return Said(
        asked, identity, text, text if raw == text else raw, reply["finish"], reply["new_tokens"],
        reply.get("thinking", ""), facts,
    )  # fmt: skip


def _generation(identity: str, created_at: float, plain: dict[str, Any]) -> Generation:
    plain["token_ids"] = tuple(plain["token_ids"])
    plain["logprobs"] = tuple(plain.get("logprobs", ()))
    plain["facts"] = tuple([(name, value) for name, value in plain["facts"]])
    if plain["raw_text"] == plain["text"]:
        plain["raw_text"] = plain["text"]  # as nearly always: thousands of them are held once
    try:
        reply = _of_reply(plain)
    except KeyError:  # an older evalkit wrote it
        reply = _of_reply({**_OLDER, **plain})
    values: tuple[Any, ...] = (*reply, identity, created_at, True)
    return Generation(*values)


def _safe(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
