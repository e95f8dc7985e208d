"""The local engine's own settings, checked."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from evalkit.errors import EngineError
from evalkit.target import Engine

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """How the local engine uses the machine.

    ``threads`` None is all cores but one. ``batch_tokens`` bounds a batch's padded size, prompts and new tokens
    together; None is 16384 on CPU and 131072 on CUDA. At most ``max_adapters`` adapters are in memory at once.
    ``memory_limit_mib`` is what weights, adapters and cache may take together; None is all there is.
    ``one_by_one``: every row runs alone. ``prefix_reuse``: what many prompts begin with is computed once.
    """

    device: str = "auto"
    threads: int | None = None
    max_batch_rows: int = 32
    batch_tokens: int | None = None
    max_adapters: int = 8
    memory_limit_mib: int | None = None
    one_by_one: bool = False
    prefix_reuse: bool = True

    @classmethod
    def of(cls, engine: Engine) -> LocalSettings:
        """The settings a target names for its engine.

        Raises:
            EngineError: an unknown setting, or a value of the wrong kind.
        """
        known = [item.name for item in fields(cls)]
        for name, value in engine.settings:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f"Did you mean {near[0]!r}?" if near else f"Known settings: {', '.join(known)}."
                raise EngineError(f"Engine {engine.name!r}: unknown setting {name!r}. {hint}")
            mistake = _mistake(name, value)
            if mistake is not None:
                raise EngineError(f"Engine {engine.name!r}: {name}: {mistake}; found {value!r}.")
        return cls(**dict(engine.settings))

    @property
    def thread_count(self) -> int:
        return self.threads if self.threads is not None else max(1, (os.cpu_count() or 1) - 1)

    def token_bound(self, device: str) -> int:
        if self.batch_tokens is not None:
            return self.batch_tokens
        return 131072 if device == "cuda" else 16384


def _mistake(name: str, value: Any) -> str | None:
    """What was expected instead of ``value``; None if it is right."""
    if name == "device":
        return None if value in DEVICES else f"expected one of {', '.join(DEVICES)}"
    if name in ("one_by_one", "prefix_reuse"):
        return None if isinstance(value, bool) else "expected true or false"
    return None if type(value) is int and value >= 1 else "expected a whole number of at least 1"
