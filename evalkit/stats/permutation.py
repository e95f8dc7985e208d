"""A test of paired differences that respects clusters: would they look so if the sign of each cluster were chance?"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import lcm

from evalkit.stats.clustered import CELLS, Clustered

MAX_WORK = 500_000_000
MAX_DENOMINATOR = 1_000
MAX_ENUMERATED = 16
SLACK = 1e-9


def sign_flip_p(
    differences: Sequence[float], clusters: Sequence[Hashable], seed: int = 0, draws: int = 20_000
) -> float:
    """The two-sided p that the mean difference is 0, flipping the sign of whole clusters; 1.0 where nothing differs.

    Differences may be in any unit. It is exact where the clusters' sums are multiples of one step (outcomes and means
    of a few samples are, and most scores) or at most 16 clusters differ; else ``draws`` random flips are counted, the
    same on every run, and the p is never below 1 / (draws + 1). For singletons of -1, 0 and 1 it is exact McNemar's p.

    Raises:
        ValueError: there are not as many clusters as differences.

    Source: Fisher (1935) and Pitman (1937); one added to hits and draws as in Phipson and Smyth (2010).
    """
    sums = [abs(total) for total in Clustered.of(differences, clusters).sums]
    observed = abs(sum(Clustered.of(differences, clusters).sums))
    scale = max(sums, default=0.0)
    sums = [total for total in sums if total > SLACK * scale]
    if not sums:
        return 1.0
    steps = _steps(sums)
    if steps is not None:
        return _counted(steps, round(observed * sum(steps) / sum(sums)))
    if len(sums) <= MAX_ENUMERATED:
        return _enumerated(sums, observed)
    return _drawn(sums, observed, seed, draws)


def _steps(sums: Sequence[float]) -> list[int] | None:
    """The sums as whole numbers of one step; None where there is no step coarse enough to count with."""
    from fractions import Fraction

    exact = {value: Fraction(value).limit_denominator(MAX_DENOMINATOR) for value in set(sums)}
    if any(abs(float(found) - value) > SLACK * max(1.0, value) for value, found in exact.items()):
        return None
    shared = lcm(*(found.denominator for found in exact.values()))
    steps = [int(exact[value] * shared) for value in sums]
    return steps if 0 < sum(steps) * len(steps) <= MAX_WORK else None


def _counted(steps: Sequence[int], observed: int) -> float:
    """Every choice of signs, counted by the sum of the steps that come out positive."""
    import numpy as np

    total = sum(steps)
    chance = np.zeros(total + 1)
    chance[0] = 1.0
    reached = 0
    for step in steps:
        chance[step : reached + step + 1] += chance[: reached + 1].copy()
        reached += step
        chance[: reached + 1] /= 2
    positive = np.arange(total + 1)
    return min(1.0, float(chance[np.abs(2 * positive - total) >= observed].sum()))


def _enumerated(sums: Sequence[float], observed: float) -> float:
    import numpy as np

    reached = np.zeros(1)
    for value in sums:
        reached = np.concatenate([reached + value, reached - value])
    return float(np.mean(np.abs(reached) >= observed * (1 - SLACK)))


def _drawn(sums: Sequence[float], observed: float, seed: int, draws: int) -> float:
    import numpy as np

    values = np.asarray(sums)
    draw = np.random.default_rng(seed)
    hits = done = 0
    while done < draws:
        rows = min(draws - done, max(1, CELLS // len(values)))
        signs = draw.integers(0, 2, (rows, len(values)), dtype=np.int8) * 2 - 1
        hits += int(np.count_nonzero(np.abs(signs @ values) >= observed * (1 - SLACK)))
        done += rows
    return (hits + 1) / (draws + 1)
