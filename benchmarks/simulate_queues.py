"""Simulates the corrected rate over labels of several queues that were drawn apart: a part of benchmarks/REVIEW.md.

Called by simulate_review.py. Everything goes through ``corrected_rates``, as in ``evalkit review report``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from tabulate import tabulate

from evalkit.record import TrialOutcome
from evalkit.review import Label
from evalkit.reviewing import PopulationTrial, corrected_rates
from evalkit.reviewing.draws import Draw, Place

FALSE_PASSES = (0.0, 0.01, 0.1)
WRONG = 20
"""So many answers are in no queue; in one scene none of them is right."""
HEADS = (
    "labels come from", "false pass %", "false fail %", "these trials %", "such trials %", "width", "refused %",
    "pooled %", "width",
)  # fmt: skip
HEAD = """\
## Labels of several queues, 400 trials, 10 % fail, 60 % of failures are right

Through `corrected_rates`, from draws and labels. The least coverage is {least:.1f} %.
A pass is wrong with the chance "false pass", in the first quarter of the trials with three times that and 20 % at
least: there is where queues of one category, or with targets, look. "half read" is the first half of each sheet; which
half is chance. "refused" is how often there was no rate; such intervals are counted all the same. "pooled" takes all
labels as one random draw from passes and fails, and is counted on these trials.
"""


@dataclass(slots=True)
class Desk:
    """One simulated run: its outcomes, which answers are right, and what was queued and read of it."""

    draw: np.random.Generator
    fails: np.ndarray
    right: np.ndarray
    draws: list[Draw] = field(default_factory=list)
    read: set[int] = field(default_factory=set)
    known: set[int] = field(default_factory=set)

    def queue(
        self, fraction: float | dict[str, float], of: Sequence[int] | None = None,
        name: Callable[[int], str] | None = None, part: float = 1.0, rank: np.ndarray | None = None, *,
        skips_known: bool = False,
    ) -> None:  # fmt: skip
        """Queues a share of each stratum of these trials and has the first part of the sheet read."""
        inside = range(len(self.fails)) if of is None else of
        groups: dict[tuple[str, bool], list[int]] = {}
        order = self.draw.permutation(len(self.fails)) if rank is None else rank
        for trial in sorted(inside, key=lambda one: order[one]):
            fails = bool(self.fails[trial])
            stratum = name(trial) if name else ("failed" if fails else "passed")
            groups.setdefault((stratum, fails), []).append(trial)
        chosen: list[int] = []
        places: dict[str, Place] = {}
        for (stratum, is_fail), own in groups.items():
            share = fraction[stratum] if isinstance(fraction, dict) else fraction
            taken = self._first(own, int(np.ceil(share * len(own))), skips_known)
            chosen += taken
            outcome: TrialOutcome = "fail" if is_fail else "pass"
            places |= {f"h{one}": Place(stratum, one in set(taken), one in self.known, outcome) for one in own}
        self.draws.insert(0, Draw(places, {}))
        fresh = [trial for trial in chosen if not (skips_known and trial in self.read)]
        self.read |= set(self.draw.permutation(fresh)[: int(np.ceil(part * len(fresh)))].tolist())

    def mend(self) -> None:
        """From now on the judge agrees with every label there is."""
        self.known = set(self.read)
        read = list(self.read)
        self.fails = self.fails.copy()
        self.fails[read] = ~self.right[read]

    def _first(self, own: Sequence[int], wanted: int, skips_known: bool) -> list[int]:
        taken, count = [], 0
        for trial in own:
            is_known = skips_known and trial in self.read
            if count == wanted and not is_known:
                break
            taken.append(trial)
            count += not is_known
        return taken

    def interval(self, *, pooled: bool = False) -> tuple[float, float, bool]:
        """Low, high, and whether there is no rate."""
        trials = [
            PopulationTrial(f"t{n}", f"h{n}", "fail" if fails else "pass", stratum="failed" if fails else "passed",
                            inclusion=1.0 if n in self.read else None)
            for n, fails in enumerate(self.fails)
        ]  # fmt: skip
        said = [Label(f"h{n}", f"t{n}", "r", "correct" if self.right[n] else "wrong", "one", 0.0) for n in self.read]
        found = corrected_rates(trials, said, () if pooled else self.draws)
        return found.corrected.low, found.corrected.high, found.corrected.rate is None


def by_category(desk: Desk) -> None:
    desk.queue(1.0, range(100))
    desk.queue(0.1, range(100, 300))
    desk.queue(0.3, range(300, 400))


def failures_and_a_tenth(desk: Desk) -> None:
    desk.queue(1.0, np.flatnonzero(desk.fails).tolist(), lambda _: "asked_for")
    desk.queue(0.15, part=0.5)


def two_seeds(desk: Desk) -> None:
    desk.queue(0.2, part=0.5)
    desk.queue(0.2, part=0.5)


def targeted_later(desk: Desk) -> None:
    shares = {"dispute": 0.6, "failed": 0.2, "passed": 0.1}
    desk.queue(0.15, part=0.5)
    desk.queue(
        shares, name=lambda n: "dispute" if n < 100 else "failed" if desk.fails[n] else "passed", part=0.5,
        skips_known=True,
    )  # fmt: skip


def category_and_whole(desk: Desk) -> None:
    desk.queue(0.8, range(100), part=0.5)
    desk.queue(0.2, part=0.5, skips_known=True)


def one_goes_on(desk: Desk) -> None:
    """The first quarter's answers are new in the later run."""
    rank = desk.draw.permutation(len(desk.fails))
    desk.queue(0.2, range(100, 400), rank=rank)
    desk.queue(0.2, rank=rank, part=0.5, skips_known=True)


