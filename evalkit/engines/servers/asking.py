"""One request asked until it is answered, cannot be, or has been asked often enough."""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from decimal import Decimal

from evalkit.engines.servers.api import Answered, Api
from evalkit.engines.servers.budget import Budget, Grant
from evalkit.engines.servers.clock import LoopClock
from evalkit.engines.servers.faults import Fault, malformed_fault, timeout_fault, usage_object
from evalkit.engines.servers.gate import Gate
from evalkit.engines.servers.health import UNREACHABLE_S, Health
from evalkit.engines.servers.pricing import Usage, cost_usd, dollars, most_usd
from evalkit.engines.servers.settings import ServerSettings
from evalkit.generation import Failure, Generation, Reply, Request, SystemPlacement
from evalkit.identity import conversation
from evalkit.target import Price, Settings

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0


@dataclass(slots=True)
class Bill:
    """What the attempts at one request have cost so far; ``unknown`` of them may have cost something too."""

    attempts: int = 0
    spent: Decimal = Decimal(0)
    unknown: int = 0


@dataclass(slots=True)
class Asking:
    """One request on its way; whoever wants it no more cancels the task it runs in."""

    api: Api
    settings: ServerSettings
    gate: Gate
    budget: Budget
    health: Health
    clock: LoopClock
    request_id: str
    request: Request
    bill: Bill = field(default_factory=Bill)
    waited_s: float = 0.0

    async def reply(self) -> Reply:
        """The one reply of this request."""
        parameters = self.api.parameters(self.request)
        began, answers_before = self.clock.now(), self.health.answers
        while True:
            while (pause_s := self.gate.pause_left_s) > 0:
                failure = await self._wait(pause_s, "asked for a pause of")
                if failure is not None:
                    return failure
            ticket = await self.gate.enter(self._admit)
            if ticket == "refused":
                return self._no_money()
            outcome = await self._attempt(parameters, ticket)
            if isinstance(outcome, Answered):
                return self._generation(outcome, self.clock.now() - began)
            failure = await self._after(outcome, answers_before)
            if failure is not None:
                return failure

    async def _attempt(self, parameters: dict[str, object], ticket: int) -> Answered | Fault:
        """One call; whatever becomes of it, it is billed and its place is free again."""
        fault: Fault | None = None
        self.bill.attempts += 1
        usage, is_unknown = None, False
        try:
            answered = self._read(await self._sent(parameters))
            usage, is_unknown = answered.usage, answered.usage is None
            self.health.answered()
            return answered
        except Fault as caught:
            fault = caught
            usage, is_unknown = fault.usage, fault.is_bill_unknown
            return fault
        except BaseException:
            is_unknown = True
            raise
        finally:
            self._settle(usage, is_unknown)
            self.gate.leave(ticket, was_too_much=fault is not None and fault.is_too_much, succeeded=fault is None)

    async def _sent(self, parameters: dict[str, object]) -> str:
        """The body of a reply that came whole within ``timeout_s``, however slowly it dripped."""
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                return await self.api.send(parameters, self.request)
        except TimeoutError:
            raise timeout_fault(self.settings.timeout_s) from None

    def _read(self, body: str) -> Answered:
        """The reply in a body; a broken one still says what it cost where its usage can be found."""
        try:
            plain = json.loads(body)
        except ValueError:
            reported = usage_object(body)
            usage = self.api.usage(json.loads(reported)) if reported is not None else None
            raise malformed_fault("it is no JSON, or cut short", usage) from None
        if not isinstance(plain, dict):
            raise malformed_fault("it is no JSON object", None)
        return self.api.read(plain, self.request)

    async def _after(self, fault: Fault, answers_before: int) -> Failure | None:
        """Waits as a fault demands; a Failure when it is not to be asked again."""
        if not fault.is_retried:
            self.health.answered()
            return self._failed(f"Server {self.settings.shown} refused: {_sentence(fault.reason)} {fault.advice}")
        missing_s = self.health.unreachable() if fault.is_unreachable else 0.0
        is_last = self.bill.attempts >= self.settings.attempts or missing_s >= UNREACHABLE_S
        if is_last and not fault.is_busy:
            self.health.given_up(answers_before)
        if is_last or (self.health.is_down and not fault.is_busy):
            return self._failed(
                f"Server {self.settings.shown} gave no answer in {self._attempts}; the last: "
                f"{_sentence(fault.reason)} {_advice(fault)}"
            )
        if fault.retry_after_s is not None:
            self.gate.pause(fault.retry_after_s)
            return None
        pause_s = backoff_s(self.request_id, self.bill.attempts)
        if fault.is_unreachable:
            pause_s = min(pause_s, UNREACHABLE_S - missing_s)
        return await self._wait(pause_s, "needs a pause of")

    async def _wait(self, seconds: float, why: str) -> Failure | None:
        if self.waited_s + seconds > self.settings.max_wait_s:
            return self._failed(
                f"Server {self.settings.shown} {why} {seconds:.0f} s after {self._attempts} and "
                f"{self.waited_s:.0f} s of waiting, more than max_wait_s {self.settings.max_wait_s:g} allows. Run the "
                "same command again later: what was answered is kept."
            )
        self.waited_s += seconds
        await self.clock.sleep(seconds)
        return None

    def _admit(self) -> Grant:
        return self.budget.reserve(self._most())

    def _most(self) -> Decimal:
        price = self._price
        return Decimal(0) if price is None else most_usd(price, self.request)

    def _settle(self, usage: Usage | None, is_unknown: bool) -> None:
        price, most = self._price, self._most()
        if is_unknown:
            self.bill.unknown += 1
            if price is not None:
                self.budget.say_once(
                    f"A reply of {self.request.target.model.name} was lost, or came without its usage, and may have "
                    "been billed. The cost shown leaves such replies out; "
                    f"{self.budget.option} counts them as dear as can be."
                )
            self.budget.settle(most, None)
            return
        spent = Decimal(0) if price is None or usage is None else cost_usd(price, usage)
        self.bill.spent += spent
        self.budget.settle(most, spent)

    def _generation(self, answered: Answered, took_s: float) -> Generation:
        return generation(
            self.request, answered, (("server", self.settings.base_url),),
            took_s=took_s, cost_usd=self._cost, attempts=self.bill.attempts, bills_unknown=self.bill.unknown,
        )  # fmt: skip

    def _no_money(self) -> Failure:
        return self._failed(
            f"Asking {self.request.target.model.name} once more could cost {dollars(self._most())}, and "
            f"{dollars(self.budget.left_usd)} is left of the {dollars(self.budget.limit_usd)} that "
            f"{self.budget.option} allows. Run the same command again with a higher one: what was answered is kept.",
            is_about_money=True,
        )

    def _failed(self, sentence: str, *, is_about_money: bool = False) -> Failure:
        return Failure(sentence.strip(), "no_money" if is_about_money else "broken", self._cost)

    @property
    def _attempts(self) -> str:
        return "1 attempt" if self.bill.attempts == 1 else f"{self.bill.attempts} attempts"

    @property
    def _price(self) -> Price | None:
        served = self.request.target.model.served
        return served.price if served is not None else None

    @property
    def _cost(self) -> float | None:
        return None if self._price is None else float(self.bill.spent)


