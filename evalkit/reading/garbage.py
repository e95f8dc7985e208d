"""Python's search for garbage, stopped while thousands of objects are made that all stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
