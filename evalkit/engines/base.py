"""The seam every engine fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from evalkit.generation import Failure, Generation, Request
from evalkit.preflight import Finding
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
class Counting(Protocol):
    """An engine that knows how many of its requests are in work at this moment, the queue left out."""

    @property
    def rows_in_flight(self) -> int: ...


@runtime_checkable
class Estimating(Protocol):
    """An engine that knows what loading will take."""

    def load_note(self, target: Target, adapters: tuple[tuple[Adapter, ...], ...]) -> str | None:
        """What is shown while the target loads, such as the memory it will take; None if nothing is to be loaded."""


@runtime_checkable
class Loading(Protocol):
    """An engine that can tell how far it is with loading."""

    @property
    def loading(self) -> tuple[str, float | None]:
        """What is being loaded, such as ``weights``, and which share of it is there; None where nobody knows."""


@runtime_checkable
class Batching(Protocol):
    """An engine that runs rows together in batches."""

    def bound_batches(self, rows: int) -> None:
        """From now on at most ``rows`` of them run together."""


@runtime_checkable
class Inspecting(Protocol):
    """An engine that can tell, before a target is asked anything, whether its answers would be what they seem.

    ``inspection_facts`` are what the findings depend on beside the target's identity (versions of libraries).
    """

    @property
    def inspection_facts(self) -> Settings: ...

    def inspect_files(self, target: Target) -> tuple[Finding, ...]:
        """What can be said in seconds, without loading weights."""

    def inspect_loaded(self, target: Target) -> Finding:
        """What can be said of the target's adapters when its weights are loaded."""


@runtime_checkable
class Polling(Protocol):
    """An engine whose work is done elsewhere, so that another one may compute here meanwhile."""

    def poll(self) -> list[tuple[str, Generation | Failure]]:
        """A step that waits for nothing."""
