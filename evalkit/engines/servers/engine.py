"""The engine that asks a server: a queue, threads that ask, and what is finished."""

from __future__ import annotations

import queue
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace

from evalkit.engines.base import Pulse
from evalkit.engines.servers.api import Api
from evalkit.engines.servers.asking import Asking
from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.gate import Clock, Gate
from evalkit.engines.servers.limits import refusal
from evalkit.engines.servers.settings import ServerSettings, server_facts
from evalkit.errors import MissingPackage
from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.target import Adapter, Engine, Settings, Target

STEP_S = 0.05
SHORTEST_KEY = 6


class ServerEngine:
    """Answers come from a server; every submitted request gets exactly one reply unless it is cancelled."""

    capabilities: frozenset[str] = frozenset()

    def __init__(
        self, engine: Engine, pulse: Pulse, api: Api, budget: Budget, make_clock: Callable[[threading.Event], Clock]
    ) -> None:
        self._settings = ServerSettings.of(engine)
        self._pulse = pulse
        self._api = api
        self._budget = budget
        self._closed = threading.Event()
        self._clock = make_clock(self._closed)
        self._gate = Gate(self._settings.concurrency, self._clock)
        self._open: dict[str, object] = {}
        self._queue: queue.SimpleQueue[tuple[str, object, Request] | None] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[tuple[str, object, Reply]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._opening = threading.Lock()
        self._opened: str | Failure | None = None

    def identity_facts(self, target: Target) -> Settings:
        return server_facts(target)

    def load(self, target: Target, adapters: tuple[tuple[Adapter, ...], ...]) -> None:
        """Loads nothing; says once what the user should know of this model."""
        model = target.model
        if model.location.endswith("-latest"):
            self._budget.say_once(
                f"{model.location} is an alias: what it stands for changes without notice. "
                f"Declare the model {model.name} by a dated id."
            )
        if model.served is not None and model.served.price is None and not self._settings.is_local:
            self._budget.say_once(
                f"The price of {model.location} is unknown: its cost is not counted, and {self._budget.option} does "
                f"not hold for it. Add it under prices: in fixtures/targets.yaml."
            )

    def submit(self, request_id: str, request: Request) -> None:
        token = self._open[request_id] = object()
        self._queue.put((request_id, token, request))
        if len(self._threads) < min(self._settings.concurrency, len(self._open)):
            thread = threading.Thread(target=self._work, name=f"evalkit-{self._settings.name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def step(self) -> list[tuple[str, Generation | Failure]]:
        results: list[tuple[str, Generation | Failure]] = []
        timeout_s = STEP_S
        while self._open:
            try:
                request_id, token, reply = self._finished.get(timeout=timeout_s)
            except queue.Empty:
                break
            timeout_s = 0.0
            if self._open.get(request_id) is token:
                del self._open[request_id]
                results.append((request_id, reply))
        self._pulse(sum(reply.new_tokens for _, reply in results if isinstance(reply, Generation)))
        return results

    def cancel(self, request_id: str) -> None:
        self._open.pop(request_id, None)

    def close(self) -> None:
        self._open.clear()
        self._closed.set()
        self._gate.close()
        for _ in self._threads:
            self._queue.put(None)
        self._threads.clear()
        self._api.close()

    def _work(self) -> None:
        """One thread: request after request until the engine is closed."""
        while (job := self._queue.get()) is not None:
            request_id, token, request = job
            if self._open.get(request_id) is token:
                self._finished.put((request_id, token, self._reply(request_id, token, request)))

    def _reply(self, request_id: str, token: object, request: Request) -> Reply:
        try:
            failure = refusal(request) or self._unopened()
            if failure is not None:
                return failure
            asking = Asking(
                self._api, self._settings, self._gate, self._budget, self._clock, request_id, request,
                lambda: self._open.get(request_id) is token,
            )  # fmt: skip
            return self._scrubbed(asking.reply())
        except Exception as error:
            sys.stderr.write(self._without_key(traceback.format_exc()))
            return self._scrubbed(Failure(f"{type(error).__name__}: {error}"))

    def _unopened(self) -> Failure | None:
        """Makes the client when the first request needs it."""
        with self._opening:
            if self._opened is None:
                self._opened = self._open_api()
        return self._opened if isinstance(self._opened, Failure) else None

    def _open_api(self) -> str | Failure:
        key = self._settings.key()
        if key is None:
            return Failure(self._settings.no_key, "no_key")
        try:
            self._api.open(self._settings, key)
        except MissingPackage as error:
            return Failure(str(error), "no_key")
        return key

    def _scrubbed(self, reply: Reply) -> Reply:
        """No reason ever shows the key, whoever put it there."""
        return replace(reply, reason=self._without_key(reply.reason)) if isinstance(reply, Failure) else reply

    def _without_key(self, text: str) -> str:
        key = self._opened
        return text.replace(key, "[key]") if isinstance(key, str) and len(key) >= SHORTEST_KEY else text
