"""Puts peft adapters on one loaded base, proves that they took, and switches them per batch."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evalkit.errors import EngineError, MissingPackage
from evalkit.target import Adapter

CHANGES_BASE = ("pissa", "olora", "corda", "loftq")
"""Starting values of LoRA that rewrite the base's own weights when the adapter is loaded."""


class AdapterRack:
    """A base model with any number of adapters on it. ``network`` is what generates: peft's wrapper once there is one.

    peft is imported with the first adapter.
    """

    def __init__(self, network: Any, device: str) -> None:
        self.network = network
        self._device = device
        self._names: dict[tuple[str, str | None], str] = {}
        self._alone: set[str] = set()

    def name_of(self, adapter: Adapter) -> str | None:
        """The internal name of a mounted adapter."""
        return self._names.get((adapter.location, adapter.revision))

    def runs_alone(self, name: str) -> bool:
        """Whether peft cannot mix this adapter with others in one batch."""
        return name in self._alone

    def mount(self, adapter: Adapter, folder: Path) -> None:
        """Load the adapter beside the others; nothing if it is there.

        Raises:
            EngineError: it does not fit the base, changes nothing, or would change the base for other targets.
            MissingPackage: peft is not installed.
        """
        if self.name_of(adapter) is not None:
            return
        if find_spec("peft") is None:
            raise MissingPackage(f"Adapter {adapter.shown!r}", "peft", "local")
        from peft import PeftConfig

        what = f"Adapter {adapter.shown!r}"
        try:
            config = PeftConfig.from_pretrained(str(folder))
        except Exception as error:
            raise EngineError(f"{what}: adapter_config.json cannot be used: {_first_line(error)}") from error
        _check_kind(config, what)
        name = f"evalkit{len(self._names):04d}"
        with warnings.catch_warnings():  # peft 0.21 reads a property that transformers 5.23 has deprecated
            warnings.filterwarnings("ignore", ".*is_gradient_checkpointing.*", FutureWarning)
            self._mount(config, folder, name, what)
        self._names[(adapter.location, adapter.revision)] = name
        if not _is_mixable(config):
            self._alone.add(name)

    @contextmanager
    def applied(self, names: Sequence[str | None]) -> Iterator[None]:
        """Inside, row i of a batch runs under adapter ``names[i]`` (None: the bare base)."""
        distinct = set(names)
        if not self._names:
            yield
        elif distinct == {None}:
            with self.network.disable_adapter():
                yield
        else:
            self.network.set_adapter(next(name for name in names if name is not None), inference_mode=True)
            with self._mixed(names) if len(distinct) > 1 else nullcontext():
                yield

    @contextmanager
    def _mixed(self, names: Sequence[str | None]) -> Iterator[None]:
        """Inside, every LoRA layer is told each row's adapter.

        peft's own ``generate(adapter_names=...)`` leaves its hooks in place after an error, which breaks every later
        batch, and cannot mix at all while an adapter with a whole trained module is loaded (peft 0.21.2).
        """
        from peft.tuners.lora import LoraLayer

        told = [name or "__base__" for name in names]

        def tell(module: Any, args: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
            return args, {**options, "adapter_names": told}

        layers = [module for module in self.network.modules() if isinstance(module, LoraLayer)]
        hooks = [layer.register_forward_pre_hook(tell, with_kwargs=True) for layer in layers]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _mount(self, config: Any, folder: Path, name: str, what: str) -> None:
        from peft import PeftModel, PeftModelForCausalLM

        base = self.network
        is_first = not isinstance(base, PeftModel)
        modules = dict(base.named_modules()) if is_first else {}
        config.inference_mode = True
        try:
            if is_first:
                self.network = PeftModelForCausalLM(base, config, name)
            else:
                self.network.add_adapter(name, config)
            mapping = getattr(self.network.get_base_model(), "_checkpoint_conversion_mapping", None) or None
            report = self.network.load_adapter(str(folder), name, torch_device=self._device, key_mapping=mapping)
            _check_took(self.network, report, name, what)
        except Exception as error:
            self._unmount(base, modules, name)
            if isinstance(error, EngineError):
                raise
            raise EngineError(f"{what} does not fit this base: {_first_line(error)}") from error
        self.network.eval()

    def _unmount(self, base: Any, modules: dict[str, Any], name: str) -> None:
        """Undo a failed mount; a failed first one leaves half-wrapped layers, so ``modules`` go back in place."""
        self.network = base
        if not modules:
            if name in base.peft_config:
                base.delete_adapter(name)
            return
        for path, module in modules.items():
            parent, _, child = path.rpartition(".")
            if path:
                setattr(modules[parent], child, module)
        for trace in ("peft_config", "_hf_peft_config_loaded"):
            base.__dict__.pop(trace, None)


def _check_kind(config: Any, what: str) -> None:
    """Refuse what cannot share a base with other targets, or what this engine does not run."""
    kind = str(getattr(config.peft_type, "value", config.peft_type))
    start = getattr(config, "init_lora_weights", None)
    if config.is_prompt_learning or config.is_adaption_prompt:
        raise EngineError(f"{what} is of kind {kind}, which the local engine does not run. Use a LoRA-like adapter.")
    if isinstance(start, str) and start.lower().startswith(CHANGES_BASE):
        raise EngineError(
            f"{what} was started with init_lora_weights={start!r}, which rewrites the base for every other target. "
            "Convert it to a plain LoRA with peft's save_pretrained(path_initial_model_for_weight_conversion=...)."
        )
    if getattr(config, "bias", "none") not in ("none", False) or getattr(config, "layer_replication", None):
        raise EngineError(
            f"{what} trains the base's biases or repeats its layers, which would change the base for every other "
            "target. Merge it into a model of its own and name that as the target's model."
        )


def _is_mixable(config: Any) -> bool:
    """peft mixes plain LoRA in one batch; DoRA it refuses, and whole trained modules are not worth the doubt."""
    special = ("use_dora", "modules_to_save", "trainable_token_indices", "target_parameters", "alora_invocation_tokens")
    kind = str(getattr(config.peft_type, "value", config.peft_type))
    return kind == "LORA" and not any(getattr(config, name, None) for name in special)


def _check_took(network: Any, report: Any, name: str, what: str) -> None:
    """An adapter that is silently ignored gives plausible numbers, so every one must be seen in the model."""
    if report.unexpected_keys:
        raise EngineError(
            f"{what} was made for another base: {len(report.unexpected_keys)} of its tensors have no place here "
            f"(first: {report.unexpected_keys[0]})."
        )
    if report.missing_keys:
        raise EngineError(
            f"{what} is incomplete: {len(report.missing_keys)} tensors are missing (first: {report.missing_keys[0]})."
        )
    mine = {key: value for key, value in network.named_parameters() if f".{name}" in key}
    if not mine:
        raise EngineError(f"{what} changes nothing: none of its target modules is in this base.")
    if not all(bool(value.isfinite().all()) for value in mine.values()):
        raise EngineError(f"{what} holds weights that are not numbers (NaN or infinite).")
    second = [value for key, value in mine.items() if "lora_B" in key or "lora_embedding_B" in key]
    if second and not any(bool(value.any()) for value in second):
        raise EngineError(f"{what} changes nothing: every lora_B is zero. Was it saved before training?")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:2])}" if lines else type(error).__name__
