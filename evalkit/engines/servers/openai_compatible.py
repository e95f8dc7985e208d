"""Asks servers that speak the OpenAI chat completions API: vLLM, SGLang, TGI, llama.cpp, Ollama and OpenAI itself."""

from __future__ import annotations

import json
import time
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from evalkit.engines.servers.api import ANSWER, ANSWER_WORDS, Answered, Plain, apart, number
from evalkit.engines.servers.faults import Where, connection_fault, malformed_fault, status_fault, timeout_fault
from evalkit.engines.servers.pricing import Usage
from evalkit.engines.servers.settings import BASE_URLS, ServerSettings
from evalkit.errors import MissingPackage
from evalkit.generation import Finish, Request
from evalkit.identity import conversation
from evalkit.target import Served

FINISHES: dict[str, Finish] = {"length": "length", "content_filter": "refusal"}
VENDOR = urlsplit(BASE_URLS["openai"]).hostname


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
        self._client = openai.OpenAI(api_key=key, base_url=settings.base_url, max_retries=0, timeout=settings.timeout_s)

    def parameters(self, request: Request) -> Plain:
        decoding = request.decoding
        plain: Plain = {
            "model": request.target.model.location,
            "messages": [{"role": role, "content": content} for role, content in conversation(request)],
            self._limit_name(request): decoding.max_new_tokens,
        }
        served = request.target.model.served or Served()
        if served.sampling:
            plain["temperature"] = decoding.temperature
            if decoding.top_p != 1.0:
                plain["top_p"] = decoding.top_p
        if decoding.stop:
            plain["stop"] = list(decoding.stop)
        if decoding.seed is not None and request.seed is not None:
            plain["seed"] = request.seed
        return {**plain, **_structure(request, served)}

    def send(self, parameters: Plain, request: Request) -> str:
        import openai

        assert self._settings is not None, "opened before it is asked"
        try:
            response = self._client.chat.completions.with_raw_response.create(**apart(parameters))
        except openai.APITimeoutError:
            raise timeout_fault(self._settings.timeout_s) from None
        except openai.APIStatusError as error:
            model = request.target.model
            where = Where(model.name, model.location, self._settings.api_key_env)
            raise status_fault(error.status_code, error.response.headers, error.body, where, time.time()) from None
        except openai.APIConnectionError as error:
            raise connection_fault(error) from None
        content: bytes = response.http_response.content
        return content.decode("utf-8", "replace")

    def read(self, plain: Plain) -> Answered:
        usage = self.usage(plain.get("usage"))
        choices = plain.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(choice, dict) or not isinstance(message, dict):
            raise malformed_fault("it has no choices", usage)
        refusal = message.get("refusal")
        finish: Finish = "refusal" if refusal else FINISHES.get(str(choice.get("finish_reason")), "stop")
        said = message.get("content") or refusal or ""
        call = _answer_call(message)
        thinking = message.get("reasoning_content") or message.get("reasoning") or ""
        facts = (
            ("model_reported", str(plain.get("model"))), ("fingerprint", plain.get("system_fingerprint")),
            ("openai", version("openai")),
        )  # fmt: skip
        text = call if call is not None else said if isinstance(said, str) else json.dumps(said)
        return Answered(text, finish, usage, thinking if isinstance(thinking, str) else "", facts)

    def usage(self, reported: object) -> Usage | None:
        if not isinstance(reported, dict) or "prompt_tokens" not in reported:
            return None
        details = reported.get("prompt_tokens_details")
        details = details if isinstance(details, dict) else {}
        read, write = number(details, "cached_tokens"), number(details, "cache_write_tokens")
        return Usage(
            max(0, number(reported, "prompt_tokens") - read - write), number(reported, "completion_tokens"), read, write
        )

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    @staticmethod
    def _limit_name(request: Request) -> str:
        """OpenAI's own models refuse the older name, which every other server understands."""
        url = request.target.engine.setting("base_url", BASE_URLS["openai"])
        return "max_completion_tokens" if urlsplit(url).hostname == VENDOR else "max_tokens"


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


def _answer_call(message: Plain) -> str | None:
    """The arguments of the call to the tool it was made to call, as the model wrote them."""
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and function.get("name") == ANSWER:
            return str(function.get("arguments") or "")
    return None
