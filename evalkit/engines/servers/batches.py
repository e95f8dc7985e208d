"""Requests answered within a day at half the price, through Anthropic's Message Batches."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from evalkit.engines.servers.anthropic_api import AnthropicApi, blocking_client, faults
from evalkit.engines.servers.asking import backoff_s, generation
from evalkit.engines.servers.clock import Clock
from evalkit.engines.servers.faults import Fault, connection_fault, malformed_fault
from evalkit.engines.servers.limits import unsupported
from evalkit.engines.servers.pricing import Usage, cost_usd, dollars, most_usd
from evalkit.engines.servers.settings import ServerSettings, server_facts
from evalkit.errors import EngineError
from evalkit.generation import Failure, Reply, Request
from evalkit.identity import request_identity
from evalkit.target import Model

MOST_REQUESTS = 10_000
MOST_BYTES = 100_000_000
"""The API takes 100,000 requests and 256 MB; smaller batches end sooner and lose less."""

Asked = Mapping[str, Request]
"""Requests by identity. An identity is also a request's id within its batch."""
_T = TypeVar("_T")


class BatchError(EngineError):
    """A batch cannot be made or read; ``may_exist`` when it may have been made all the same, ``is_unknown`` when the
    server has none of that id."""

    def __init__(self, sentence: str, *, may_exist: bool = False, is_unknown: bool = False) -> None:
        super().__init__(sentence)
        self.may_exist = may_exist
        self.is_unknown = is_unknown


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch is; results are there when it has ended, for a month."""

    has_ended: bool
    processing: int
    finished: int


def by_identity(requests: Iterable[Request]) -> dict[str, Request]:
    """The requests under the identities that the store knows them by, equal ones once.

    Raises:
        EngineError: a request cannot be asked in a batch.
    """
    asked: dict[str, Request] = {}
    for request in requests:
        target = request.target
        if target.engine.kind != "anthropic":
            raise EngineError(
                f"The model {target.model.name} cannot be asked in a batch: engine {target.engine.name!r} is of kind "
                f"{target.engine.kind}, and batches need kind anthropic."
            )
        problem = unsupported(target, request.decoding)
        if problem is not None:
            raise EngineError(f"The model {target.model.name} cannot be asked: {problem}")
        asked.setdefault(request_identity(request, server_facts(target)), request)
    return asked


def most_batch_usd(asked: Asked) -> Decimal | None:
    """More than the requests can cost in batches; None where the price of one is unknown."""
    total = Decimal(0)
    for request in asked.values():
        price = request.target.model.served.price if request.target.model.served else None
        if price is None:
            return None
        total += most_usd(price, request) * price.batch
    return total


def portions(asked: Asked) -> list[dict[str, Request]]:
    """The requests in as many batches as they need, each for one engine and in the order given."""
    found: list[dict[str, Request]] = []
    size, api = 0, AnthropicApi()
    for identity, request in asked.items():
        bytes_ = len(json.dumps(api.parameters(request)))
        last = found[-1] if found else {}
        is_full = len(last) >= MOST_REQUESTS or size + bytes_ > MOST_BYTES
        if not last or is_full or next(iter(last.values())).target.engine != request.target.engine:
            found.append({})
            size = 0
        found[-1][identity] = request
        size += bytes_
    return found


class Batches:
    """The batches of one engine. A batch's id and the identities it holds are all one must keep to come back to it."""

    def __init__(self, settings: ServerSettings, clock: Clock | None = None) -> None:
        """Opens the client.

        Raises:
            EngineError: there is no key.
            MissingPackage: the package anthropic is not installed.
        """
        key = settings.key()
        if key is None:
            raise EngineError(settings.no_key)
        self._settings = settings
        self._key = key
        self._api = AnthropicApi()
        self._client = blocking_client(settings, key)
        self._clock = clock or Clock(time.monotonic, time.sleep)

    def submit(self, asked: Asked, max_usd: float) -> str:
        """Sends one portion and gives the batch's id, which is to be stored at once.

        Raises:
            EngineError: it could cost more than ``max_usd``.
            BatchError: the server did not take it.
        """
        most = most_batch_usd(asked)
        if most is not None and most > Decimal(repr(max_usd)):
            raise EngineError(
                f"A batch of {len(asked)} requests could cost {dollars(most)}, more than the {dollars(max_usd)} that "
                "is left. Allow more with --max-usd, or judge fewer."
            )
        model = next(iter(asked.values())).target.model
        requests = [
            {"custom_id": identity, "params": self._api.parameters(request)} for identity, request in asked.items()
        ]

        def create() -> str:
            made = self._client.messages.batches.create(requests=requests)
            return str(made.id)

        return self._tried(create, model, "the batch was not made", is_safe_to_repeat=False)

    def poll(self, batch: str, model: Model) -> BatchProgress:
        """How far a batch is.

        Raises:
            BatchError: the server does not say.
        """
        found: Any = self._tried(lambda: self._client.messages.batches.retrieve(batch), model, "no news of it")
        counts = found.request_counts
        finished = counts.succeeded + counts.errored + counts.canceled + counts.expired
        return BatchProgress(found.processing_status == "ended", counts.processing, finished)

    def cancel(self, batch: str, model: Model) -> None:
        """Asks for a batch to be ended; what is finished by then is billed and has results."""
        self._tried(lambda: self._client.messages.batches.cancel(batch), model, "it was not cancelled")

    def results(self, batch: str, asked: Asked) -> dict[str, Reply]:
        """One reply for every request of an ended batch, in the order of ``asked``.

        Raises:
            BatchError: the results cannot be fetched.
        """
        model = next(iter(asked.values())).target.model

        def fetch() -> list[dict[str, Any]]:
            try:
                return [line.to_dict(warnings=False) for line in self._client.messages.batches.results(batch)]
            except ValueError:
                raise malformed_fault("a line of it is no JSON", None) from None
            except Exception as error:
                if type(error).__module__.startswith("httpx"):  # not wrapped by the package while it streams
                    raise connection_fault(error) from None
                raise

        found: dict[str, Reply] = {}
        for line in self._tried(fetch, model, "its results cannot be fetched"):
            identity = str(line.get("custom_id"))
            if identity in asked and identity not in found:
                found[identity] = self._reply(asked[identity], line.get("result"), batch)
        missing = Failure(
            f"Batch {batch} has no result for this request. Judge it again: only such requests are asked."
        )
        return {identity: found.get(identity, missing) for identity in asked}

    def close(self) -> None:
        self._client.close()

    def _reply(self, request: Request, result: object, batch: str) -> Reply:
        plain = result if isinstance(result, dict) else {}
        kind = plain.get("type")
        message = plain.get("message")
        if kind == "succeeded" and isinstance(message, dict):
            try:
                answered = self._api.read(message, request)
            except Fault as fault:
                return Failure(f"Batch {batch}: {fault.reason}.", cost_usd=_cost(request, fault.usage))
            facts = (("server", self._settings.base_url), ("batch", batch))
            return generation(request, answered, facts, took_s=None, cost_usd=_cost(request, answered.usage))
        if kind == "errored":
            return Failure(
                f"Batch {batch}: the server could not answer: {_error_words(plain)}".replace(self._key, "[key]")
            )
        why = {"canceled": "it was cancelled before this was asked", "expired": "it ended before this was asked"}
        return Failure(f"Batch {batch}: {why.get(str(kind), 'its result cannot be read')}. Judge it again to ask it.")

    def _tried(self, act: Callable[[], _T], model: Model, what: str, *, is_safe_to_repeat: bool = True) -> _T:
        """Does one thing at the server as often as the engine's setting ``attempts`` allows."""
        attempt = 0
        while True:
            attempt += 1
            try:
                with faults(self._settings, model):
                    return act()
            except Fault as fault:
                is_lost = fault.is_bill_unknown and not is_safe_to_repeat
                if not fault.is_retried or is_lost or attempt >= self._settings.attempts:
                    hint = " It may have been made all the same: see the provider's console." if is_lost else ""
                    is_gone = is_safe_to_repeat and fault.reason.startswith("HTTP 404")
                    advice = "It may be of another account, or over a month old." if is_gone else fault.advice
                    said = f"{fault.reason.rstrip('.')}. {advice}".strip().replace(self._key, "[key]")
                    raise BatchError(
                        f"Server {self._settings.shown}: {what}: {said}{hint}", may_exist=is_lost, is_unknown=is_gone
                    ) from None
                wait = fault.retry_after_s if fault.retry_after_s is not None else backoff_s(what, attempt)
                self._clock.sleep(min(wait, self._settings.max_wait_s))


def _cost(request: Request, usage: Usage | None) -> float | None:
    price = request.target.model.served.price if request.target.model.served else None
    return None if price is None or usage is None else float(cost_usd(price, usage, in_batch=True))


def _error_words(plain: dict[str, Any]) -> str:
    error = plain.get("error")
    inner = error.get("error", error) if isinstance(error, dict) else {}
    words = inner.get("message") if isinstance(inner, dict) else None
    return f"{words or 'no reason given'}".rstrip(".") + "."
