"""Simulates how often our intervals hold the truth and our tests and verdicts err; writes benchmarks/STATISTICS.md.

    python benchmarks/simulate_statistics.py [--draws 10000]

Every table has its own seed, so a rerun with as many draws writes the same file.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from tabulate import tabulate

from evalkit.comparing.deciding import estimate, verdict_of
from evalkit.stats import ClusterMean, cluster_difference_interval, cluster_interval, mcnemar_p, sign_flip_p
from evalkit.stats.clustered import Clustered, robust_interval
from evalkit.stats.distributions import student_quantile

SEED = 2026
OUT = Path(__file__).with_name("STATISTICS.md")
ICCS = (0.0, 0.3, 0.8)
EQUAL, UNEQUAL = (4,), (1, 2, 3, 10)
# Truths of a pair: the chance to get worse, and to get better.
UNCHANGED, FIVE_WORSE, TEN_WORSE, ONLY_WORSE = (0.03, 0.03), (0.07, 0.02), (0.12, 0.02), (0.05, 0.0)
MARGIN = 0.03
# The rate before, where probes are sampled several times, and what happens to it.
START, LOSSES, SAMPLES, PROBES = 0.9, (0.0, -0.05, -0.10), (2, 5, 20), (30, 100, 300)
HEAD = """\
# What the statistics were simulated to do

Written by `python benchmarks/simulate_statistics.py --draws {draws}`, seed {seed}. A share of 95 % found in {draws:,}
draws is sure to about {error:.1f} points. What the numbers mean, and why these methods: docs/statistics.md.

ICC is the correlation of two units of a cluster: at 0 they are independent, at 1 alike. Outcomes are beta-binomial,
paired changes Dirichlet-multinomial. Where probes are sampled several times, their samples are averaged first; the
chances before (mean 90 %) and after are drawn apart, each beta with this ICC over probes (over families, where there
are such): at 0 all probes lose alike, at 0.3 their true changes spread by some 25 points, at 0.8 by some 40. "break"
means that few probes fall to 0 %: at a true -5 the others stay at 90 %, at a true 0 they rise to make up for it.
"""


def families(pattern: Sequence[int], count: int) -> tuple[list[int], list[int]]:
    """The sizes of ``count`` clusters, and the cluster of each unit."""
    sizes = [pattern[number % len(pattern)] for number in range(count)]
    return sizes, [number for number, size in enumerate(sizes) for _ in range(size)]


def seen(values: Sequence[float], sizes: Sequence[int]) -> Clustered:
    """``Clustered.of`` values that lie cluster by cluster, sooner."""
    sums = np.add.reduceat(values, np.cumsum([0, *sizes[:-1]]))
    return Clustered(tuple(sums.tolist()), tuple(sizes))


def beta(p: float, icc: float, shape: tuple[int, ...], draw: np.random.Generator) -> np.ndarray:
    """Chances with mean ``p``; all the same at ICC 0."""
    return draw.beta(p * (1 - icc) / icc, (1 - p) * (1 - icc) / icc, shape) if icc else np.full(shape, p)


def outcomes(
    sizes: Sequence[int], p: float, icc: float, draws: int, draw: np.random.Generator
) -> Iterator[list[float]]:
    """One list of 0 and 1 a draw, a cluster's units side by side."""
    chances = beta(p, icc, (draws, len(sizes)), draw)
    for sums in draw.binomial(np.asarray(sizes), chances).tolist():
        yield [1.0 * (unit < passed) for passed, size in zip(sums, sizes, strict=True) for unit in range(size)]


def changes(
    sizes: Sequence[int], truth: tuple[float, float], icc: float, draws: int, draw: np.random.Generator
) -> Iterator[list[float]]:
    """One list of -1, 0 and 1 a draw, a cluster's units side by side."""
    shares = np.maximum([*truth, 1 - sum(truth)], 1e-12)  # a Dirichlet share must not be 0
    units, alike = np.asarray(sizes), np.tile(shares / shares.sum(), (len(sizes), 1))
    for _ in range(draws):
        chances = draw.dirichlet(shares * (1 - icc) / icc, len(sizes)) if icc else alike
        counts = draw.multinomial(units, chances).tolist()
        yield [
            change
            for worse, better, same in counts
            for change in (-1.0,) * worse + (1.0,) * better + (0.0,) * same
        ]  # fmt: skip


