"""Simulates how often the corrected rate's interval holds the truth; writes benchmarks/REVIEW.md.

    python benchmarks/simulate_review.py [--draws 2000] [--seed 2026]

A rerun with the same arguments writes the same file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt
from pathlib import Path

import numpy as np
from tabulate import tabulate

from evalkit.review import Label
from evalkit.reviewing import PopulationTrial, corrected_rates
from evalkit.reviewing.allotting import Group, Key, quotas
from evalkit.reviewing.combining import Counts, stratified_rate
from evalkit.reviewing.exact import exact_limits
from evalkit.stats import wilson_interval

OUT = Path(__file__).with_name("REVIEW.md")
FALSE_PASSES, FALSE_FAILS, BUDGETS = (0.0, 0.005, 0.01, 0.03, 0.1), (0.2, 0.6), (30, 60, 120)
ASKED = 0.93
SEED = 2026
HEAD = """\
# How often the corrected rate's interval holds the truth

Written by `python {argv}`: {draws:,} draws a row, seed {seed}.
A share of 95 % found in so many draws is sure to about {error:.1f} points. Asked for: {asked:.0f} % or more in every
row; the least here is {least:.1f} %. What the rates mean: docs/review-numbers.md.

A draw is a run: each trial fails with the chance in the title, a pass is wrong with the chance "false pass", a failure
is right with the chance "false fail". The queue divides the budget, people label what it drew (without an error), and
the interval is reckoned by the code that `evalkit review report` uses. "these trials" is how often it holds the rate
that people would find in this very run, had they read all of it; "such trials" how often it holds the rate behind the
draw, which is what it claims, as the automated rate's own interval does. Widths are means, in points.

The rivals: "normal" is the design-weighted estimate +- 1.96 standard errors with the finite population correction,
counted on these trials, the easier of the two truths. "Bonferroni" adds up the same exact limits, at 95 % over all
strata together, and is counted on such trials.
"""


@dataclass(frozen=True, slots=True)
class Stratum:
    """One stratum of a simulated run: its share of all trials, the share of right ones, and what the queue calls it."""

    key: Key
    share: float
    right: float


def strata_of(failing: float, false_pass: float, false_fail: float) -> tuple[Stratum, ...]:
    """A run in which nothing is targeted."""
    return (
        Stratum(("passed", "pass"), 1 - failing, 1 - false_pass),
        Stratum(("failed", "fail"), failing, false_fail),
    )


def targeted(failing: float, false_pass: float, false_fail: float) -> tuple[Stratum, ...]:
    """The same run with a twentieth of its trials in targeted strata, where the judges err three times as often."""
    often, right = min(0.9, 3 * false_pass), min(0.9, 1.5 * false_fail)
    return (
        Stratum(("gate", "fail"), failing / 10, false_fail),
        Stratum(("regression", "fail"), failing / 10, right),
        Stratum(("dispute", "pass"), (1 - failing) / 50, 1 - often),
        Stratum(("dispute", "fail"), failing / 10, right),
        Stratum(("near_threshold", "pass"), (1 - failing) / 50, 1 - often),
        Stratum(("near_threshold", "fail"), failing / 10, right),
        Stratum(("passed", "pass"), (1 - failing) * 48 / 50, 1 - false_pass),
        Stratum(("failed", "fail"), failing * 6 / 10, false_fail),
    )


def runs(strata: Sequence[Stratum], trials: int, draws: int, draw: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Sizes of the strata and the right ones in them, each of shape (draws, strata)."""
    sizes = draw.multinomial(trials, [stratum.share for stratum in strata], size=draws)
    return sizes, draw.binomial(sizes, [stratum.right for stratum in strata])


