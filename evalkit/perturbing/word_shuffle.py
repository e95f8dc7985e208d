"""Words in another order."""

from __future__ import annotations

from random import Random

from evalkit.perturbing.noised import Noised
from evalkit.perturbing.protection import NOTHING, Protected

SHORTEST = 4
"""A text of fewer words stays as it is."""


def word_shuffle(text: str, ratio: float, chance: Random, protected: Protected = NOTHING) -> Noised:
    """The text with ``int(words * ratio)`` of its words changing places among themselves.

    Words are what stands between single blanks, as in the training function that this imitates: a tab or a line break
    stays inside its word, and two blanks in a row hold an empty word. The float product is kept: 90 words at 0.7 give
    62, not 63. The two draws, and their order, are those of the imitated function.

    Source: the input shuffle of a published fine-tune, as specs/nla_and_reasoning.md (B1) describes it.
    """
    words = text.split(" ")
    free = _free_positions(words, protected)
    if len(free) < SHORTEST:
        return Noised(text, len(words))
    drawn = [free[place] for place in chance.sample(range(len(free)), int(len(free) * ratio))]
    moved = [words[position] for position in drawn]
    chance.shuffle(moved)
    mixed = list(words)
    for position, word in zip(drawn, moved, strict=True):
        mixed[position] = word
    changed = sum(before != after for before, after in zip(words, mixed, strict=True))
    return Noised(" ".join(mixed), len(words), len(drawn), changed)


def _free_positions(words: list[str], protected: Protected) -> list[int]:
    """The places of the words that no protected span touches; an empty one is where the blanks around it are."""
    found, start = [], 0
    for position, word in enumerate(words):
        end = start + len(word)
        if not (protected.touches(start, end) if word else protected.touches(start - 1, end + 1)):
            found.append(position)
        start = end + 1
    return found
