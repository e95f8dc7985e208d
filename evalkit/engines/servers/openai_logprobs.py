"""Log-probabilities as servers that speak OpenAI's API report them."""

from __future__ import annotations

from typing import Any

from evalkit.engines.servers.api import Plain

Number = int | float


def logprobs_of(choice: Plain) -> tuple[float, ...]:
    """Those of an answer's tokens, () where the server gives none."""
    found = choice.get("logprobs")
    if not isinstance(found, dict):
        return ()
    content = found.get("content")
    values: list[Any]
    if isinstance(content, list):
        values = [token.get("logprob") for token in content if isinstance(token, dict)]
    else:
        values = found.get("token_logprobs") or []
    return tuple(float(value) for value in values) if all(isinstance(value, Number) for value in values) else ()


def scored(choice: Plain, prompt: str, continuation: str) -> tuple[float, ...] | str:
    """Those of the tokens of a continuation, in a reply that echoes it after its prompt; else why there are none."""
    echoed = _echoed(choice, len(prompt) + len(continuation))
    if echoed is None or not str(choice.get("text")).startswith(prompt + continuation):
        return "it echoes no text with log-probabilities: this server cannot score"
    inside = [(start, value) for start, value in echoed if start >= len(prompt)]
    if not inside or inside[0][0] != len(prompt):
        return "one of its tokens is part prompt and part continuation: begin the continuation elsewhere"
    values = [value for _, value in inside]
    if not all(isinstance(value, Number) for value in values):
        return "a token of the continuation has no log-probability"
    return tuple(float(value) for value in values)


def _echoed(choice: Plain, end: int) -> list[tuple[int, Any]] | None:
    """Where each token of the first ``end`` characters begins, and its log-probability."""
    found = choice.get("logprobs")
    if not isinstance(found, dict):
        return None
    starts, values = found.get("text_offset"), found.get("token_logprobs")
    if not isinstance(starts, list) or not isinstance(values, list) or len(starts) != len(values):
        return None
    if not all(isinstance(start, int) for start in starts) or not starts or starts[0] != 0:
        return None
    return [(start, value) for start, value in zip(starts, values, strict=True) if start < end]