def labels(
    strata: Sequence[Stratum], sizes: np.ndarray, right: np.ndarray, budget: int, draw: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """How many of each stratum are read, and how many of those are right; (draws, strata)."""
    kinds, place = np.unique(sizes, axis=0, return_inverse=True)
    asked = np.array([_divided(strata, row, budget) for row in kinds.tolist()])
    read = asked[place.reshape(-1)]
    return read, draw.hypergeometric(right, sizes - right, read)


def _divided(strata: Sequence[Stratum], sizes: Sequence[int], budget: int) -> list[int]:
    groups = {stratum.key: Group(size, size) for stratum, size in zip(strata, sizes, strict=True) if size}
    wanted = quotas(groups, 0.1, 20, budget)
    return [wanted.get(stratum.key, 0) for stratum in strata]


Counted = Sequence[tuple[Key, int, int, int]]
"""A run's strata that hold a trial, as (key, texts, read, right)."""


def corrected(found: Counted) -> tuple[float, float]:
    """The interval that evalkit gives."""
    trials = sum(texts for _, texts, _, _ in found)
    counts = [Counts(texts, texts, read, right, _guess(found, key)) for key, texts, read, right in found]
    _, low, high = stratified_rate(counts, trials)
    return low, high


def _guess(found: Counted, key: Key) -> float:
    own = [(read, right) for other, _, read, right in found if other[1] == key[1]]
    read = sum(one for one, _ in own)
    return sum(one for _, one in own) / read if read else float(key[1] == "pass")


def normal(found: Counted) -> tuple[float, float]:
    """The textbook's interval of a stratified estimate."""
    trials = sum(texts for _, texts, _, _ in found)
    rate = variance = 0.0
    for key, texts, read, right in found:
        share = right / read if read else _guess(found, key)
        rate += texts / trials * share
        if read:
            variance += (texts / trials) ** 2 * (1 - read / texts) * share * (1 - share) / max(1, read - 1)
    return rate - 1.96 * sqrt(variance), rate + 1.96 * sqrt(variance)


def bonferroni(found: Counted) -> tuple[float, float]:
    """The exact limits of all strata and Wilson's of the draw, each surer so that all hold together."""
    trials = sum(texts for _, texts, _, _ in found)
    confidence = 1 - 0.05 / (len(found) + 1)
    limits = [exact_limits(right, read, texts, confidence) for _, texts, read, right in found]
    low, high = (sum(one[end] for one in limits) / trials for end in (0, 1))
    return (
        wilson_interval(low * trials, trials, confidence).low,
        wilson_interval(high * trials, trials, confidence).high,
    )


def bounds(by: Callable[[Counted], tuple[float, float]], keys: Sequence[Key], counted: np.ndarray) -> np.ndarray:
    """Each draw's interval, (draws, 2); equal counts are reckoned once. ``counted`` is (draws, strata, 3)."""
    flat = counted.reshape(len(counted), -1)
    kinds, place = np.unique(flat, axis=0, return_inverse=True)
    found = []
    for row in kinds.reshape(len(kinds), -1, 3).tolist():
        found.append(by([(key, *numbers) for key, numbers in zip(keys, row, strict=True) if numbers[0]]))
    return np.array(found)[place.reshape(-1)]


def row_of(strata: Sequence[Stratum], trials: int, budget: int, draws: int, seed: Sequence[int]) -> list[float]:
    """Coverage of these and of such trials, width; the rivals' coverage and width, in percent."""
    draw = np.random.default_rng(seed)
    sizes, right = runs(strata, trials, draws, draw)
    read, seen = labels(strata, sizes, right, budget, draw)
    counted = np.stack([sizes, read, seen], axis=2)
    keys = [stratum.key for stratum in strata]
    these = right.sum(axis=1) / trials
    such = np.full(draws, sum(stratum.share * stratum.right for stratum in strata))
    ours = bounds(corrected, keys, counted)
    row = [_covered(ours, these), _covered(ours, such), _width(ours)]
    for rival, truth in ((normal, these), (bonferroni, such)):
        found = bounds(rival, keys, counted)
        row += [_covered(found, truth), _width(found)]
    return row


def _covered(found: np.ndarray, truth: np.ndarray) -> float:
    return float(100 * np.mean((found[:, 0] <= truth + 1e-12) & (truth - 1e-12 <= found[:, 1])))


def _width(found: np.ndarray) -> float:
    return float(100 * np.mean(found[:, 1] - found[:, 0]))


HEADS = (
    "false pass %", "false fail %", "budget", "these trials %", "such trials %", "width", "normal %", "width",
    "Bonferroni %", "width",
)  # fmt: skip
TABLES = (
    ("1,000 trials, 10 % fail", strata_of, 1000, 0.1),
    ("300 trials, 4 % fail", strata_of, 300, 0.04),
    ("300 trials, 30 % fail", strata_of, 300, 0.3),
    ("15,000 trials, 10 % fail", strata_of, 15_000, 0.1),
    ("1,000 trials, 10 % fail, with targeted strata", targeted, 1000, 0.1),
)  # fmt: skip


def table(number: int, draws: int, seed: int) -> tuple[str, list[float], list[float]]:
    """One table; then the least coverage of ours, and the rival's least and most."""
    title, make, trials, failing = TABLES[number]
    rows, ours, normals = [], [], []
    for place, (false_pass, false_fail, budget) in enumerate(product(FALSE_PASSES, FALSE_FAILS, BUDGETS)):
        strata = make(failing, false_pass, false_fail)
        row = row_of(strata, trials, budget, draws, (seed, number, place))
        ours += row[:2]
        normals.append(row[3])
        rows.append([f"{100 * false_pass:g}", f"{100 * false_fail:g}", budget, *(f"{value:.1f}" for value in row)])
    found = f"The least coverage is {min(ours):.1f} %; normal's goes from {min(normals):.1f} to {max(normals):.1f} %."
    text = tabulate(rows, headers=HEADS, tablefmt="github", disable_numparse=True)
    return f"## {title}\n\n{found}\n\n{text}\n", ours, normals


def families(draws: int, seed: int) -> tuple[str, float]:
    """Coverage where trials come in families, by the whole of ``corrected_rates``; and the least of it."""
    rows, least = [], 100.0
    for place, (false_pass, budget) in enumerate(product((0.0, 0.01, 0.1), (30, 120))):
        draw = np.random.default_rng((seed, 99, place))
        shares = [_of_families(false_pass, budget, draw) for _ in range(draws)]
        these, such, width = (float(100 * value) for value in np.mean(shares, axis=0))
        least = min(least, these, such)
        rows.append([f"{100 * false_pass:g}", "60", budget, *(f"{value:.1f}" for value in (these, such, width))])
    text = tabulate(rows, headers=HEADS[:6], tablefmt="github", disable_numparse=True)
    title = "300 trials in 75 families of 4, 10 % fail, ICC 0.5"
    found = f"Through `corrected_rates`, from trials and labels. The least coverage is {least:.1f} %."
    return f"## {title}\n\n{found}\n\n{text}\n", least


def _of_families(false_pass: float, budget: int, draw: np.random.Generator) -> tuple[bool, bool, float]:
    """One run: whether the interval holds the rate of these and of such trials, and its width."""
    fails = draw.random(300) < np.repeat(draw.beta(0.1, 0.9, 75), 4)
    right = draw.random(300) < np.where(fails, 0.6, 1 - false_pass)
    failing = int(fails.sum())
    sizes = {("passed", "pass"): 300 - failing, ("failed", "fail"): failing}
    wanted = quotas({key: Group(size, size) for key, size in sizes.items() if size}, 0.1, 20, budget)
    read: set[int] = set()
    for (_, outcome), count in wanted.items():
        own = np.flatnonzero(fails == (outcome == "fail"))
        read |= set(draw.choice(own, count, replace=False).tolist())
    population = [
        PopulationTrial(
            f"t{n}", f"h{n}", "fail" if fails[n] else "pass", family=f"f{n // 4}",
            stratum="failed" if fails[n] else "passed", inclusion=0.5 if n in read else None,
        )
        for n in range(300)
    ]  # fmt: skip
    said = [Label(f"h{n}", f"t{n}", "r", "correct" if right[n] else "wrong", "reader", 0.0) for n in read]
    found = corrected_rates(population, said).corrected
    these, such = float(right.mean()), 0.9 * (1 - false_pass) + 0.1 * 0.6
    return found.low <= these <= found.high, found.low <= such <= found.high, found.high - found.low


def main() -> int:
    from simulate_queues import queues

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    argv = " ".join(["benchmarks/simulate_review.py", *sys.argv[1:]])
    error = 2 * 100 * sqrt(0.95 * 0.05 / options.draws)
    found = [table(number, options.draws, options.seed) for number in range(len(TABLES))]
    clustered, least = families(options.draws, options.seed)
    apart, least_apart = queues(options.draws, options.seed)
    least = min(least, least_apart, *(min(ours) for _, ours, _ in found))
    head = HEAD.format(
        argv=argv, draws=options.draws, seed=options.seed, error=error, asked=100 * ASKED, least=least
    )  # fmt: skip
    options.out.write_text("\n".join([head, *(text for text, _, _ in found), clustered, apart]), encoding="utf-8")
    print(f"{options.out}: the least coverage is {least:.1f} %")
    return 0 if least >= 100 * ASKED else 1


if __name__ == "__main__":
    raise SystemExit(main())
