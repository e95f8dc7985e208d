"""Judges in the host what a client is going to come to, so that a machine's second core is of use at -n 0."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING

from evalkit.host.messages import Expect, Passed
from evalkit.host.plan import Plan, Progress
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.trial_judging import TrialJudging

MOST_AHEAD = 512
"""How many trials may lie judged here before their client has them."""
_MOMENT_S = 0.005
_FEW = 16
"""So many go to a client that has caught up: while it judges them, this gets before it again."""


def usable_cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_idle_core() -> bool:
    """Whether there may be one beside that of the client."""
    return usable_cores() > 1


def preparations(kinds: Iterable[str]) -> Iterator[str]:
    """Imports what judges, where that is asked for: ``judging`` among the kinds."""
    if "judging" in kinds and has_idle_core():
        import evalkit.reading.judges
        import evalkit.trial_judging  # noqa: F401

        yield "judging"


class JudgingAhead:
    """Goes through a client's trials in its order, always before it; what it did not come to the client judges."""

    def __init__(self, plan: Plan, workspace: Workspace, expect: Expect) -> None:
        self._plan = plan
        self._workspace = workspace
        self._expect = expect
        self._places = {trial: place for place, trial in enumerate(expect.trials)}
        self._judging: TrialJudging | None = None
        self._passed: dict[str, Passed] = {}
        self._next = 0

    def step(self) -> bool:
        """Judges for a moment; whether there is more that could be judged now."""
        until, trials = monotonic() + _MOMENT_S, self._expect.trials
        while self._next < len(trials) and len(self._passed) < MOST_AHEAD:
            if trials[self._next] in self._plan:
                item = self._plan.progress(trials[self._next])
                if not item.is_settled:
                    return False
                self._judge(item)
            self._next += 1
            if monotonic() >= until:  # looked at last: each step gets on, however busy the machine is
                break
        return self._next < len(trials) and len(self._passed) < MOST_AHEAD

    def passed(self, trial: str) -> Passed | None:
        """A trial that was judged here and passes."""
        return self._passed.get(trial)

    def given_with(self, first: str, following: tuple[str, ...]) -> tuple[str, ...]:
        """Which of those that follow a trial go along with it: those that were come to here, and a few at least."""
        done = self._next - self._places.get(first, self._next) - 1
        return following[: max(done, _FEW)]

    def give(self, trials: Iterable[str]) -> None:
        """Lets go of trials that their client has now, and of those it passed over, and goes on behind them."""
        given = {place: trial for trial in trials if (place := self._places.get(trial)) is not None}
        if not given:
            return
        first, last = min(given), max(given)
        self._next = max(self._next, last + 1)
        for trial in [name for name in self._passed if self._places[name] < first]:
            del self._passed[trial]
        for trial in given.values():
            self._passed.pop(trial, None)

    def _judge(self, item: Progress) -> None:
        settled = self._plan.settled(item)
        record = self._judges.passing(item.trial, settled)
        if record is not None:
            self._passed[settled.trial] = Passed(settled.trial, record, settled.done, settled.total)

    @property
    def _judges(self) -> TrialJudging:
        if self._judging is None:
            from evalkit.trial_judging import TrialJudging  # with all judges, which a host that generates never needs

            self._judging = TrialJudging(self._workspace, self._expect.worker)
        return self._judging
