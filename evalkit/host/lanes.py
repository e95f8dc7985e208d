"""Which stages run side by side: one that computes here, and one at each server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from evalkit.generation import Failure, Request
from evalkit.host.plan import Ask, Plan
from evalkit.host.stages import Stage, next_stage
from evalkit.reading.garbage import no_garbage_search
from evalkit.target import Engine, Target

Lane = Engine | None
"""A server's engine; None is here, whatever the engine."""

ENOUGH = 8
"""How many trials must have news before servers are asked anew beside a stage that runs here."""


def lane_of(target: Target) -> Lane:
    return target.engine if target.engine.is_server else None


@dataclass(slots=True)
class Lanes:
    """The stages that run now, at most one in each lane.

    What shares a batch here never depends on how fast a server is: trials' turns here depend on no server, and judges'
    questions to a model here wait until no turn and no server has anything left to do. A server may be asked at any
    time, because it makes its own batches.
    """

    running: dict[Lane, Stage] = field(default_factory=dict)
    _has_news: bool = True
    _touched: int = 0

    @property
    def here(self) -> Stage | None:
        return self.running.get(None)

    @property
    def shown(self) -> Stage | None:
        """The one that the status tells of."""
        return self.here or next(iter(self.running.values()), None)

    def wake(self) -> None:
        """There may be new requests."""
        self._has_news = True

    def touch(self, trials: int) -> None:
        """So many trials have got replies."""
        self._touched += trials
        self._has_news = self._has_news or self._touched >= ENOUGH

    @no_garbage_search()  # requests and identities of a whole plan, which all stay
    def begin(self, plan: Plan, loaded: object, identify: Callable[[Request], str | Failure]) -> list[Stage]:
        """Takes new stages into the free lanes, in plan order; none while nothing has changed."""
        if not self._has_news:
            return []
        self._has_news, self._touched = False, 0
        turns, questions = list(plan.turns()), list(plan.questions())
        waits_for_others = bool(turns or self.running) or any(lane_of(ask.request.target) for ask in questions)
        free: dict[Lane, list[Ask]] = {}
        for ask in turns + questions:
            lane = lane_of(ask.request.target)
            is_early = ask.judge is not None and (lane is None and waits_for_others)
            if lane not in self.running and not is_early:
                free.setdefault(lane, []).append(ask)
        formed = [next_stage(of_one_kind(asks), loaded, identify) for asks in free.values()]
        stages = [stage for stage in formed if stage is not None]
        self.running.update((lane_of(stage.target), stage) for stage in stages)
        return stages

    def end(self) -> bool:
        """Frees the lanes of stages that are through; whether there were any."""
        ended = [lane for lane, stage in self.running.items() if not stage.asked]
        for lane in ended:
            del self.running[lane]
        self._has_news = self._has_news or bool(ended)
        return bool(ended)


def of_one_kind(asks: list[Ask]) -> list[Ask]:
    """The turns where there are any, else the questions: they never share a stage."""
    return [ask for ask in asks if ask.judge is None] or asks
