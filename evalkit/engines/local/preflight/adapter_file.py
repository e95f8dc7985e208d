"""An adapter's file beside what its config asks for on a base: which tensors, of which shapes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from evalkit.engines.local.adapter_checks import first_line, kind_of, read_config
from evalkit.engines.local.preflight.outline import Outline
from evalkit.target import Adapter

PREFIX = "base_model.model."
"""What peft puts in front of the names of a base's modules."""
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """``tensors`` are those of the file, ``wanted`` the shapes of those that belong to the adapter on this base.

    ``of_base`` are the names of the base's own tensors, as the file would call them; ``refusal`` says why peft cannot
    put the adapter's modules on the base at all.
    """

    shown: str
    folder: Path
    config: Any
    tensors: Mapping[str, torch.Tensor]
    wanted: Mapping[str, Shape]
    of_base: Mapping[str, Shape]
    modules: frozenset[str]
    refusal: str | None = None

    @property
    def what(self) -> str:
        return f"adapter {self.shown!r}"

    @property
    def kind(self) -> str:
        return kind_of(self.config)

    @property
    def left_over(self) -> tuple[str, ...]:
        """The file's tensors that belong neither to the adapter's modules nor to the base."""
        return tuple(sorted(name for name in self.tensors if name not in self.wanted and name not in self.of_base))

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(sorted(name for name in self.wanted if name not in self.tensors))

    @property
    def whole_tensors(self) -> tuple[str, ...]:
        """The file's tensors that are the base's own, whole: peft writes them over the base's."""
        return tuple(sorted(name for name in self.tensors if name not in self.wanted and name in self.of_base))

    @property
    def misshapen(self) -> tuple[str, ...]:
        """The file's tensors that have a place and another shape than it."""
        common = (name for name in self.tensors if name in self.wanted)
        return tuple(sorted(name for name in common if tuple(self.tensors[name].shape) != self.wanted[name]))


def read_adapter(adapter: Adapter, folder: Path, outline: Outline) -> AdapterFile:
    """The adapter of a checked folder against a base.

    Raises:
        EngineError: the adapter is of a kind that the local engine does not run.
    """
    from peft import load_peft_weights

    config = read_config(folder, f"Adapter {adapter.shown!r}")
    network = outline.network()
    modules = frozenset(name for name, _ in network.named_modules() if name)
    mapping = getattr(network, "_checkpoint_conversion_mapping", None) or None
    tensors = load_peft_weights(str(folder), device="cpu", key_mapping=mapping)
    own = {f"{PREFIX}{name}": tuple(value.shape) for name, value in network.state_dict().items()}
    try:
        wrapped, wanted = _on_base(network, config)
    except Exception as error:  # peft says in many ways that no module fits
        return AdapterFile(adapter.shown, folder, config, tensors, {}, own, modules, first_line(error))
    wrapped_own = {name.replace(".base_layer.", "."): name for name in wrapped.state_dict() if ".base_layer." in name}
    beside = {wrapped_own[name]: shape for name, shape in own.items() if name in wrapped_own}
    return AdapterFile(
        adapter.shown, folder, config, _converted(wrapped, config, tensors), wanted, {**own, **beside}, modules
    )


def _on_base(network: Any, config: Any) -> tuple[Any, dict[str, Shape]]:
    """The base with the adapter's modules, and the shapes of the tensors that its file must hold."""
    from peft import PeftModelForCausalLM, get_peft_model_state_dict

    if hasattr(config, "init_lora_weights"):
        config.init_lora_weights = True  # some starts need the base's numbers; shapes are the same
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")
        wrapped = PeftModelForCausalLM(network, config, "default")
        state = get_peft_model_state_dict(wrapped, adapter_name="default", save_embedding_layers=False)
    return wrapped, {name: tuple(value.shape) for name, value in state.items()}


def _converted(wrapped: Any, config: Any, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The file's tensors under today's names of the base's modules, as peft itself renames them."""
    from peft.utils.transformers_weight_conversion import convert_peft_adapter_state_dict_for_transformers

    converted: dict[str, torch.Tensor] = convert_peft_adapter_state_dict_for_transformers(
        model=wrapped, peft_config=config, adapter_state_dict=tensors, adapter_name="default"
    )
    return converted
