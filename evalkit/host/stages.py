"""One stage: the requests of one weight set that can be made now, equal ones asked once, known ones not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.host.plan import Ask
from evalkit.preflight import inspected
from evalkit.target import Adapter, Target


@dataclass(slots=True)
class Stage:
    """``asked`` maps an identity to its request and to all who wait for it, in plan order.

    ``refused`` are asks whose target cannot be identified at all (its weights are not there, say), and why.
    ``is_judging``: judges ask; turns and judges' questions never share a stage.
    """

    target: Target
    is_judging: bool = False
    asked: dict[str, tuple[Request, list[Ask]]] = field(default_factory=dict)
    refused: list[tuple[Ask, Failure]] = field(default_factory=list)

    @property
    def adapters(self) -> tuple[tuple[Adapter, ...], ...]:
        """The adapter combinations of this stage, in plan order, () for the bare base."""
        return tuple(dict.fromkeys(request.target.adapters for request, _ in self.asked.values()))

    @property
    def subjects(self) -> tuple[Target, ...]:
        """What of the targets of this stage is looked at before they are asked, each once."""
        targets = dict.fromkeys(request.target for request, _ in self.asked.values())
        return tuple(dict.fromkeys(inspected(target) for target in targets))

    def unfit(self, refused: Mapping[Target, Failure]) -> list[tuple[str, Generation | Failure]]:
        """The identities asked of ``refused`` subjects."""
        if not refused:
            return []
        asked = ((identity, inspected(request.target)) for identity, (request, _) in self.asked.items())
        return [(identity, refused[subject]) for identity, subject in asked if subject in refused]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(request.target.label for request, _ in self.asked.values()))

    def take(self, identity: str, reply: Reply) -> list[Ask]:
        """Hands one reply to all who wait for it."""
        _, waiting = self.asked.pop(identity)
        for ask in waiting:
            deliver(ask, reply)
        return waiting


def next_stage(asks: Iterable[Ask], loaded: object, identify: Callable[[Request], str | Failure]) -> Stage | None:
    """The asks of the weights that are ``loaded`` if there are any, else of the first weights in plan order."""
    groups: dict[object, list[Ask]] = {}
    for target, several in groupby(asks, attrgetter("request.target")):  # thousands of the same, which is slow to hash
        groups.setdefault(target.weights, []).extend(several)
    if not groups:
        return None
    chosen = groups.get(loaded) or next(iter(groups.values()))
    stage = Stage(chosen[0].request.target, chosen[0].judge is not None)
    for ask in chosen:
        ask.progress.take(ask)
        identity = identify(ask.request)
        if isinstance(identity, Failure):
            stage.refused.append((ask, identity))
        else:
            stage.asked.setdefault(identity, (ask.request, []))[1].append(ask)
    return stage


def deliver(ask: Ask, reply: Reply) -> None:
    """Puts one reply where it belongs."""
    item = ask.progress
    item.pending -= 1
    if ask.judge is None:
        item.replies.append(reply)
    else:
        assert item.hearing is not None, "a judge of the trial has asked"
        item.hearing.heard[ask.judge, ask.place] = (ask.request.target, reply)
