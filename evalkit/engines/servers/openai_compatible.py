"""Asks servers that speak OpenAI's API: vLLM, SGLang, TGI, llama.cpp, Ollama and OpenAI itself."""

from __future__ import annotations

import json
import time
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from evalkit.engines.servers.api import ANSWER, ONE_REPLY, Answered, Plain, apart, number
from evalkit.engines.servers.faults import (
    CONNECT_S,
    Fault,
    Where,
    connection_fault,
    malformed_fault,
    silence_fault,
    status_fault,
)
from evalkit.engines.servers.openai_logprobs import logprobs_of, scored
from evalkit.engines.servers.openai_request import optional_fields, parameters, rendered
from evalkit.engines.servers.pricing import Usage
from evalkit.engines.servers.settings import ServerSettings, served_name
from evalkit.errors import MissingPackage
from evalkit.generation import Finish, Request
from evalkit.target import Settings

FINISHES: dict[str, Finish] = {"length": "length", "content_filter": "refusal"}


class OpenAICompatible:
    """A reply with a field ``refusal`` is a refusal; thinking is read from ``reasoning_content`` or ``reasoning``."""

    def __init__(self) -> None:
        self._client: Any = None
        self._settings: ServerSettings | None = None

    def open(self, settings: ServerSettings, key: str) -> None:
        if find_spec("openai") is None:
            raise MissingPackage(f"Engine {settings.name!r}", "openai", "openai")
        import openai

        self._settings = settings
        self._client = openai.AsyncOpenAI(
            api_key=key, base_url=settings.base_url, max_retries=0, default_headers=ONE_REPLY,
            timeout=openai.Timeout(settings.timeout_s, connect=min(CONNECT_S, settings.timeout_s)),
        )  # fmt: skip

    def parameters(self, request: Request) -> Plain:
        return parameters(request)

    async def send(self, parameters: Plain, request: Request) -> str:
        import openai

        assert self._settings is not None, "opened before it is asked"
        completions = self._client.completions if "prompt" in parameters else self._client.chat.completions
        try:
            response = await completions.with_raw_response.create(**apart(parameters))
        except openai.APITimeoutError as error:
            raise silence_fault(error, self._settings.timeout_s) from None
        except openai.APIStatusError as error:
            name, served = request.target.model.name, served_name(request.target)
            where = Where(name, served, self._settings.api_key_env, optional_fields(parameters))
            raise status_fault(error.status_code, error.response.headers, error.body, where, time.time()) from None
        except openai.APIConnectionError as error:
            raise connection_fault(error) from None
        content: bytes = response.http_response.content
        return content.decode("utf-8", "replace")

    def read(self, plain: Plain, request: Request) -> Answered:
        usage = self.usage(plain.get("usage"))
        choices = plain.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            raise malformed_fault("it has no choices", usage)
        if "prompt" in parameters(request):
            return _read_text(choice, request, usage, _facts(plain))
        return _read_message(choice, request, usage, _facts(plain))

    def usage(self, reported: object) -> Usage | None:
        if not isinstance(reported, dict) or "prompt_tokens" not in reported:
            return None
        details = reported.get("prompt_tokens_details")
        details = details if isinstance(details, dict) else {}
        read, write = number(details, "cached_tokens"), number(details, "cache_write_tokens")
        return Usage(
            max(0, number(reported, "prompt_tokens") - read - write), number(reported, "completion_tokens"), read, write
        )

    async def models(self) -> tuple[str, ...]:
        import openai

        try:
            return tuple(str(model.id) for model in (await self._client.models.list()).data or ())
        except (openai.OpenAIError, AttributeError, TypeError, ValueError):
            return ()

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def _facts(plain: Plain) -> Settings:
    facts: Settings = (
        ("model_reported", str(plain.get("model"))), ("fingerprint", plain.get("system_fingerprint")),
        ("openai", version("openai")),
    )  # fmt: skip
    return facts if isinstance(plain.get("usage"), dict) else (*facts, ("usage", "not reported"))


def _read_text(choice: Plain, request: Request, usage: Usage | None, facts: Settings) -> Answered:
    """The reply to a text that was to be gone on with, or scored."""
    text = choice.get("text")
    if not isinstance(text, str):
        raise malformed_fault("it has no text", usage)
    if request.kind != "score":
        return Answered(text, _finish(choice, request), usage, facts=facts, logprobs=logprobs_of(choice))
    continuation = request.continuation or ""
    found = scored(choice, rendered(request), continuation)
    if isinstance(found, str):
        raise Fault(f"a reply without a score ({found})", is_retried=False, usage=usage)
    return Answered(continuation, "scored", usage, facts=facts, logprobs=found)


def _read_message(choice: Plain, request: Request, usage: Usage | None, facts: Settings) -> Answered:
    message = choice.get("message")
    if not isinstance(message, dict):
        raise malformed_fault("it has no message", usage)
    refusal = message.get("refusal")
    said = message.get("content") or refusal or ""
    call = _answer_call(message)
    thinking = message.get("reasoning_content") or message.get("reasoning") or ""
    return Answered(
        call if call is not None else said if isinstance(said, str) else json.dumps(said),
        "refusal" if refusal else _finish(choice, request), usage,
        thinking if isinstance(thinking, str) else "", facts, logprobs_of(choice),
    )  # fmt: skip


def _finish(choice: Plain, request: Request) -> Finish:
    """Why it ended. Only vLLM and SGLang say that it was at a stop text, by naming it."""
    stopped_at = choice.get("stop_reason", choice.get("matched_stop"))
    if isinstance(stopped_at, str) and stopped_at in request.decoding.stop:
        return "stop_string"
    return FINISHES.get(str(choice.get("finish_reason")), "stop")


def _answer_call(message: Plain) -> str | None:
    """The arguments of the call to the tool it was made to call, as the model wrote them."""
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and function.get("name") == ANSWER:
            arguments = function.get("arguments") or ""
            return arguments if isinstance(arguments, str) else json.dumps(arguments)  # some send the object itself
    return None
