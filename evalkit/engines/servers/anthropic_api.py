"""Asks the Anthropic Messages API through its own package."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

from evalkit.engines.servers.api import ANSWER, ANSWER_WORDS, Answered, Plain, apart, number
from evalkit.engines.servers.faults import Where, connection_fault, malformed_fault, status_fault, timeout_fault
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
        if find_spec("anthropic") is None:
            raise MissingPackage(f"Engine {settings.name!r}", "anthropic", "anthropic")
        import anthropic

        self._settings = settings
        self._client = anthropic.Anthropic(
            api_key=key, base_url=settings.base_url, max_retries=0, timeout=settings.timeout_s
        )

    @property
    def client(self) -> Any:
        """The package's own client, for what only it can do."""
        return self._client

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

    def send(self, parameters: Plain, request: Request) -> str:
        with self.faults(request.target.model):
            response = self._client.messages.with_raw_response.create(**apart(parameters))
        content: bytes = response.http_response.content
        return content.decode("utf-8", "replace")

    @contextmanager
    def faults(self, model: Model) -> Iterator[None]:
        """The package's errors as Faults."""
        import anthropic

        assert self._settings is not None, "opened before it is asked"
        try:
            yield
        except anthropic.APITimeoutError:
            raise timeout_fault(self._settings.timeout_s) from None
        except anthropic.APIStatusError as error:
            where = Where(model.name, model.location, self._settings.api_key_env)
            raise status_fault(error.status_code, error.response.headers, error.body, where, time.time()) from None
        except anthropic.APIConnectionError as error:
            raise connection_fault(error) from None

    def read(self, plain: Plain) -> Answered:
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

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


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
