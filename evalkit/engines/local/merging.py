"""Adapters merged into copies of the layers they change, so that the base stays as it is for other targets."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


class Merged:
    """What ``merge_and_unload`` would make of the layers that some adapters change, held beside the base's own.

    The adapters are merged in their order, by peft, in the precision in which the base is held: quantised layers are
    quantised again after each. Needs as much memory as the changed layers. Subtracting what was merged, peft's
    ``unmerge_adapter``, would not give the base back exactly.

    Raises:
        Exception: whatever peft raises where it cannot merge.
    """

    def __init__(self, network: Any, names: Sequence[str]) -> None:
        self._copies: list[tuple[Any, Any, list[str]]] = []
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Merge lora module to ")  # the base's precision is the user's choice
            for layer in _layers(network):
                present = layer._get_available_adapters()
                mine = [name for name in names if name in present]
                if mine:
                    self._copies.append((layer, *_merge(layer, mine)))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, the merged layers stand in for the base's. The adapters must be the active ones."""
        own = [(layer, layer.base_layer) for layer, _, _ in self._copies]
        try:
            for layer, merged, names in self._copies:
                layer.base_layer, layer.merged_adapters = merged, list(names)
            yield
        finally:
            for layer, base in own:
                layer.base_layer, layer.merged_adapters = base, []


def _layers(network: Any) -> list[Any]:
    from peft.tuners.tuners_utils import BaseTunerLayer

    return [module for module in network.modules() if isinstance(module, BaseTunerLayer)]


def _merge(layer: Any, names: list[str]) -> tuple[Any, list[str]]:
    """A copy of the layer's base with the adapters merged into it, and what peft says is merged."""
    base = layer.base_layer
    layer.base_layer = _copied(base)
    try:
        layer.merge(adapter_names=names)
        return layer.base_layer, list(layer.merged_adapters)
    finally:
        layer.base_layer, layer.merged_adapters = base, []


def _copied(base: Any) -> Any:
    """A deep copy that shares nothing; a 4-bit weight knows its module, and copying leaves it the old one."""
    made = copy.deepcopy(base)
    weight: Any = getattr(made, "weight", None)
    if getattr(weight, "module", None) is base:
        weight.module = made
    return made
