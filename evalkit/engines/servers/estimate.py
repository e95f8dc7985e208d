"""What a stage of server requests is going to cost, before it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.pricing import Usage, cost_usd, dollars, likely_tokens
from evalkit.engines.servers.settings import ServerSettings
from evalkit.generation import Request


@dataclass(frozen=True, slots=True)
class Estimate:
    """A sentence about what is going to be asked, and about the most it may cost."""

    sentence: str
    most_usd: float


def estimate(requests: Sequence[Request], budget: Budget) -> Estimate | None:
    """About requests of one model; None where nothing is asked for lack of a key, or nothing has a price."""
    target = requests[0].target
    served = target.model.served
    if served is None or served.price is None or ServerSettings.of(target.engine).key() is None:
        return None
    tokens_in, tokens_out = likely_tokens(requests)
    most = sum(
        cost_usd(served.price, Usage(input=into, output=out))
        for into, out in (likely_tokens([request]) for request in requests)
    )
    times = "once" if len(requests) == 1 else f"{len(requests)} times"
    sentence = (
        f"Asking {target.model.name} {times}: about {_short(tokens_in)} tokens in, up to {_short(tokens_out)} out, "
        f"up to about {dollars(most)} of the {dollars(budget.left_usd)} left."
    )
    return Estimate(sentence, float(most))


def _short(count: int) -> str:
    return str(count) if count < 10_000 else f"{count / 1000:.0f}k"
