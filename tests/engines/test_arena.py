"""Rows enter, decode and leave the arena, and what it gives for each is what that row put in."""

from __future__ import annotations

import random
from typing import Any
from weakref import ref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.reading.garbage import no_garbage_search

pytestmark = pytest.mark.slow

LAYERS = ((2, 3), (1, 5))
"""Heads and head size of each layer: they may differ."""


def column(name: int, place: int, layer: int) -> Any:
    """The keys of one token of one row, of shape (heads, 1, head size), unlike those of any other."""
    import torch

    heads, size = LAYERS[layer]
    return torch.full((heads, 1, size), name * 1000.0 + place + layer / 10)


def prefilled(names: list[int], lengths: list[int]) -> Any:
    """A left-padded prefill, with numbers in the padding that must not be seen."""
    import torch
    from transformers.cache_utils import DynamicCache

    cache, width = DynamicCache(), max(lengths)
    for layer, (heads, size) in enumerate(LAYERS):
        keys = torch.full((len(names), heads, width, size), -7.0)
        for row, (name, length) in enumerate(zip(names, lengths, strict=True)):
            for place in range(length):
                keys[row, :, width - length + place] = column(name, place, layer)[:, 0]
        cache.update(keys, -keys, layer)
    return cache


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_every_row_keeps_what_is_its_own(seed: int) -> None:
    """Over a random life of admissions, steps and departures, against a list of what each row should hold."""
    import torch

    from evalkit.engines.local.arena import Arena

    source, arena, rows, fresh = random.Random(seed), Arena(), [], iter(range(1, 1000))
    for _ in range(12):
        action = source.choice(("admit", "step", "step", "step", "leave"))
        if action == "admit" or not rows:
            names = [next(fresh) for _ in range(source.randint(1, 3))]
            lengths = [source.randint(1, 90) for _ in names]
            arena.admit(prefilled(names, lengths), lengths)
            rows += [[name, length] for name, length in zip(names, lengths, strict=True)]
        elif action == "leave":
            index = source.randrange(len(rows))
            arena.leave(index)
            rows[index] = rows[-1]
            rows.pop()
        else:
            for _ in range(source.randint(1, 40)):
                arena.make_room()
                for layer in range(len(LAYERS)):
                    new = torch.stack([column(name, length, layer) for name, length in rows])
                    keys, values = arena.update(new, -new, layer)
                    for index, (name, length) in enumerate(rows):
                        wanted = torch.cat([column(name, place, layer) for place in range(length + 1)], dim=1)
                        assert torch.equal(keys[index, :, -length - 1 :], wanted)
                        assert torch.equal(values[index, :, -length - 1 :], -wanted)
                arena.advance()
                for row in rows:
                    row[1] += 1
        assert arena.lengths == [length for _, length in rows]
        assert arena.get_seq_length() == arena.width == max([length for _, length in rows], default=0)


def test_a_forward_that_fails_changes_nothing() -> None:
    """Keys written by half a forward are written again by the next one."""
    import torch

    from evalkit.engines.local.arena import Arena

    arena = Arena()
    arena.admit(prefilled([1, 2], [3, 2]), [3, 2])
    arena.update(torch.full((2, 2, 1, 3), 99.0), torch.full((2, 2, 1, 3), 99.0), 0)

    good = torch.stack([column(name, length, 0) for name, length in ((1, 3), (2, 2))])
    keys, _ = arena.update(good, -good, 0)

    assert arena.lengths == [3, 2]
    assert torch.equal(keys[0, :, -1:], column(1, 3, 0))


def test_an_arena_that_is_over_gives_its_memory_back_at_once() -> None:
    """Without a search for garbage: the next batch may need it."""
    from evalkit.engines.local.arena import Arena

    arena = Arena()
    arena.admit(prefilled([1, 2], [3, 2]), [3, 2])
    held = [ref(layer.keys) for layer in arena.layers]
    with no_garbage_search():
        del arena

        assert [tensor() for tensor in held] == [None, None]


def test_a_move_that_runs_out_of_memory_empties_the_arena(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the layers have moved, so nothing in it may be used; whoever asks sees that it holds no row."""
    from evalkit.engines.local import arena as module

    made = module.Arena()
    made.admit(prefilled([1], [2]), [2])
    moves: list[int] = []
    real = module._moved

    def fails(*arguments: Any) -> Any:
        moves.append(1)
        if len(moves) == 3:
            raise MemoryError
        return real(*arguments)

    monkeypatch.setattr(module, "_moved", fails)
    with pytest.raises(MemoryError):
        made.admit(prefilled([2], [50]), [50])

    assert made.row_count == 0


def test_what_is_no_number_leaves_with_its_row() -> None:
    """A column that a later row does not use still has a share of nothing, which must not make it no number."""
    import torch

    from evalkit.engines.local.arena import Arena

    for gone in (0, 1):
        arena, broken = Arena(), prefilled([1, 2], [6, 6])
        for layer in broken.layers:
            layer.keys[gone], layer.values[gone] = torch.nan, torch.nan
        arena.admit(broken, [6, 6])
        arena.leave(gone)
        arena.admit(prefilled([3], [2]), [2])

        keys, values = arena.update(*(torch.zeros(2, 2, 1, 3) for _ in range(2)), 0)

        assert keys.shape == (2, 2, 7, 3)
        assert keys.isfinite().all()
        assert values.isfinite().all()
