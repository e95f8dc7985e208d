"""Exact limits for how many of a counted group are right, when some of them were read."""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma


@lru_cache(maxsize=65_536)
def exact_limits(right: int, read: int, total: int, confidence: float = 0.95) -> tuple[int, int]:
    """The fewest and the most of ``total`` that may be right, where of ``read`` drawn ones ``right`` are.

    Each limit is exceeded with a chance of at most (1 - confidence) / 2, whatever the truth. All were read: both are
    ``right``; none was: 0 and ``total``.

    Raises:
        ValueError: not 0 <= right <= read <= total.

    Source: Clopper and Pearson's argument on the hypergeometric distribution; Konijn (1973), Buonaccorsi (1987).
    """
    if not 0 <= right <= read <= total:
        raise ValueError(f"expected 0 <= right <= read <= total; found {right!r}, {read!r}, {total!r}")
    # A tail that is exactly as likely as that is rejected, whatever the last bits of its sum are.
    tail = (1 - confidence) / 2 * (1 + 1e-9)
    low = _fewest(right, read, total, tail)
    # The most that are right leave the fewest wrong.
    return low, total - _fewest(read - right, read, total, tail)


def _fewest(found: int, read: int, total: int, tail: float) -> int:
    """The smallest number of hits in ``total`` with which ``found`` or more among ``read`` are likelier than tail."""
    low, high = found, total - read + found
    while low < high:
        middle = (low + high) // 2
        if _at_least(found, read, middle, total) > tail:
            high = middle
        else:
            low = middle + 1
    return low


def _at_least(found: int, read: int, hits: int, total: int) -> float:
    """The chance of ``found`` or more hits among ``read`` drawn of ``total``, of which ``hits`` are hits.

    Summed away from the likeliest count, so that the first term is the largest and cannot vanish before the others.
    """
    least, most = max(0, read - (total - hits)), min(read, hits)
    if found <= least:
        return 1.0
    if found > most:
        return 0.0
    likeliest = (read + 1) * (hits + 1) // (total + 2)
    if found <= likeliest:
        return 1.0 - _sum(found - 1, least, read, hits, total)
    return _sum(found, most, read, hits, total)


def _sum(first: int, last: int, read: int, hits: int, total: int) -> float:
    """The chances of ``first`` to ``last`` hits, up or down."""
    term = exp(_log_chance(first, read, hits, total))
    chance, up, misses = term, last > first, total - hits
    for count in range(first, last, 1 if up else -1):
        if up:
            term *= (hits - count) * (read - count) / ((count + 1) * (misses - read + count + 1))
        else:
            term *= count * (misses - read + count) / ((hits - count + 1) * (read - count + 1))
        chance += term
        if term < chance * 1e-17:
            break
    return chance


def _log_chance(found: int, read: int, hits: int, total: int) -> float:
    return _log_choose(hits, found) + _log_choose(total - hits, read - found) - _log_choose(total, read)


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
