"""Settings as YAML has them, and as nouns hold them: hashable, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Pairs(tuple[Any, ...]):
    """A mapping as sorted (name, value) pairs; told apart from a list so that it can become one again."""

    __slots__ = ()


def frozen(value: Any) -> Any:
    """Lists as tuples and mappings as sorted tuples of pairs, all the way down."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)):
        return tuple([frozen(item) for item in value])
    if isinstance(value, Mapping):
        return Pairs((name, frozen(value[name])) for name in sorted(value))
    return value


def thawed(value: Any) -> Any:
    """The inverse of ``frozen``: tuples as lists, pairs as mappings."""
    if isinstance(value, Pairs):
        return {name: thawed(item) for name, item in value}
    return [thawed(item) for item in value] if isinstance(value, tuple) else value
