"""Which beginnings of prompts are worth computing once: a function of the rows that wait, without a device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from evalkit.engines.local.batches import Batch, Row

BLOCK = 32
"""Beginnings are so many tokens long, or a multiple of it."""
LEAST = 64
"""A shorter beginning is not kept."""
SPARED = 256
"""What a beginning must save in all, in tokens: a pass of its own costs about as much as a few dozen."""

PASS_TOKENS = {"cpu": 1024}
"""How many tokens are passed through at once, by device, where more take longer: what a layer makes of them should
stay in the caches of a core. Elsewhere there is no bound."""

Ids = tuple[int, ...]


@dataclass(slots=True)
class _Node:
    """Rows that begin alike up to here. ``only`` are the tokens of a single row, while it is the only one."""

    count: int = 0
    only: Ids | None = None
    longer: dict[Ids, _Node] = field(default_factory=dict)


class Beginnings:
    """How many of the rows that wait begin alike, by adapter: keys and values are never those of another one."""

    def __init__(self) -> None:
        self._roots: dict[str | None, _Node] = {}
        self._rows: dict[str, Row] = {}

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if not row.is_score and row.request_id not in self._rows and len(row.prompt_ids) > LEAST:
                self._rows[row.request_id] = row
                self._enter(self._roots.setdefault(row.adapter, _Node()), row.prompt_ids)

    def forget(self, request_ids: Iterable[str]) -> None:
        """These rows wait no more."""
        for request_id in request_ids:
            row = self._rows.pop(request_id, None)
            if row is not None:
                self._leave(self._roots[row.adapter], row.prompt_ids)

    def worth(self, row: Row, known: int) -> int:
        """How many of the row's first tokens to compute for all, where ``known`` of them are there already.

        The length that spares the most tokens; ``known`` where none spares enough.
        """
        node, depth = self._roots.get(row.adapter, _Node()), 0
        most, best = SPARED - 1, known
        for block in _blocks(row.prompt_ids):
            found = node.longer.get(block)
            if found is None or found.count < 2:
                break
            node, depth = found, depth + BLOCK
            spared = (node.count - 1) * (depth - known)
            if depth - known >= LEAST and spared > most:
                most, best = spared, depth
        return best

    @staticmethod
    def _enter(node: _Node, ids: Ids) -> None:
        depth = 0
        for block in (*_blocks(ids), None):
            node.count += 1
            if node.count == 1:
                node.only = ids
                return
            if node.only is not None:
                other = node.only[depth : depth + BLOCK]
                if depth + BLOCK < len(node.only):
                    node.longer[other] = _Node(1, node.only)
                node.only = None
            if block is None:
                return
            node, depth = node.longer.setdefault(block, _Node()), depth + BLOCK

    @staticmethod
    def _leave(node: _Node, ids: Ids) -> None:
        for block in (*_blocks(ids), None):
            node.count -= 1
            if node.count == 0:
                node.only = None
                node.longer.clear()
            if block is None or block not in node.longer:
                return
            if node.longer[block].count == 1:
                del node.longer[block]
                return
            node = node.longer[block]


def usable(length: int) -> int:
    """How much of a common beginning can be used: whole blocks, if they are enough."""
    whole = length // BLOCK * BLOCK
    return whole if whole >= LEAST else 0


def common(one: Ids, other: Ids) -> int:
    """How many tokens of ``other``, its last one left out, are usable as the beginning of ``one`` too."""
    longest = min(len(one), len(other) - 1)
    if one[:LEAST] != other[:LEAST]:
        return 0
    if one[:longest] == other[:longest]:
        return usable(longest)
    low, high = 0, longest // BLOCK  # equal up to low blocks, not up to high + 1
    while low < high:
        middle = (low + high + 1) // 2
        if one[: middle * BLOCK] == other[: middle * BLOCK]:
            low = middle
        else:
            high = middle - 1
    return usable(low * BLOCK)


def parts(batch: Batch, known: Sequence[int], most_tokens: int) -> tuple[Batch, ...]:
    """The rows that are passed through together, where ``known`` of each one's tokens need not be.

    Every row of a part is passed through with as many tokens as the one with the most, so they must be alike; all of
    them together with at most ``most_tokens``, or it is one row.
    """
    new_tokens = [len(row.prompt_ids) - have for row, have in zip(batch, known, strict=True)]
    alike = _alike(new_tokens) if any(known) else [list(range(len(batch)))]
    return tuple(
        tuple(batch[place] for place in part) for places in alike for part in _fitting(places, new_tokens, most_tokens)
    )


def _alike(new_tokens: Sequence[int]) -> list[list[int]]:
    """The places of rows that have about as many tokens to be passed through."""
    found: list[list[int]] = []
    bound = -1
    for new, place in sorted((new, place) for place, new in enumerate(new_tokens)):
        if new > bound:
            found.append([])
            bound = 2 * new + BLOCK
        found[-1].append(place)
    return [sorted(places) for places in found]


def _fitting(places: Sequence[int], new_tokens: Sequence[int], most_tokens: int) -> list[list[int]]:
    """The places in order, cut where more rows would be padded to too many tokens."""
    found: list[list[int]] = []
    longest = 0
    for place in places:
        longest = max(longest, new_tokens[place])
        if not found or longest * (len(found[-1]) + 1) > most_tokens:
            found.append([])
            longest = new_tokens[place]
        found[-1].append(place)
    return found


def _blocks(ids: Ids) -> list[Ids]:
    """The whole blocks of a prompt; its last token is in none, for it must be passed through."""
    return [ids[start : start + BLOCK] for start in range(0, len(ids) - BLOCK, BLOCK)]