def rates(draws: int) -> str:
    """Coverage of the cluster interval and of the plain robust one, which has width 0 where all clusters pass."""
    rows = []
    cells = product((EQUAL, UNEQUAL), (12, 30, 75), ICCS, (0.5, 0.9, 0.98))
    for number, (pattern, count, icc, p) in enumerate(cells):
        sizes, clusters = families(pattern, count)
        held = rival = width = rival_width = 0.0
        for values in outcomes(sizes, p, icc, draws, np.random.default_rng((SEED, 1, number))):
            ours, plain = cluster_interval(values, clusters), robust_interval(seen(values, sizes))
            assert plain is not None
            held += ours.low <= p <= ours.high
            rival += plain.low <= p <= plain.high
            width += ours.high - ours.low
            rival_width += plain.high - plain.low
        shape = "4 each" if pattern == EQUAL else "1, 2, 3, 10"
        shares = [f"{100 * share / draws:.1f}" for share in (held, width, rival, rival_width)]
        rows.append([shape, count, icc, p, *shares])
    heads = ["units", "clusters", "ICC", "p", "covered %", "width", "t covered %", "t width"]
    return table("A rate: `cluster_interval`, and the plain cluster-robust t-interval beside it", heads, rows)


def differences(draws: int) -> str:
    """Coverage of the interval of a paired difference."""
    rows = []
    cells = product(((EQUAL, 30), (EQUAL, 75), (UNEQUAL, 75)), ICCS, (UNCHANGED, FIVE_WORSE, TEN_WORSE, ONLY_WORSE))
    for number, ((pattern, count), icc, truth) in enumerate(cells):
        sizes, clusters = families(pattern, count)
        true = truth[1] - truth[0]
        held = rival = width = rival_width = 0.0
        for values in changes(sizes, truth, icc, draws, np.random.default_rng((SEED, 2, number))):
            ours, plain = cluster_difference_interval(values, clusters), robust_interval(seen(values, sizes))
            assert plain is not None
            held += ours.low <= true <= ours.high
            rival += plain.low <= true <= plain.high
            width += ours.high - ours.low
            rival_width += plain.high - plain.low
        shape = "4 each" if pattern == EQUAL else "1, 2, 3, 10"
        shares = [f"{100 * share / draws:.1f}" for share in (held, width, rival, rival_width)]
        rows.append([shape, count, icc, f"{100 * true:+.0f}", f"{100 * truth[0]:.0f} / {100 * truth[1]:.0f}", *shares])
    heads = ["units", "clusters", "ICC", "true", "worse / better %", "covered %", "width", "t covered %", "t width"]
    return table("A paired difference: `cluster_difference_interval`", heads, rows)


def sizes_of_tests(draws: int) -> str:
    """How often p <= 0.05 where nothing changed."""
    rows = []
    sizes, clusters = families(EQUAL, 75)
    for number, (icc, share) in enumerate(product((0.0, 0.3, 0.5, 0.65, 0.8), (0.03, 0.10))):
        flip = exact = 0
        for values in changes(sizes, (share, share), icc, draws, np.random.default_rng((SEED, 3, number))):
            flip += sign_flip_p(values, clusters) <= 0.05
            exact += mcnemar_p(values.count(-1.0), values.count(1.0)) <= 0.05
        rows.append([icc, f"{200 * share:.0f}", f"{100 * flip / draws:.1f}", f"{100 * exact / draws:.1f}"])
    heads = ["ICC", "pairs that differ %", "sign-flip p <= 0.05 %", "exact McNemar p <= 0.05 %"]
    return table("False alarms of the tests: 75 families of 4, nothing changed", heads, rows)


def verdicts(draws: int) -> str:
    """What the whole rule says, margin and all."""
    rows = []
    designs = [("300 singletons", (1,), 300, 0.0), *(("75 families of 4", EQUAL, 75, icc) for icc in ICCS)]
    for number, ((name, pattern, count, icc), truth) in enumerate(product(designs, (UNCHANGED, FIVE_WORSE, TEN_WORSE))):
        sizes, clusters = families(pattern, count)
        said: Counter[str] = Counter()
        known: dict[tuple[int, int] | None, str] = {}
        for values in changes(sizes, truth, icc, draws, np.random.default_rng((SEED, 4, number))):
            key = (values.count(-1.0), values.count(1.0)) if count == len(values) else None  # all that singletons tell
            if key is None or key not in known:
                known[key] = verdict_of(estimate(values, clusters, is_rate=True, is_averaged=False), MARGIN)
            said[known[key]] += 1
        shares = [f"{100 * said[word] / draws:.1f}" for word in ("REGRESSED", "IMPROVED", "HELD", "UNDERPOWERED")]
        rows.append([name, icc, f"{100 * (truth[1] - truth[0]):+.0f}", f"{100 * sum(truth):.0f}", *shares])
    heads = ["design", "ICC", "true", "pairs that differ %", "REGRESSED", "IMPROVED", "HELD", "UNDERPOWERED"]
    return table("Verdicts in percent, margin 3 points", heads, rows)


def averages(
    shape: tuple[int, int, int], samples: int, loss: float, icc: float, broken: float, draw: np.random.Generator
) -> np.ndarray:
    """Differences of two means of ``samples``; shape is draws, clusters, units. A share of clusters is ``broken``."""
    each = (*shape[:2], 1)
    before = beta(START, icc, each, draw)
    after = beta(START + loss, icc, each, draw)
    if broken:
        after = np.where(draw.random(each) < broken, 0.0, after / (1 - broken))
    passed = [draw.binomial(samples, np.broadcast_to(chances, shape)) for chances in (before, after)]
    return (passed[1] - passed[0]) / samples