def new_answers(desk: Desk) -> None:
    """Nobody queued the first twentieth."""
    desk.queue(0.2, range(WRONG, 400))


def five_queues(desk: Desk) -> None:
    for first in range(0, 250, 50):
        desk.queue(0.12, range(first, 400), part=0.7)


def small_and_whole(desk: Desk) -> None:
    """What is read of the first hundred leaves less open alone, or beside the queue over all: as it falls."""
    for first in range(0, 100, 20):
        desk.queue(0.15, range(first, first + 30))
    desk.queue(0.25)


def mended(desk: Desk) -> None:
    desk.queue(0.3)
    desk.mend()


def mended_and_queued(desk: Desk) -> None:
    rank = desk.draw.permutation(len(desk.fails))
    desk.queue(0.2, rank=rank)
    desk.mend()
    desk.queue(0.3, rank=rank, skips_known=True)


SCENES: tuple[tuple[str, Callable[[Desk], None], int], ...] = (
    ("three categories, each at its own fraction", by_category, 0),
    ("all failures, and 15 % half read", failures_and_a_tenth, 0),
    ("two seeds, both half read", two_seeds, 0),
    ("a plain queue, one with targets; both half read", targeted_later, 0),
    ("a category and the whole run, both half read", category_and_whole, 0),
    ("a run and the next, a quarter of its answers new", one_goes_on, 0),
    ("a run and the next, 5 % new and in no queue", new_answers, 0),
    ("the same, all of the new ones wrong", new_answers, WRONG),
    ("five queues that overlap, each 70 % read", five_queues, 0),
    ("five small queues and one over all, all read", small_and_whole, 0),
    ("a queue; then the judge is mended by its labels", mended, 0),
    ("the same, and another queue after that", mended_and_queued, 0),
)  # fmt: skip


def row_of(
    scene: Callable[[Desk], None], wrong_first: int, false_pass: float, draws: int, seed: Sequence[int]
) -> list[float]:
    """Coverage of these and of such trials, width, refusals; the pooled one's coverage and width; in percent."""
    draw = np.random.default_rng(seed)
    wrong = np.where(np.arange(400) < 100, max(0.2, 3 * false_pass), false_pass)
    chances = 0.9 * (1 - wrong) + 0.1 * 0.6
    chances[:wrong_first] = 0.0
    such = float(chances.mean())
    rows = []
    for _ in range(draws):
        fails = draw.random(400) < 0.1
        right = draw.random(400) < np.where(fails, 0.6, 1 - wrong)
        right[:wrong_first] = False
        desk = Desk(draw, fails, right)
        scene(desk)
        low, high, is_refused = desk.interval()
        least, most, _ = desk.interval(pooled=True)
        these = float(right.mean())
        covers = (low <= these <= high, low <= such <= high)
        rows.append((*covers, high - low, is_refused, least <= these <= most, most - least))
    return [float(100 * value) for value in np.mean(rows, axis=0)]


def queues(draws: int, seed: int) -> tuple[str, float]:
    """The table, and the least coverage in it."""
    rows, least = [], 100.0
    for place, ((name, scene, wrong_first), false_pass) in enumerate(product(SCENES, FALSE_PASSES)):
        row = row_of(scene, wrong_first, false_pass, draws, (seed, 77, place))
        least = min(least, *row[:2])
        rows.append([name, f"{100 * false_pass:g}", "60", *(f"{value:.1f}" for value in row)])
    table = tabulate(rows, headers=HEADS, tablefmt="github", disable_numparse=True)
    return f"{HEAD.format(least=least)}\n{table}\n", least
