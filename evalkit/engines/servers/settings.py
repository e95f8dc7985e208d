"""An engine's settings with their defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from evalkit.target import Engine, Served, Settings, Target

BASE_URLS = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com/v1"}
KEY_VARIABLES = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
STRUCTURED = {"anthropic": "tool", "openai": "schema"}
EXPIRES_DAYS = 7.0
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How a server is asked. Times are seconds; ``max_wait_s`` bounds all pauses of one request together."""

    name: str
    kind: str
    base_url: str
    api_key_env: str
    concurrency: int = 8
    timeout_s: float = 120.0
    attempts: int = 6
    max_wait_s: float = 300.0

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
    def shown(self) -> str:
        """How messages name the server."""
        return f"{self.name!r} ({self.base_url})"

    @property
    def no_key(self) -> str:
        return (
            f"Engine {self.name!r} has no key for {self.base_url}. To enable it, set {self.api_key_env} "
            "to an API key in the environment."
        )


def server_facts(target: Target) -> Settings:
    """What is asked of whom, and how: all that can be known of weights that are elsewhere."""
    served = target.model.served or Served()
    return (
        ("base_url", ServerSettings.of(target.engine).base_url),
        ("model", target.model.location),
        ("revision", target.model.revision),
        ("sampling", served.sampling),
        ("thinking", served.thinking),
        ("structured", served.structured or STRUCTURED[target.engine.kind]),
    )


def max_age_s(engine: Engine) -> float | None:
    """How old a stored answer of this engine may be; None: any age, since weights here do not change unnoticed."""
    if not engine.is_server:
        return None
    return float(engine.setting("expires_days", EXPIRES_DAYS)) * DAY_S
