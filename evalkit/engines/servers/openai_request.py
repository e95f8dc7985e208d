"""What a server that speaks OpenAI's API is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from evalkit.engines.servers.api import ANSWER, ANSWER_WORDS, Plain
from evalkit.engines.servers.limits import is_openai_itself
from evalkit.engines.servers.settings import ServerSettings, served_name
from evalkit.generation import Request
from evalkit.identity import conversation
from evalkit.target import Served

ALWAYS = ("model", "messages", "prompt", "max_tokens", "max_completion_tokens")
"""Fields without which nothing is asked, or nothing bounds what it costs."""
UNFORMED = "{text}\n\n"


def parameters(request: Request) -> Plain:
    """The body of the request, for chat completions or, where the engine says so, completions."""
    settings = ServerSettings.of(request.target.engine)
    served = request.target.model.served or Served()
    plain: Plain = {"model": served_name(request.target)}
    if settings.api == "completions":
        plain["prompt"] = rendered(request) + (request.continuation or "")
    else:
        plain["messages"] = [{"role": role, "content": content} for role, content in conversation(request)]
        plain |= _structure(request, served)
    plain |= _scoring() if request.kind == "score" else _decoding(request, settings, served)
    return {name: value for name, value in plain.items() if name not in settings.leave_out}


def optional_fields(plain: Iterable[str]) -> tuple[str, ...]:
    """Those that could be left out."""
    return tuple(name for name in plain if name not in ALWAYS)


def rendered(request: Request) -> str:
    """The conversation as one text: the contents with blank lines between, or each in the form of its role."""
    forms = dict(ServerSettings.of(request.target.engine).rendering)
    if not forms:
        return "\n\n".join(content for _, content in conversation(request))
    parts = [forms.get(role, UNFORMED).replace("{text}", content) for role, content in conversation(request)]
    return "".join(parts) + forms.get("answer", "")


def _scoring() -> Plain:
    """The whole text comes back with its log-probabilities, and a token that nobody wants: some refuse none."""
    return {"max_tokens": 1, "temperature": 0.0, "echo": True, "logprobs": 1}


def _decoding(request: Request, settings: ServerSettings, served: Served) -> Plain:
    decoding = request.decoding
    limit = "max_completion_tokens" if is_openai_itself(request.target.engine) else "max_tokens"
    plain: Plain = {limit: decoding.max_new_tokens}
    if served.sampling:
        plain["temperature"] = decoding.temperature
        if decoding.top_p != 1.0:
            plain["top_p"] = decoding.top_p
    if decoding.stop:
        plain["stop"] = list(decoding.stop)
    if decoding.seed is not None and request.seed is not None:
        plain["seed"] = request.seed
    for name in ("presence_penalty", "frequency_penalty"):
        if getattr(decoding, name):
            plain[name] = getattr(decoding, name)
    if decoding.logit_bias:
        plain["logit_bias"] = {str(token): value for token, value in decoding.logit_bias}
    for name, theirs in settings.takes:
        if getattr(decoding, name) != getattr(type(decoding)(), name):
            plain[theirs] = getattr(decoding, name)
    if settings.logprobs:
        plain["logprobs"] = True if settings.api == "chat" else 1
    return plain


def _structure(request: Request, served: Served) -> Plain:
    if request.answer_schema is None:
        return {}
    schema = json.loads(request.answer_schema)
    if served.structured == "tool":
        function = {"name": ANSWER, "description": ANSWER_WORDS, "parameters": schema}
        choice = {"type": "function", "function": {"name": ANSWER}}
        return {"tools": [{"type": "function", "function": function}], "tool_choice": choice}
    named = {"name": ANSWER, "schema": schema, "strict": _can_be_strict(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _can_be_strict(schema: Any) -> bool:
    """Whether every object in a schema names all its properties as required and allows no others."""
    if isinstance(schema, list):
        return all(_can_be_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object":
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != set(schema.get("properties", {})):
            return False
    return all(_can_be_strict(item) for item in schema.values())
