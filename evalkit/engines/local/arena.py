"""Keys and values of rows that decode together, in buffers that rows enter and leave without copying the others."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import proxy

import torch
from transformers.cache_utils import Cache, DynamicLayer

ROOM = 64
"""Columns kept free on the right, at least; half the width is kept free where that is more."""


class ArenaLayer(DynamicLayer):  # type: ignore[misc]
    """One layer's buffers, of shape (rows, heads, columns, head size); the arena says which part is in use.

    It holds the arena weakly: in a circle, the memory of rows that are gone would stay until Python looks for garbage.
    """

    def __init__(self, arena: Arena, like: torch.Tensor, like_values: torch.Tensor) -> None:
        super().__init__()
        self._arena: Arena = proxy(arena)  # type: ignore[assignment]  # it does whatever an Arena does
        self.lazy_initialization(like, like_values)
        self.keys, self.values = like[:0], like_values[:0]

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write one column for every row, and give all that the rows hold."""
        arena = self._arena
        rows, start, end = arena.row_count, arena.start, arena.end
        self.keys[:rows, :, end : end + 1] = key_states
        self.values[:rows, :, end : end + 1] = value_states
        return self.keys[:rows, :, start : end + 1], self.values[:rows, :, start : end + 1]

    def get_seq_length(self) -> int:
        return self._arena.width

    def move(self, rows: int, columns: int, end: int) -> None:
        """Make the buffers that large, with what is in use ending at column ``end``."""
        arena = self._arena
        part = slice(arena.start, arena.end)
        self.keys = _moved(self.keys, arena.row_count, part, rows, columns, end)
        self.values = _moved(self.values, arena.row_count, part, rows, columns, end)

    def write(self, first: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Put rows of the same width in place, from row ``first`` on, ending where all end."""
        rows, end = slice(first, first + keys.shape[0]), self._arena.end
        columns = slice(end - keys.shape[-2], end)
        self.keys[rows, :, columns] = keys
        self.values[rows, :, columns] = values

    def copied(self, row: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """What a row holds, of shape (1, heads, length, head size)."""
        part = slice(self._arena.end - length, self._arena.end)
        return self.keys[row : row + 1, :, part].clone(), self.values[row : row + 1, :, part].clone()

    def overwrite(self, row: int, source: int) -> None:
        part = slice(self._arena.start, self._arena.end)
        self.keys[row, :, part] = self.keys[source, :, part]
        self.values[row, :, part] = self.values[source, :, part]

    def wipe(self, row: int) -> None:
        part = slice(self._arena.start, self._arena.end)
        self.keys[row, :, part] = 0
        self.values[row, :, part] = 0


class Arena(Cache):  # type: ignore[misc]
    """A cache for ``forward`` whose rows all end at the same column; on the left a shorter row has unused columns.

    So two tokens of a row are as many columns apart as they are positions apart, and masks of sliding windows, which
    count columns, are right. ``lengths`` are the tokens each row holds. A forward that fails changes nothing that
    counts: ``advance`` alone moves on.
    """

    def __init__(self) -> None:
        super().__init__(layers=[])
        self.layers: list[ArenaLayer] = []
        self.lengths: list[int] = []
        self.end = 0
        self._rows = 0
        self._columns = 0

    @property
    def row_count(self) -> int:
        return len(self.lengths)

    @property
    def width(self) -> int:
        return max(self.lengths, default=0)

    @property
    def start(self) -> int:
        return self.end - self.width

    def admit(self, prefilled: Cache, lengths: Sequence[int], expected: int = 0) -> None:
        """Take the rows of a left-padded prefill, which is emptied; room that is made is for so many rows in all."""
        if not self.layers:
            self.layers = [ArenaLayer(self, layer.keys, layer.values) for layer in prefilled.layers]
        held, rows, width = self.lengths, self.row_count + len(lengths), max(lengths)
        if rows > self._rows or width > self.end:
            self._move(max(rows, self._rows, expected), max(width, self.width))
        for layer, source in zip(self.layers, prefilled.layers, strict=True):
            layer.write(len(held), source.keys[..., -width:, :], source.values[..., -width:, :])
            source.reset()
        self.lengths = [*held, *lengths]

    def copied(self, row: int) -> tuple[tuple[torch.Tensor, torch.Tensor], ...]:
        """Keys and values of all that a row holds, for each layer."""
        return tuple(layer.copied(row, self.lengths[row]) for layer in self.layers)

    def make_room(self) -> None:
        """Before a forward: a free column on the right."""
        if self.end >= self._columns:
            self._move(self.row_count, self.width)

    def advance(self) -> None:
        """After a forward: its column counts."""
        self.end += 1
        self.lengths = [length + 1 for length in self.lengths]

    def leave(self, row: int) -> None:
        """Forget a row; the last one takes its place.

        No trace of it stays: a share of nothing of what is no number is none either, and would spoil the next row.
        """
        last = self.row_count - 1
        if row != last:
            for layer in self.layers:
                layer.overwrite(row, last)
            self.lengths[row] = self.lengths[last]
        for layer in self.layers:
            layer.wipe(last)
        self.lengths.pop()

    def _move(self, rows: int, end: int) -> None:
        columns = end + max(ROOM, end // 2)
        try:
            for layer in self.layers:
                layer.move(rows, columns, end)
        except BaseException:
            self.lengths = []  # some layers have moved and some have not: nothing here is of use any more
            raise
        self._rows, self._columns, self.end = rows, columns, end


def _moved(old: torch.Tensor, used_rows: int, part: slice, rows: int, columns: int, end: int) -> torch.Tensor:
    new = old.new_zeros((rows, old.shape[1], columns, old.shape[3]))
    new[:used_rows, :, end - (part.stop - part.start) : end] = old[:used_rows, :, part]
    return new