def generation(
    request: Request,
    answered: Answered,
    facts: Settings,
    *,
    took_s: float | None,
    cost_usd: float | None,
    attempts: int = 1,
    bills_unknown: int = 0,
) -> Generation:
    """A server's answer as every other engine's; ``facts`` go before those the server reports."""
    usage = answered.usage or Usage()
    unknown: Settings = (("bills_unknown", bills_unknown),) if bills_unknown else ()
    return Generation(
        text=answered.text, raw_text=answered.text, token_ids=(), finish=answered.finish,
        prompt_tokens=usage.prompt, new_tokens=usage.output,
        system_placement=_placement(request),
        total_s=took_s, thinking=answered.thinking, cached_tokens=usage.cache_read, cost_usd=cost_usd,
        attempts=attempts, facts=(*facts, *answered.facts, *unknown), logprobs=answered.logprobs,
    )  # fmt: skip


def _placement(request: Request) -> SystemPlacement:
    if not any(role == "system" for role, _ in conversation(request)):
        return "none"
    return "user_turn" if ServerSettings.of(request.target.engine).api == "completions" else "system_role"


def backoff_s(request_id: str, attempt: int) -> float:
    """Full jitter that is the same in every run: anything up to a bound that doubles with each attempt."""
    bound: float = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**attempt)
    return bound * random.Random(f"{request_id}:{attempt}").random()


def _advice(fault: Fault) -> str:
    """What to do about a server that gave no answer."""
    if fault.is_unreachable:
        return (
            "Start it, or correct base_url of the engine in fixtures/targets.yaml, and run the same command again: "
            "what was answered is kept."
        )
    return (
        "Run the same command again later: what was answered is kept. More attempts: attempts, fewer at once: "
        "concurrency, a longer wait: timeout_s of the engine in fixtures/targets.yaml."
    )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
