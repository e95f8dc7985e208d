"""What the engine needs of one vendor's API: how to ask, and how to read what came back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from evalkit.engines.servers.pricing import Usage
from evalkit.engines.servers.settings import ServerSettings
from evalkit.generation import Finish, Request
from evalkit.target import Settings

ANSWER = "answer"
"""The name of the tool that a model is forced to call."""
ANSWER_WORDS = "Gives the answer."
ONE_REPLY = {"Connection": "close"}
"""A connection that is used again could hand a reply that was sent twice to the next request."""

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """One readable reply. ``text`` is that of the answer alone; ``usage`` None where the server reports none.

    ``logprobs`` are those of the answer's tokens, or of a continuation that was to be scored, where asked for.
    """

    text: str
    finish: Finish
    usage: Usage | None
    thinking: str = ""
    facts: Settings = ()
    logprobs: tuple[float, ...] = ()


class Api(Protocol):
    """One vendor's API. ``parameters``, ``read`` and ``usage`` are pure; several ``send`` are under way at once."""

    def open(self, settings: ServerSettings, key: str) -> None:
        """Makes the client.

        Raises:
            MissingPackage: the vendor's package is not installed.
        """
        ...

    def parameters(self, request: Request) -> Plain: ...

    async def send(self, parameters: Plain, request: Request) -> str:
        """The body of a reply with status 200.

        Raises:
            Fault: there was none.
        """
        ...

    def read(self, plain: Plain, request: Request) -> Answered: ...

    def usage(self, reported: object) -> Usage | None: ...

    async def models(self) -> tuple[str, ...]:
        """What the server calls its models, () where it does not say."""
        ...

    async def close(self) -> None: ...


def number(reported: Plain, name: str) -> int:
    """A count of tokens as a server reports it; what is left out or null is 0."""
    value = reported.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def apart(parameters: Plain) -> Plain:
    """The parameters as a vendor's package takes them in any version: newer ones know some names no more."""
    named = ("model", "messages", "prompt", "max_tokens")
    extra = {name: value for name, value in parameters.items() if name not in named}
    return {name: parameters[name] for name in named if name in parameters} | {"extra_body": extra}
