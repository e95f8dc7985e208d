"""How far loading is: which share of the weights is in its place, which adapter is being put on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

_T = TypeVar("_T")
TOLD_EVERY_S = 0.1
BAR = "Loading weights"
"""What transformers calls the bar of the loop that places a model's tensors, quantising them on the way."""


class Placing:
    """``state`` is what the engine says of itself; ``pulse`` is called whenever it changes, at most ten times a second.

    transformers tells nobody how far it is, except its progress bars, which are put in here (transformers 5.23,
    ``set_tqdm_hook``); where it lacks that, nothing is known.
    """

    def __init__(self, pulse: Callable[[], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._pulse = pulse
        self._clock = clock
        self._told_at = float("-inf")
        self.state: tuple[str, float | None] = ("", None)

    @contextmanager
    def weights(self) -> Iterator[None]:
        """Inside, tensors are counted as they come to their places."""
        from transformers.utils import logging

        set_hook = getattr(logging, "set_tqdm_hook", None)
        before = set_hook(self._bar) if set_hook else None
        try:
            yield
        finally:
            self.state = ("", None)
            if set_hook:
                set_hook(before)

    def read(self, done: int, total: int) -> None:
        """So many bytes of files were read to know what they are."""
        self._tell("files", done / total)
        if done >= total:
            self.state = ("", None)

    def adapters(self, adapters: Sequence[_T]) -> Iterator[_T]:
        """Counts the adapters as they are put on; an empty one is the bare base."""
        number, total = 0, sum(map(bool, adapters))
        for adapter in adapters:
            if adapter:
                number += 1
                self._tell(f"adapter {number} of {total}", None)
            yield adapter
        self.state = ("", None)

    def _bar(self, bar: Callable[..., Any], arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """What transformers gets in place of a progress bar."""
        if options.get("desc") == BAR and arguments and hasattr(arguments[0], "__len__"):
            return self._counted(arguments[0], len(arguments[0]))
        return bar(*arguments, **options)

    def _counted(self, items: Iterable[_T], total: int) -> Iterator[_T]:
        for done, item in enumerate(items):
            self._tell("weights", done / total)
            yield item
        self._tell("weights", 1.0)

    def _tell(self, what: str, share: float | None) -> None:
        is_news = what != self.state[0] or share == 1.0
        self.state = (what, share)
        if is_news or self._clock() - self._told_at >= TOLD_EVERY_S:
            self._told_at = self._clock()
            self._pulse()
