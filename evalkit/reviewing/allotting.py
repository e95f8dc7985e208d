"""How many texts of each stratum a queue takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from evalkit.reviewing.strata import RANDOM, TARGETED

Key = tuple[str, str]
"""A stratum and an outcome."""
SPREAD = {"pass": 0.22, "fail": 0.49, "unscored": 0.5}
"""How far single labels of an outcome are expected to spread: 5 % of passes wrong, 40 % of fails right. Only the
division of a budget hangs on it."""
LEAST = 0.25
"""The share of a budget's draw that passes and fails have each at least."""


@dataclass(frozen=True, slots=True)
class Group:
    """``texts`` of one stratum and outcome, of which ``fresh`` have no label yet."""

    texts: int
    fresh: int


def quotas(
    groups: Mapping[Key, Group], fraction: float, most: int, budget: int | None, *, takes_all: bool = False
) -> dict[Key, int]:
    """How many texts to take of each group; with ``budget`` how many fresh ones, in all as many where there are."""
    if budget is None:
        return {key: group.texts if takes_all else _part(key, group, fraction, most) for key, group in groups.items()}
    sizes = {key: group.fresh for key, group in groups.items()}
    if takes_all:
        return _in_turn(sizes, budget)
    targeted = {key: size for key, size in sizes.items() if key[0] in TARGETED}
    random = {key: size for key, size in sizes.items() if key[0] in RANDOM}
    capped = sum(min(size, most) for size in targeted.values())
    to_random = min(max(budget - budget // 2, budget - capped), sum(random.values()))
    return _in_turn(targeted, budget - to_random) | _weighed(random, {k: groups[k].texts for k in random}, to_random)


def _part(key: Key, group: Group, fraction: float, most: int) -> int:
    """The fraction, and of a targeted stratum no fewer than ``most``."""
    share = ceil(group.texts * fraction - 1e-9)
    return max(share, min(group.texts, most)) if key[0] in TARGETED else share


def _in_turn(sizes: Mapping[Key, int], total: int) -> dict[Key, int]:
    """One of each group in turn, until there are ``total`` or no more; groups of preceding strata first."""
    order = sorted(sizes, key=lambda key: (TARGETED.index(key[0]) if key[0] in TARGETED else -1, key[1]))
    given = dict.fromkeys(sizes, 0)
    while total:
        open_groups = [key for key in order if given[key] < sizes[key]][:total]
        if not open_groups:
            break
        for key in open_groups:
            given[key] += 1
        total -= len(open_groups)
    return given


def _weighed(sizes: Mapping[Key, int], texts: Mapping[Key, int], total: int) -> dict[Key, int]:
    """``total`` divided by size and expected spread, ``LEAST`` to each; what one cannot use goes to the other.

    Source: Neyman (1934).
    """
    weights = {key: texts[key] * SPREAD[key[1]] for key in sizes}
    whole = sum(weights.values())
    given = {}
    left, open_groups = total, sorted(sizes, key=lambda key: sizes[key])
    for number, key in enumerate(open_groups):
        rest = sum(sizes[other] for other in open_groups[number + 1 :])
        share = max(weights[key] / whole, LEAST) if len(sizes) > 1 else 1.0
        share = min(share, 1 - LEAST) if len(sizes) > 1 else share
        given[key] = min(sizes[key], left, max(round(total * share), left - rest))
        left -= given[key]
    return given
