"""Beginnings that many prompts share, computed once for each adapter and kept while rows wait that begin so."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import torch

from evalkit.engines.local.adapters import AdapterRack
from evalkit.engines.local.batches import Batch, Row
from evalkit.engines.local.drafting import Draft
from evalkit.engines.local.flights import Flight
from evalkit.engines.local.memory_errors import is_out_of_memory, release_memory
from evalkit.engines.local.passes import Passes
from evalkit.engines.local.prefilling import Layers, Past, prefill
from evalkit.engines.local.prefixes import LEAST, PASS_TOKENS, Beginnings, common, parts
from evalkit.engines.local.weights import Weights


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A beginning under one adapter. ``idle_count`` is for a turn that is followed: when it was kept."""

    adapter: str | None
    ids: tuple[int, ...]
    layers: Layers
    idle_count: int | None = None


class PrefixReuse:
    """Knows the beginnings of what waits, and holds at most ``most_tokens`` of them; the least recently used one goes.

    A conversation that goes on is kept until the rows that came after it are answered, where there is room.
    With 0 nothing is shared. The text is the same with and without: keys and values of a token depend on it and on
    those before it alone.
    """

    def __init__(self, weights: Weights, rack: AdapterRack, most_tokens: int) -> None:
        self._weights = weights
        self._rack = rack
        self._passes = Passes(weights, rack)
        self._most_tokens = most_tokens
        self._beginnings = Beginnings()
        self._kept: list[_Kept] = []
        self._idle_count = 0

    @property
    def held_tokens(self) -> int:
        """How many tokens' keys and values are held for others."""
        return sum(len(kept.ids) for kept in self._kept)

    def add(self, rows: Iterable[Row]) -> None:
        """These rows wait."""
        if self._most_tokens:
            self._beginnings.add(rows)

    def forget(self, request_ids: Iterable[str]) -> None:
        """These rows wait no more."""
        self._beginnings.forget(request_ids)

    def end(self) -> None:
        """Nothing waits any more: hold only the conversations that were kept since the last time."""
        self._kept = [kept for kept in self._kept if kept.idle_count == self._idle_count]
        self._idle_count += 1
        self._beginnings = Beginnings()

    def keep_turn(self, draft: Draft, flight: Flight) -> None:
        """Keep what is known of a conversation that goes on, if there is room beside what is held."""
        ids = (*draft.row.prompt_ids, *draft.ids[:-1])
        if not LEAST <= len(ids) <= self._most_tokens - self.held_tokens:
            return
        if any(kept.ids == ids and kept.adapter == draft.row.adapter for kept in self._kept):
            return
        try:
            self._weights.check_room(tuple(one.row for one in flight.drafts), self.held_tokens + len(ids))
            layers = flight.known(flight.drafts.index(draft))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            return  # then the next turn must do without
        self._kept.insert(0, _Kept(draft.row.adapter, ids, layers, self._idle_count))

    def prepared(self, batch: Batch, beside: Batch) -> tuple[Batch, ...]:
        """The parts in which the batch is best passed through, with the beginnings computed that are worth it."""
        try:
            for row in batch:
                self._prepare(row, (*beside, *batch))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self._kept.clear()  # then the rows must do without
            release_memory()
        finally:
            self.forget(row.request_id for row in batch)
        known = [past.length if (past := self.past(row)) else 0 for row in batch]
        return parts(batch, known, PASS_TOKENS.get(self._weights.device, sys.maxsize))

    def past(self, row: Row) -> Past | None:
        """What is known of a row."""
        best = max(
            ((common(kept.ids, row.prompt_ids), place) for place, kept in self._of(row.adapter)), default=(0, 0)
        )  # fmt: skip
        return Past(self._kept[best[1]].layers, best[0]) if best[0] else None

    def fit(self, rows: Batch) -> None:
        """Let go of what is held if these rows would not fit beside it.

        Raises:
            MemoryError: they do not fit at all.
        """
        try:
            self._weights.check_room(rows, self.held_tokens)
        except MemoryError:
            self._kept.clear()
            self._weights.check_room(rows)

    def _of(self, adapter: str | None) -> list[tuple[int, _Kept]]:
        return [(place, kept) for place, kept in enumerate(self._kept) if kept.adapter == adapter]

    def _prepare(self, row: Row, rows: Batch) -> None:
        past = self.past(row)
        known = past.length if past else 0
        wanted = self._beginnings.worth(row, known)
        if past is not None:
            used = next(kept for kept in self._kept if kept.layers is past.layers)
            self._kept.remove(used)
            self._kept.append(used)
        if not known < wanted <= self._most_tokens:
            return
        while self.held_tokens + wanted > self._most_tokens:
            self._kept.pop(0)
        with suppress(MemoryError):
            self._weights.check_room(rows, self.held_tokens + wanted)
            self._compute(row.adapter, row.prompt_ids[:wanted], past)

    def _compute(self, adapter: str | None, ids: tuple[int, ...], past: Past | None) -> None:
        with self._rack.applied([adapter]), torch.no_grad():
            _, cache = prefill(self._passes, self._weights, [ids], [past])
        self._kept.append(_Kept(adapter, ids, tuple((layer.keys, layer.values) for layer in cache.layers)))
