"""The seam every engine fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from evalkit.generation import Failure, Generation, Request
from evalkit.target import Adapter, Settings, Target

Pulse = Callable[[int], bool]
"""Called during a long step with the new tokens since the last call; true means: give up what is in flight."""


class Engine(Protocol):
    """Answers requests; one instance per engine named in the targets, alive for the whole run.

    ``identity_facts`` are the facts about a target that can change its text (weights digest, adapter digests, dtype,
    device type, chat template, …), known without loading weights. ``step`` returns each submitted request exactly once
    as ``(request_id, reply)``.
    """

    capabilities: frozenset[str]

    def identity_facts(self, target: Target) -> Settings: ...

    def load(self, target: Target, adapters: tuple[tuple[Adapter, ...], ...]) -> None: ...

    def submit(self, request_id: str, request: Request) -> None: ...

    def step(self) -> list[tuple[str, Generation | Failure]]: ...

    def cancel(self, request_id: str) -> None: ...

    def close(self) -> None: ...


@runtime_checkable
class Batching(Protocol):
    """An engine that runs rows together in batches."""

    def bound_batches(self, rows: int) -> None:
        """From now on at most ``rows`` of them run together."""
