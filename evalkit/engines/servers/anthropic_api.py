"""Asks the Anthropic Messages API through its own package."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from evalkit.engines.servers.api import ANSWER, ANSWER_WORDS, ONE_REPLY, Answered, Plain, apart, number
from evalkit.engines.servers.faults import (
    CONNECT_S,
    Where,
    connection_fault,
    malformed_fault,
    silence_fault,
    status_fault,
)
from evalkit.engines.servers.pricing import Usage
from evalkit.engines.servers.settings import ServerSettings
from evalkit.errors import MissingPackage
from evalkit.generation import Finish, Request
from evalkit.identity import conversation
from evalkit.target import Model, Served

FINISHES: dict[str, Finish] = {
    "stop_sequence": "stop_string",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


class AnthropicApi:
    """The system text ends at a cache breakpoint, so that a rubric is paid for once."""

    def __init__(self) -> None:
        self._client: Any = None
        self._settings: ServerSettings | None = None

    def open(self, settings: ServerSettings, key: str) -> None:
        anthropic = _package(settings)
        self._settings = settings
        self._client = anthropic.AsyncAnthropic(
            api_key=key, base_url=settings.base_url, max_retries=0, default_headers=ONE_REPLY,
            timeout=anthropic.Timeout(settings.timeout_s, connect=min(CONNECT_S, settings.timeout_s)),
        )  # fmt: skip

    def parameters(self, request: Request) -> Plain:
        messages = conversation(request)
        system = messages[0][1] if messages and messages[0][0] == "system" else ""
        rest = messages[1:] if messages and messages[0][0] == "system" else messages
        plain: Plain = {
            "model": request.target.model.location,
            "max_tokens": request.decoding.max_new_tokens,
            "messages": [{"role": role, "content": content} for role, content in rest],
        }
        if system:
            plain["system"] = [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]
        served = request.target.model.served or Served()
        if request.decoding.stop:
            plain["stop_sequences"] = list(request.decoding.stop)
        if served.thinking is not None:
            plain["thinking"] = {"type": served.thinking}
        return {**plain, **_sampling(request, served), **_structure(request, served)}

    async def send(self, parameters: Plain, request: Request) -> str:
        assert self._settings is not None, "opened before it is asked"
        with faults(self._settings, request.target.model):
            response = await self._client.messages.with_raw_response.create(**apart(parameters))
        content: bytes = response.http_response.content
        return content.decode("utf-8", "replace")

    def read(self, plain: Plain, request: Request) -> Answered:
        usage = self.usage(plain.get("usage"))
        blocks, reason = plain.get("content"), plain.get("stop_reason")
        if not isinstance(blocks, list) or not isinstance(reason, str):
            raise malformed_fault("it has no content or no stop_reason", usage)
        blocks = [block for block in blocks if isinstance(block, dict)]
        texts = [str(block.get("text") or "") for block in blocks if block.get("type") == "text"]
        calls = [block for block in blocks if block.get("type") == "tool_use" and block.get("name") == ANSWER]
        text = json.dumps(calls[0].get("input"), ensure_ascii=False) if calls else "".join(texts)
        thoughts = [str(block.get("thinking") or "") for block in blocks if block.get("type") == "thinking"]
        return Answered(
            text, FINISHES.get(reason, "stop"), usage, "\n".join(thought for thought in thoughts if thought),
            (("model_reported", str(plain.get("model"))), ("anthropic", version("anthropic"))),
        )  # fmt: skip

    def usage(self, reported: object) -> Usage | None:
        if not isinstance(reported, dict) or "input_tokens" not in reported:
            return None
        return Usage(
            number(reported, "input_tokens"), number(reported, "output_tokens"),
            number(reported, "cache_read_input_tokens"), number(reported, "cache_creation_input_tokens"),
        )  # fmt: skip

    async def models(self) -> tuple[str, ...]:
        return ()  # only asked about adapters, and this API has none

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()


def blocking_client(settings: ServerSettings, key: str) -> Any:
    """The package's own client for what waits by itself.

    Raises:
        MissingPackage: the package anthropic is not installed.
    """
    return _package(settings).Anthropic(
        api_key=key, base_url=settings.base_url, max_retries=0, timeout=settings.timeout_s
    )


@contextmanager
def faults(settings: ServerSettings, model: Model) -> Iterator[None]:
    """The package's errors as Faults."""
    anthropic = _package(settings)
    try:
        yield
    except anthropic.APITimeoutError as error:
        raise silence_fault(error, settings.timeout_s) from None
    except anthropic.APIStatusError as error:
        where = Where(model.name, model.location, settings.api_key_env)
        raise status_fault(error.status_code, error.response.headers, error.body, where, time.time()) from None
    except anthropic.APIConnectionError as error:
        raise connection_fault(error) from None


def _package(settings: ServerSettings) -> Any:
    if find_spec("anthropic") is None:
        raise MissingPackage(f"Engine {settings.name!r}", "anthropic", "anthropic")
    import anthropic

    return anthropic


def _sampling(request: Request, served: Served) -> Plain:
    decoding = request.decoding
    if not served.sampling:
        return {}
    plain: Plain = {"temperature": decoding.temperature}
    if decoding.top_p != 1.0:
        plain["top_p"] = decoding.top_p
    if decoding.top_k:
        plain["top_k"] = decoding.top_k
    return plain


def _structure(request: Request, served: Served) -> Plain:
    if request.answer_schema is None:
        return {}
    schema = json.loads(request.answer_schema)
    if served.structured == "schema":
        return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    tool = {"name": ANSWER, "description": ANSWER_WORDS, "input_schema": schema}
    choice = {"type": "tool", "name": ANSWER, "disable_parallel_tool_use": True}
    return {"tools": [tool], "tool_choice": choice}