def covered(
    interval: Callable[[Sequence[float], Sequence[int]], ClusterMean], values: np.ndarray, true: float
) -> list[str]:
    """Coverage and width of ours, of the plain t-interval (of equal clusters: over their means), and their ratio."""
    draws, count, units = values.shape
    clusters = [number for number in range(count) for _ in range(units)]
    found = [interval(row, clusters) for row in values.reshape(draws, -1).tolist()]
    ours = np.array([(one.low, one.high) for one in found])
    means = values.mean(axis=2)
    half = student_quantile(0.95, count - 1) * means.std(axis=1, ddof=1) / count**0.5
    plain = np.stack([means.mean(axis=1) - half, means.mean(axis=1) + half], axis=1)
    held, rival = (np.mean((bounds[:, 0] <= true) & (true <= bounds[:, 1])) for bounds in (ours, plain))
    width, rival_width = (np.mean(bounds[:, 1] - bounds[:, 0]) for bounds in (ours, plain))
    shares = [f"{100 * share:.1f}" for share in (held, width, rival, rival_width)]
    return [*shares, f"{width / rival_width:.2f}"]


def averaged_differences(draws: int) -> str:
    """Coverage of the interval of a paired difference of means of several samples."""
    rows = []
    designs = [*(((count, 1), samples) for count, samples in product(PROBES, SAMPLES)), ((25, 4), 5)]
    cells = [(design, icc, loss, 0.0) for design, icc, loss in product(designs, ICCS, LOSSES)]
    cells = [cell for cell in cells if cell[0][0] != (PROBES[-1], 1) or cell[1] != ICCS[1]]  # nothing new to see
    cells += [(design, 0.0, -0.05, 0.05 / START) for design in designs if design[1] == SAMPLES[-1]]
    for number, (((count, units), samples), icc, loss, broken) in enumerate(cells):
        draw = np.random.default_rng((SEED, 5, number))
        values = averages((draws, count, units), samples, loss, icc, broken, draw)
        shares = covered(cluster_difference_interval, values, loss)
        rows.append([name_of(count, units), samples, "break" if broken else icc, f"{100 * loss:+.0f}", *shares])
    heads = ["units", "samples", "ICC", "true", "covered %", "width", "t covered %", "t width", "widths' ratio"]
    return table("A paired difference of averaged samples: `cluster_difference_interval`", heads, rows)


def averaged_rates(draws: int) -> str:
    """Coverage of the interval of a rate over means of several samples."""
    rows = []
    for number, (count, samples, icc) in enumerate(product(PROBES, SAMPLES, ICCS)):
        draw = np.random.default_rng((SEED, 6, number))
        values = draw.binomial(samples, beta(START, icc, (draws, count, 1), draw)) / samples
        rows.append([f"{count} probes", samples, icc, *covered(cluster_interval, values, START)])
    heads = ["units", "samples", "ICC", "covered %", "width", "t covered %", "t width", "widths' ratio"]
    return table("A rate of 90 % over averaged samples: `cluster_interval`", heads, rows)


def sizes_of_averaged_tests(draws: int) -> str:
    """How often p <= 0.05 where the true mean of the averaged differences is 0."""
    rows = []
    designs = (((30, 1), 5), ((30, 1), 20), ((100, 1), 20), ((25, 4), 5))
    for number, (((count, units), samples), kind) in enumerate(product(designs, ((0.0, 0.0), (0.8, 0.0), (0.0, 0.05)))):
        icc, broken = kind
        values = averages((draws, count, units), samples, 0.0, icc, broken, np.random.default_rng((SEED, 7, number)))
        clusters = [cluster for cluster in range(count) for _ in range(units)]
        flip = sum(sign_flip_p(row, clusters) <= 0.05 for row in values.reshape(draws, -1).tolist())
        rows.append([name_of(count, units), samples, "break" if broken else icc, f"{100 * flip / draws:.1f}"])
    heads = ["units", "samples", "ICC", "sign-flip p <= 0.05 %"]
    return table("False alarms of the sign-flip test over averaged samples, true mean 0", heads, rows)


def name_of(count: int, units: int) -> str:
    return f"{count} probes" if units == 1 else f"{count} families of {units}"


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return f"## {title}\n\n{tabulate(rows, headers=heads, tablefmt='github', disable_numparse=True)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--draws", type=int, default=10_000)
    draws = parser.parse_args().draws
    head = HEAD.format(draws=draws, seed=SEED, error=2 * 100 * (0.95 * 0.05 / draws) ** 0.5)
    tables = (
        rates, differences, sizes_of_tests, verdicts, averaged_differences, averaged_rates, sizes_of_averaged_tests,
    )  # fmt: skip
    parts = [make(draws) for make in tables]
    OUT.write_text("\n".join([head, *parts]), encoding="utf-8")


if __name__ == "__main__":
    main()
