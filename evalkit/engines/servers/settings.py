"""An engine's settings with their defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal
from urllib.parse import urlsplit

from evalkit.target import Engine, Served, Settings, Target

BASE_URLS = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com/v1"}
KEY_VARIABLES = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
STRUCTURED = {"anthropic": "tool", "openai": "schema"}
EXPIRES_DAYS = 7.0
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a server is asked. Times are seconds; ``max_wait_s`` bounds all pauses of one request together.

    With ``api: completions`` a conversation is sent as one text, made by ``rendering``: pairs of a role, or ``answer``,
    and its form. ``adapter_model`` is what a model with an adapter is called there. ``takes`` are settings of a
    decoding that the server knows beyond OpenAI's, with its names for them; fields in ``leave_out`` are never sent.
    """

    name: str
    kind: str
    base_url: str
    api_key_env: str
    concurrency: int = 8
    timeout_s: float = 120.0
    attempts: int = 6
    max_wait_s: float = 300.0
    api: Literal["chat", "completions"] = "chat"
    rendering: tuple[tuple[str, str], ...] = ()
    adapter_model: str = "{adapter}"
    logprobs: bool = False
    takes: tuple[tuple[str, str], ...] = ()
    leave_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, engine: Engine) -> ServerSettings:
        written = {name: value for name, value in engine.settings if name != "expires_days"}
        written.setdefault("base_url", BASE_URLS[engine.kind])
        written.setdefault("api_key_env", KEY_VARIABLES[engine.kind])
        written["base_url"] = written["base_url"].rstrip("/")
        return cls(engine.name, engine.kind, **written)

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        host = urlsplit(self.base_url).hostname or ""
        return host == "localhost" or host.startswith("127.") or host == "::1"

    def key(self, environment: Mapping[str, str] = os.environ) -> str | None:
        """The key, "none" where none is needed, None where it is missing; read from the environment alone."""
        found = environment.get(self.api_key_env, "").strip()
        if found:
            return found
        return "none" if self.kind == "openai" and self.is_local else None

    @property
    def can_score(self) -> bool:
        """Whether it can be asked for the log-probabilities of a text."""
        return self.api == "completions" and self.logprobs

    @property
    def shown(self) -> str:
        """How messages name the server."""
        return f"{self.name!r} ({self.base_url})"

    @property
    def no_key(self) -> str:
        return (
            f"Engine {self.name!r} has no key for {self.base_url}. To enable it, set {self.api_key_env} "
            "to an API key in the environment."
        )


def served_name(target: Target) -> str:
    """What the server calls the target's model: its id, or what it calls the id with an adapter on it."""
    if not target.adapters:
        return target.model.location
    form = ServerSettings.of(target.engine).adapter_model
    return form.replace("{model}", target.model.location).replace("{adapter}", target.adapters[0].location)


def server_facts(target: Target) -> Settings:
    """What is asked of whom, and how: all that can be known of weights that are elsewhere."""
    served, settings = target.model.served or Served(), ServerSettings.of(target.engine)
    always: Settings = (
        ("base_url", settings.base_url),
        ("model", served_name(target)),
        ("revision", target.model.revision),
        ("sampling", served.sampling),
        ("thinking", served.thinking),
        ("structured", served.structured or STRUCTURED[target.engine.kind]),
    )
    changed = {name: getattr(settings, name) for name in ("api", "rendering", "logprobs", "takes", "leave_out")}
    usual = {field.name: field.default for field in fields(ServerSettings)}
    return (*always, *((name, value) for name, value in changed.items() if value != usual[name]))


def max_age_s(engine: Engine) -> float | None:
    """How old a stored answer of this engine may be; None: any age, since weights here do not change unnoticed."""
    if not engine.is_server:
        return None
    return float(engine.setting("expires_days", EXPIRES_DAYS)) * DAY_S
