"""Nouns that go between processes by the thousand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any


class Pickled:
    """Base of a frozen dataclass that is pickled as a call of its class.

    dataclasses give one with slots a state that costs twice as much, on both sides.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[type[Pickled], tuple[Any, ...]]:
        kind: Any = type(self)
        return kind, _values(kind)(self)


@cache
def _values(kind: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What gives the values of its fields, in the order in which the class takes them."""
    names = [item.name for item in fields(kind)]
    if len(names) == 1:
        return lambda noun: (getattr(noun, names[0]),)
    return attrgetter(*names)
