"""Time as engines that ask servers see it; tests bring one of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Time for what waits by itself; ``now`` counts seconds."""

    now: Callable[[], float]
    sleep: Callable[[float], object]


@dataclass(frozen=True, slots=True)
class LoopClock:
    """Time inside the loop in which requests wait side by side."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
