"""What requests cost, exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from evalkit.generation import Request
from evalkit.identity import conversation
from evalkit.target import Price

MILLION = Decimal(1_000_000)
CHARS_PER_TOKEN = 3.5
OVERHEAD_TOKENS = 1_024
"""What a server adds to a prompt by itself: roles, and its own words about a forced tool."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that a server billed. ``input`` excludes what was read from or written to its prompt cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def prompt(self) -> int:
        return self.input + self.cache_read + self.cache_write


def cost_usd(price: Price, usage: Usage, *, in_batch: bool = False) -> Decimal:
    """US dollars for one billed attempt."""
    rates = price
    if price.long is not None and price.long_above is not None and usage.prompt > price.long_above:
        rates = price.long
    read = rates.input if rates.cache_read is None else rates.cache_read
    write = rates.input if rates.cache_write is None else rates.cache_write
    total = (
        usage.input * rates.input + usage.output * rates.output + usage.cache_read * read + usage.cache_write * write
    )
    return total / MILLION * (price.batch if in_batch else 1)


def most_usd(price: Price, request: Request) -> Decimal:
    """More than one attempt at the request can cost: a token is at least one byte, and the cache may be written."""
    size = sum(len(content.encode("utf-8", "replace")) for _, content in conversation(request))
    size += len((request.answer_schema or "").encode("utf-8", "replace"))
    usage = Usage(output=request.decoding.max_new_tokens, input=size + OVERHEAD_TOKENS)
    written = Usage(output=usage.output, cache_write=usage.input)
    return max(cost_usd(price, usage), cost_usd(price, written))


def likely_tokens(requests: Iterable[Request]) -> tuple[int, int]:
    """About how many tokens go in, and how many can come out at most."""
    chars, out = 0, 0
    for request in requests:
        chars += sum(len(content) for _, content in conversation(request)) + len(request.answer_schema or "")
        out += request.decoding.max_new_tokens
    return round(chars / CHARS_PER_TOKEN), out


def dollars(amount: Decimal | float) -> str:
    """``$0.03``; amounts under a cent with as many digits as they need to be seen."""
    value = float(amount)
    if value == 0 or value >= 0.01:
        return f"${value:.2f}"
    return f"${value:.2g}" if value >= 0.0001 else f"${value:.6f}"
