"""Which rows start, join, wait or run alone: pure policy, without a device or a clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalkit.engines.local.batches import Batch, Row, fitting, smaller_batches

REFILL_AT = 0.75
"""Waiting rows join once this share of the rows of the last filling is left; a fuller batch is not worth the pause."""

Manner = Literal["open", "apart", "alone", "score"]
"""``open``: others may join; ``apart``: none may; ``alone``: one row as ``generate`` runs it; ``score``: one pass."""


@dataclass(frozen=True, slots=True)
class Start:
    """Rows that begin together, and how."""

    batch: Batch
    manner: Manner


class Schedule:
    """Everything that waits for one model. What runs when follows from the rows alone, not from when they came.

    Batches that failed are tried again in smaller ones, with nothing beside them. ``is_one_by_one``: every row runs
    alone, scores in passes of one row.
    """

    def __init__(self, max_rows: int, max_tokens: int, is_one_by_one: bool = False) -> None:
        self._max_rows = max_rows
        self._wanted_tokens = max_tokens
        self._max_tokens = max_tokens
        self._is_one_by_one = is_one_by_one
        self._waiting: list[Row] = []
        self._is_sorted = True
        self._apart: deque[Batch] = deque()
        self._alone: deque[Row] = deque()
        self._filled = 0

    def __len__(self) -> int:
        return len(self._waiting) + sum(map(len, self._apart)) + len(self._alone)

    def add(self, rows: Sequence[Row]) -> None:
        self._waiting.extend(rows)
        self._is_sorted = False

    def cancel(self, request_id: str) -> None:
        """Forget a row that waits."""
        self._waiting = [row for row in self._waiting if row.request_id != request_id]
        kept = (tuple(row for row in batch if row.request_id != request_id) for batch in self._apart)
        self._apart = deque(batch for batch in kept if batch)
        self._alone = deque(row for row in self._alone if row.request_id != request_id)

    def bound_rows(self, rows: int) -> None:
        """From now on at most ``rows`` run together."""
        self._max_rows = min(self._max_rows, rows)

    def start(self) -> Start | None:
        """What begins when nothing runs: what failed before, then what waits, then rows to be done again alone."""
        if self._apart:
            batch = self._apart.popleft()
            return Start(batch, "score" if batch[0].is_score else "apart")
        if self._waiting:
            batch = self._take((), 1 if self._is_one_by_one else self._max_rows)
            self._filled = len(batch)
            is_alone = self._is_one_by_one or self._max_rows == 1
            return Start(batch, "score" if batch[0].is_score else "alone" if is_alone else "open")
        if self._alone:
            return Start((self._alone.popleft(),), "alone")
        self._max_tokens = self._wanted_tokens
        return None

    def wants(self, running: int) -> bool:
        """Whether it is time for others to join, if any can."""
        return bool(self._waiting) and running <= REFILL_AT * self._filled

    def joining(self, running: Batch) -> Batch:
        """What joins the rows that run now."""
        if not self.wants(len(running)):
            return ()
        batch = self._take(running, self._max_rows)
        self._filled = len(running) + len(batch) if batch else self._filled
        return batch

    def again_alone(self, row: Row) -> None:
        """The row is to be done again by itself."""
        self._alone.append(row)

    def again_smaller(self, batch: Batch) -> None:
        """The batch failed, and which of its rows is at fault is to be found."""
        self._apart.extend(smaller_batches(batch))

    def again_with_less(self, batch: Batch, beside: Batch = ()) -> None:
        """The batch did not fit into memory beside others: it waits again, and half as much runs from now on."""
        rows = (*batch, *beside)
        width = max(row.padded_tokens for row in rows)
        self._max_tokens = min(self._max_tokens, width * ((len(rows) + 1) // 2))
        self.add(batch)

    def _take(self, beside: Batch, max_rows: int) -> Batch:
        if not self._is_sorted:
            self._waiting.sort(key=lambda row: row.order)
            self._is_sorted = True
        batch = fitting(self._waiting, beside, max_rows, self._max_tokens)
        taken = {row.request_id for row in batch}
        self._waiting = [row for row in self._waiting if row.request_id not in taken]
        return batch
