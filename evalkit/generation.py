"""What is sent to an engine, what came back, or why nothing did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from evalkit.pickled import Pickled
from evalkit.probe import Message
from evalkit.target import Decoding, Settings, Target

Finish = Literal["stop", "stop_string", "length", "refusal", "cycle", "scored"]
FailureKind = Literal["broken", "no_key", "no_money"]
SystemPlacement = Literal["none", "system_role", "user_turn"]


ROW_FACTS = frozenset({"batch_rows", "cycle_tokens", "near_tie", "redone_alone"})
"""Facts of one answer among others; all other facts are of the engine that answered."""


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked of one target. Settings are this row's own, never its batch's.

    ``messages`` ends with a user message and does not hold the target's condition, which the engine puts in.
    ``seed`` is None when greedy. ``kind: score`` wants the log-probabilities of ``continuation``. ``answer_schema`` is
    the JSON text of a JSON Schema: a server is made to answer with such an object, and the text is that JSON; an
    engine that cannot be made to ignores it, so the messages must ask for the same in words. ``is_followed``: another
    turn comes after the answer, so an engine may keep what it knows of the conversation; a hint that changes no text.
    """

    target: Target
    messages: tuple[Message, ...]
    decoding: Decoding
    seed: int | None = None
    sample: int = 0
    kind: Literal["generate", "score"] = "generate"
    continuation: str | None = None
    answer_schema: str | None = None
    is_followed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Generation(Pickled):
    """What came back for one request.

    ``raw_text`` is every new token decoded, special tokens included; ``text`` is the same without the end tokens that
    closed it. ``finish`` says why it ended (``length``: cut at max_new_tokens; ``cycle``: stopped because its tail
    repeated itself; ``scored``: nothing was generated). Times are seconds from the moment the row began to run;
    ``facts`` are provenance (versions, device, dtype, near ties). ``logprobs`` belong to a ``score`` request: the
    natural logarithm of the probability of each token of ``token_ids``, which are the continuation's.
    Of the facts, ROW_FACTS are this answer's alone.
    ``thinking`` is what a server gave in a field of its own. ``cost_usd`` is what all ``attempts`` at it cost in US
    dollars, None where no price is known or none is asked; ``cached_tokens`` of ``prompt_tokens`` were read from the
    server's prompt cache.
    """

    text: str
    raw_text: str
    token_ids: tuple[int, ...]
    finish: Finish
    prompt_tokens: int
    new_tokens: int
    system_placement: SystemPlacement = "none"
    first_token_s: float | None = None
    total_s: float | None = None
    thinking: str = ""
    cached_tokens: int = 0
    cost_usd: float | None = None
    attempts: int = 1
    facts: Settings = ()
    logprobs: tuple[float, ...] = ()
    identity: str = ""
    created_at: float = 0.0
    is_stored: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request has no generation. Never stored as an answer: the next run asks again.

    ``broken`` is the harness's fault or the server's; ``no_key`` and ``no_money`` are choices of the user, so a judge
    that gets one leaves the trial unscored. ``cost_usd`` is what the attempts cost all the same.
    """

    reason: str
    kind: FailureKind = "broken"
    cost_usd: float | None = None
    identity: str = ""


Reply = Generation | Failure
