"""Importing what loads weights and generates: torch, transformers and the modules that stand on them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from importlib import import_module

from evalkit.reading.garbage import no_garbage_search

_NAMES = (
    "torch", "transformers", "transformers.modeling_utils",
    "evalkit.engines.local.preflight.examination", "evalkit.engines.local.loaded",
)  # fmt: skip


def libraries() -> Iterator[str]:
    """Imports the next one that is not there yet, and gives its name.

    Their hundreds of thousands of objects stay until the process ends: Python's search for garbage would go through
    them again and again, which is a quarter of the time that importing takes, and later during every batch.
    """
    for name in _NAMES:
        if name not in sys.modules:
            with no_garbage_search():
                import_module(name)
            gc.freeze()
            yield name


def import_libraries() -> None:
    """Imports all that is not there yet."""
    for _ in libraries():
        continue
