"""Several tests at once: p values that stay true when many are read."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """The adjusted p values, in the order given: of those at most alpha, any is wrong with a chance of at most alpha.

    Raises:
        ValueError: a p is not in [0, 1].

    Source: Holm (1979).
    """
    for p in p_values:
        if not 0 <= p <= 1:
            raise ValueError(f"p values must be between 0 and 1; found {p!r}")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return tuple(adjusted)
