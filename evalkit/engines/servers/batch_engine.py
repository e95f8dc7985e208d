"""The engine that asks a server in batches: half the price, an answer within a day, and never paid twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from evalkit.engines.base import Pulse
from evalkit.engines.servers.batches import Asked, BatchError, Batches, most_batch_usd, portions
from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.clock import Clock
from evalkit.engines.servers.earlier_batches import EarlierBatches
from evalkit.engines.servers.limits import refusal
from evalkit.engines.servers.pricing import dollars
from evalkit.engines.servers.settings import DAY_S, ServerSettings, server_facts
from evalkit.errors import EngineError, MissingPackage
from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.store.batches import BatchStore
from evalkit.target import Adapter, Engine, Model, Settings, Target

EXPIRES_S = DAY_S
"""What a batch has not answered by then, it answers no more."""
FIRST_PAUSE_S, LONGEST_PAUSE_S, PAUSE_GROWTH = 2.0, 60.0, 1.5

Phase = Literal["submitted", "resumed", "processing", "ended"]
Replies = list[tuple[str, Generation | Failure]]


@dataclass(frozen=True, slots=True)
class BatchNews:
    """How far one batch is: ``done`` of ``total`` questions, and the seconds left until it expires.

    ``total`` counts those of its questions that are asked now; ``most_usd`` is the most it can cost, None where no
    price is known or it was paid for by an earlier command.
    """

    phase: Phase
    batch: str
    model: str
    done: int
    total: int
    left_s: float
    most_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Open:
    """A batch that is waited for, with those of its requests that are asked now."""

    number: int
    id: str
    asked: dict[str, Request]
    submitted_at: float
    reserved: Decimal = Decimal(0)

    @property
    def model(self) -> Model:
        return next(iter(self.asked.values())).target.model


class BatchEngine:
    """Every submitted request gets one reply, when its batch has ended.

    A batch is written down before it is sent and named before it is waited for, so that whoever asks the same again
    comes back to it. ``step`` polls, and sleeps by ``clock`` while nothing has ended.
    """

    capabilities: frozenset[str] = frozenset({"batch"})

    def __init__(
        self,
        engine: Engine,
        pulse: Pulse,
        budget: Budget,
        store: BatchStore,
        say: Callable[[BatchNews], None],
        clock: Clock | None = None,
    ) -> None:
        self._settings = ServerSettings.of(engine)
        self._pulse = pulse
        self._budget = budget
        self._store = store
        self._say = say
        self._clock = clock or Clock(time.time, time.sleep)
        self._earlier = EarlierBatches(store, engine, self._clock, budget)
        self._client: Batches | None = None
        self._waiting: dict[str, Request] = {}
        self._open: list[_Open] = []
        self._handed: list[_Open] = []
        self._polls = 0

    def identity_facts(self, target: Target) -> Settings:
        return server_facts(target)

    def load(self, target: Target, adapters: tuple[tuple[Adapter, ...], ...]) -> None:
        """Loads nothing."""

    def submit(self, request_id: str, request: Request) -> None:
        """``request_id`` is the request's identity."""
        self._waiting[request_id] = request
        self._polls = 0

    def step(self) -> Replies:
        self._confirm()
        found = self._send() if self._waiting else []
        found += self._collect()
        if self._open and not found:
            self._clock.sleep(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * PAUSE_GROWTH**self._polls))
            self._polls += 1
        self._pulse(sum(reply.new_tokens for _, reply in found if isinstance(reply, Generation)))
        return found

    def cancel(self, request_id: str) -> None:
        self._waiting.pop(request_id, None)

    def close(self) -> None:
        """Batches that are open stay so: the next command that asks the same picks them up."""
        self._confirm()
        self._store.close()
        if self._client is not None:
            self._client.close()

    def _confirm(self) -> None:
        """What was handed out at the last step is stored by now."""
        for batch in self._handed:
            self._store.take(batch.number, batch.asked)
        self._handed = []

    def _send(self) -> Replies:
        """Puts what waits into open batches that hold it already, then into new ones."""
        waiting, self._waiting = self._waiting, {}
        found: Replies = []
        for identity, failure in [(identity, refusal(request)) for identity, request in waiting.items()]:
            if failure is not None:
                del waiting[identity]
                found.append((identity, failure))
        if not waiting:
            return found
        try:
            client = self._opened()
        except (EngineError, MissingPackage) as error:
            return found + _failures(waiting, str(error), "no_key")
        for identities, why in self._earlier.take_being_sent(waiting):
            found += _failures(identities, why)
        self._resume(waiting)
        for portion in portions(waiting):
            found += self._submit(client, portion)
        return found

    def _opened(self) -> Batches:
        if self._client is None:
            self._client = Batches(self._settings, self._clock)
        return self._client

    def _resume(self, waiting: dict[str, Request]) -> None:
        """Takes what open batches hold out of ``waiting``."""
        for stored, mine in self._earlier.take_open(waiting):
            batch = _Open(stored.number, stored.id, mine, stored.submitted_at)
            self._open.append(batch)
            self._tell("resumed", batch, 0)

    def _submit(self, client: Batches, portion: dict[str, Request]) -> Replies:
        """Sends as much of a portion as there is money for; the rest waits for what is under way to be settled."""
        part = self._affordable(portion)
        most = most_batch_usd(part)
        if not part:
            return self._unaffordable(portion)
        if most is None:
            self._budget.say_once(
                f"The price of {_model(part).location} is unknown: its cost is not counted, and {self._budget.option} "
                "does not hold for it. Add it under prices: in fixtures/targets.yaml."
            )
        reserved = most or Decimal(0)
        if self._budget.reserve(reserved) != "granted":
            self._waiting.update(portion)
            return []
        self._waiting.update((identity, request) for identity, request in portion.items() if identity not in part)
        now = self._clock.now()
        number = self._store.begin(self._settings.base_url, _model(part).location, part, now)
        try:
            name = client.submit(part, float(self._budget.limit_usd))
        except BatchError as error:
            self._budget.settle(reserved, None if error.may_exist else Decimal(0))
            if error.may_exist:
                self._store.lose(number)
            else:
                self._store.forget(number)
            return _failures(part, str(error))
        self._store.name(number, name)
        batch = _Open(number, name, part, now, reserved)
        self._open.append(batch)
        self._tell("submitted", batch, 0, most)
        return []

    def _affordable(self, portion: Asked) -> dict[str, Request]:
        """The first requests of a portion that what is left of the money pays for, however long their replies."""
        left = self._budget.left_usd
        part: dict[str, Request] = {}
        for identity, request in portion.items():
            left -= most_batch_usd({identity: request}) or Decimal(0)
            if left < 0:
                break
            part[identity] = request
        return part

    def _unaffordable(self, portion: Asked) -> Replies:
        """Where not even one can be paid for."""
        identity, request = next(iter(portion.items()))
        most = most_batch_usd({identity: request}) or Decimal(0)
        return _failures(
            portion,
            f"Asking {_model(portion).name} once more in a batch could cost {dollars(most)}, and "
            f"{dollars(self._budget.left_usd)} is left of the {dollars(self._budget.limit_usd)} that "
            f"{self._budget.option} allows. Run the same command again with a higher one: what was answered is kept.",
            "no_money",
        )

    def _collect(self) -> Replies:
        """The replies of the batches that have ended."""
        found: Replies = []
        for batch in list(self._open):
            replies = self._results(batch)
            if replies is not None:
                self._open.remove(batch)
                found += [(identity, reply) for identity, reply in replies.items()]
        return found

    def _results(self, batch: _Open) -> dict[str, Reply] | None:
        """One reply for each request of a batch, None while it goes on."""
        client = self._opened()
        try:
            progress = client.poll(batch.id, batch.model)
            done = min(progress.finished, len(batch.asked))
            self._tell("ended" if progress.has_ended else "processing", batch, done)
            if not progress.has_ended:
                return None
            replies = client.results(batch.id, batch.asked)
        except BatchError as error:
            self._budget.settle(batch.reserved, None)
            if error.is_unknown:
                self._store.lose(batch.number)
                return dict(_failures(batch.asked, f"{error} Judge it again to ask anew."))
            return dict(_failures(batch.asked, f"{error} Run the same command again: batch {batch.id} is kept."))
        costs = [Decimal(repr(reply.cost_usd)) for reply in replies.values() if reply.cost_usd is not None]
        self._budget.settle(batch.reserved, sum(costs, Decimal(0)))
        self._handed.append(batch)
        return replies

    def _tell(self, phase: Phase, batch: _Open, done: int, most: Decimal | None = None) -> None:
        left = max(0.0, batch.submitted_at + EXPIRES_S - self._clock.now())
        self._say(BatchNews(phase, batch.id, batch.model.name, done, len(batch.asked), left, most))


def _model(asked: Asked) -> Model:
    return next(iter(asked.values())).target.model


def _failures(asked: Asked, reason: str, kind: Literal["broken", "no_key", "no_money"] = "broken") -> Replies:
    return [(identity, Failure(reason, kind)) for identity in asked]
