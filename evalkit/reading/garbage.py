"""Python's search for garbage, kept from going through thousands of objects again that all stay."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from inspect import GEN_SUSPENDED, getgeneratorstate
from io import IOBase
from itertools import compress
from types import AsyncGeneratorType, CoroutineType, GeneratorType

_HARMLESS = frozenset({"builtins", "_io", "evalkit.store.in_use", "socket", "subprocess"})
"""Modules whose objects lose nothing if nobody finalises them when the process ends and its files are flushed."""
_FEW = 1_000
"""So many objects out of searches are nobody's doing: Python 3.12 itself has some hundreds there."""


@contextmanager
def no_garbage_search() -> Iterator[None]:
    """Otherwise half the time of reading a large suite goes into looking at its probes again and again.

    So does a third of the time of importing what reads it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def rare_garbage_search() -> Iterator[None]:
    """Goes through everything that has been there for long a tenth as often as else.

    What a run's trials leave, records and pytest's reports, stays until its end. Going through all of it again
    whenever a fifth has come in takes as long as half a judge. It is not taken out of all searches (``gc.freeze``):
    others in the process could not see it then, and hypothesis warns of what nobody seems to hold.
    """
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, 10 * old)
    try:
        yield
    finally:
        gc.set_threshold(young, middle, old)


@contextmanager
def last_garbage_search() -> Iterator[None]:
    """Looks for garbage now; whoever looks again until it is left, as pytest does, need not go through what stays.

    Nothing that is garbage by now is hidden from anybody, and what was taken out of searches comes back to them.
    """
    gc.collect()
    if gc.get_freeze_count() > _FEW:
        yield  # somebody took objects out of searches and would not want them back
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@cache
def end_without_search() -> None:
    """This process is not going to take apart, object by object, what is left at its very end.

    Python searches it several times for what holds each other, a second for a large run, to free memory that the
    process gives back as a whole. Whoever waits for an end of its own (``__del__``, or the rest of a generator that was
    begun) gets it: then all goes as ever.
    """
    atexit.register(_leave_all)


def _leave_all() -> None:
    left = gc.get_objects()
    kinds = list(map(type, left))
    finalised = {kind for kind in set(kinds) if any("__del__" in vars(base) for base in kind.__mro__)}
    if any(kind.__module__ not in _HARMLESS for kind in finalised):
        return
    ending = list(compress(left, map(finalised.__contains__, kinds)))
    if any(map(_is_begun, ending)):
        return
    for one in ending:
        if isinstance(one, IOBase):
            with suppress(OSError, ValueError):  # its reader is gone, or it is closed
                one.flush()
    gc.freeze()


def _is_begun(one: object) -> bool:
    """Whether it stands within code of its own, the ``finally`` of which may be still to come."""
    if isinstance(one, GeneratorType):
        return getgeneratorstate(one) == GEN_SUSPENDED
    return isinstance(one, (CoroutineType, AsyncGeneratorType))
