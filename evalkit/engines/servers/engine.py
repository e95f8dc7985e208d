"""The engine that asks a server: requests under way side by side in the loop of all servers, and what is finished."""

from __future__ import annotations

import asyncio
import queue
import sys
import traceback
from collections import deque
from concurrent.futures import TimeoutError as TooLate
from contextlib import suppress
from dataclasses import replace

from evalkit.engines.base import Pulse
from evalkit.engines.servers.api import Api
from evalkit.engines.servers.asking import Asking
from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.clock import LoopClock
from evalkit.engines.servers.gate import Gate
from evalkit.engines.servers.health import Health
from evalkit.engines.servers.limits import refusal
from evalkit.engines.servers.loop import LOOP
from evalkit.engines.servers.settings import ServerSettings, served_name, server_facts
from evalkit.errors import MissingPackage
from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.target import Adapter, Engine, Settings, Target

STEP_S = 0.05
CLOSE_S = 5.0
SHORTEST_KEY = 6

Job = tuple[str, object, Request]


class ServerEngine:
    """Answers come from a server; every submitted request gets exactly one reply unless it is cancelled.

    Requests go on between steps; ``poll`` is a step that does not wait for one.
    """

    def __init__(self, engine: Engine, pulse: Pulse, api: Api, budget: Budget, clock: LoopClock | None = None) -> None:
        self._settings = ServerSettings.of(engine)
        self.capabilities = frozenset({"adapters", *(["score"] if self._settings.can_score else [])})
        self._pulse = pulse
        self._api = api
        self._budget = budget
        self._clock = clock or LoopClock()
        self._gate = Gate(self._settings.concurrency, self._clock)
        self._health = Health(self._clock.now)
        self._open: dict[str, object] = {}
        self._finished: queue.SimpleQueue[tuple[str, object, Reply]] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opening = asyncio.Lock()
        self._opened: str | Failure | None = None
        self._looked_for: set[str] = set()
        self._waiting: deque[Job] = deque()
        self._askers: set[asyncio.Task[None]] = set()
        self._asked: dict[str, asyncio.Task[Reply]] = {}

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
        if self._loop is None:
            self._loop = LOOP.hold()
        self._loop.call_soon_threadsafe(self._take, (request_id, token, request))

    def step(self) -> list[tuple[str, Generation | Failure]]:
        return self._collected(STEP_S)

    def poll(self) -> list[tuple[str, Generation | Failure]]:
        return self._collected(0.0)

    @property
    def rows_in_flight(self) -> int:
        """How many requests are with the server."""
        return len(self._asked)

    def cancel(self, request_id: str) -> None:
        """Nobody wants it any more: a call that is under way is broken off."""
        self._open.pop(request_id, None)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._break_off, request_id)

    def close(self) -> None:
        self._open.clear()
        loop, self._loop = self._loop, None
        if loop is not None:
            ending = asyncio.run_coroutine_threadsafe(self._end(), loop)
            with suppress(TooLate):
                ending.result(CLOSE_S)
            LOOP.release()

    def _collected(self, timeout_s: float) -> list[tuple[str, Generation | Failure]]:
        results: list[tuple[str, Generation | Failure]] = []
        while self._open:
            try:
                request_id, token, reply = self._finished.get(block=timeout_s > 0, timeout=timeout_s)
            except queue.Empty:
                break
            timeout_s = 0.0
            if self._open.get(request_id) is token:
                del self._open[request_id]
                results.append((request_id, reply))
        self._pulse(sum(reply.new_tokens for _, reply in results if isinstance(reply, Generation)))
        return results

    def _take(self, job: Job) -> None:
        """From here on everything but ``_unopened`` runs in the loop of all servers."""
        self._waiting.append(job)
        if len(self._askers) < self._settings.concurrency:
            asker = asyncio.ensure_future(self._ask())
            self._askers.add(asker)
            asker.add_done_callback(self._askers.discard)

    async def _ask(self) -> None:
        """Request after request until none waits."""
        while self._waiting:
            request_id, token, request = self._waiting.popleft()
            if self._open.get(request_id) is not token:
                continue
            asked = self._asked[request_id] = asyncio.ensure_future(self._reply(request_id, request))
            await asyncio.wait([asked])
            del self._asked[request_id]
            if not asked.cancelled():
                self._finished.put((request_id, token, asked.result()))

    def _break_off(self, request_id: str) -> None:
        if request_id in self._asked:
            self._asked[request_id].cancel()

    async def _end(self) -> None:
        under_way = [*self._askers, *self._asked.values()]
        self._waiting.clear()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._api.close()

    async def _reply(self, request_id: str, request: Request) -> Reply:
        try:
            failure = refusal(request) or await self._unopened()
            if failure is not None:
                return failure
            await self._look_for_adapter(request.target)
            asking = Asking(
                self._api, self._settings, self._gate, self._budget, self._health, self._clock, request_id, request
            )
            return self._scrubbed(await asking.reply())
        except Exception as error:
            sys.stderr.write(self._without_key(traceback.format_exc()))
            return self._scrubbed(Failure(f"{type(error).__name__}: {error}"))

    async def _look_for_adapter(self, target: Target) -> None:
        """Says once where a server may ignore an adapter that it does not know: its answers would look plausible."""
        name = served_name(target)
        if not target.adapters or name in self._looked_for:
            return
        self._looked_for.add(name)
        listed = await self._api.models()
        if listed and not {name, target.adapters[0].location} & set(listed):
            shown = ", ".join(listed[:5])
            self._budget.say_once(
                f"Server {self._settings.shown} does not list {name!r} among its models ({shown}). Some "
                "servers ignore a name that they do not know and answer without the adapter: compare its answers with "
                f"those of {target.model.name} alone."
            )

    async def _unopened(self) -> Failure | None:
        """Makes the client when the first request needs it; its package takes seconds to import."""
        async with self._opening:
            if self._opened is None:
                self._opened = await asyncio.to_thread(self._open_api)
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
