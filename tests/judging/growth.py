"""How the time of some work grows with its size, told so that a busy machine is not taken for slow code."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

TRIES = 8
LINEAR = 20.0
"""Ten times the text may take so many times as long: linear work takes about 10 times, that of n√n 32, a square 100."""


def least_seconds(work: Callable[[], object], at_most: float) -> float:
    """What the work takes of this thread's processor time: the least of some tries, as ``growth`` measures it."""
    least = math.inf
    with no_garbage_collection():
        for _ in range(TRIES):
            least = min(least, seconds(lambda _: work(), None))
            if least <= at_most:
                break
    return least


def growth(work: Callable[[Any], object], small: Any, large: Any, *, at_most: float = LINEAR) -> float:
    """How many times as long the work takes on the large thing as on the small one.

    Processor time of this thread, the least of some tries on each, until the two are within ``at_most`` or it was tried
    eight times: what else the machine does makes a try longer and none shorter. The garbage collector stands still
    meanwhile: what it costs depends on all that the test process holds.
    """
    found = brief = long = math.inf
    with no_garbage_collection():
        for _ in range(TRIES):
            brief = min(brief, seconds(work, small), seconds(work, small))
            long = min(long, seconds(work, large))
            found = long / brief
            if found <= at_most:
                break
    return found


def seconds(work: Callable[[Any], object], thing: Any) -> float:
    """What the work on it takes of this thread's processor time."""
    begun = time.thread_time()
    work(thing)
    return time.thread_time() - begun


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
