"""Puts peft adapters on one loaded base, unloads those that nothing needs, and switches them per batch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evalkit.engines.local.adapter_checks import check_took, first_line, is_mixable, kind_of, read_config
from evalkit.engines.local.merging import Merged
from evalkit.errors import EngineError, MissingPackage
from evalkit.target import Adapter

Key = tuple[str, str | None]
FolderOf = Callable[[Adapter], Path]
"""Where an adapter's checked files are; an EngineError if they are no longer what was identified."""


@dataclass(frozen=True, slots=True)
class _Known:
    """An adapter that was seen to fit, whether it is loaded now or not."""

    adapter: Adapter
    folder_of: FolderOf
    kind: str
    is_mixable: bool
    trains_tokens: bool

    @property
    def what(self) -> str:
        return f"Adapter {self.adapter.shown!r}"


@dataclass(frozen=True, slots=True)
class _Stack:
    """Adapters on one row in their order, by their internal names; ``merged`` into the base or beside it."""

    parts: tuple[str, ...]
    merged: bool


class AdapterRack:
    """A base model with any number of adapters on it. ``network`` is what generates: peft's wrapper once there is one.

    Whatever a row is asked under, one adapter, several or merged ones, has one internal name. At most ``most`` adapters
    are in memory; the least recently used one is unloaded for another, and loaded again when a batch needs it. Those
    of the batch that is running are never unloaded. peft is imported with the first adapter.
    """

    def __init__(self, network: Any, device: str, most: int = 8) -> None:
        self.network = network
        self._base = network
        self._modules: dict[str, Any] = {}
        self._device = device
        self._most = most
        self._names: dict[Key, str] = {}
        self._known: dict[str, _Known] = {}
        self._stacks: dict[str, _Stack] = {}
        self._loaded: dict[str, None] = {}  # least recently used first
        self._in_flight: frozenset[str] = frozenset()
        self._merged: tuple[str, Merged] | None = None

    @property
    def loaded_count(self) -> int:
        """How many adapters are in memory now."""
        return len(self._loaded)

    def name_of(self, adapters: tuple[Adapter, ...], merged: bool = False) -> str | None:
        """The internal name under which these adapters were mounted; None if they were not, or are none."""
        parts = tuple(self._names.get(_key(adapter), "") for adapter in adapters)
        if len(parts) == 1 and not merged:
            return parts[0] or None
        stack = _Stack(parts, merged)
        return next((name for name, known in self._stacks.items() if known == stack), None)

    def group_of(self, name: str | None) -> str | None:
        """Rows of one group may share a batch. None is that of the bare base and the first plain LoRAs.

        Plain LoRAs beyond ``most`` form groups of their own, so that a batch never needs more of them.
        """
        if name is None:
            return None
        if name in self._stacks or not self._known[name].is_mixable:
            return name
        plain = [known for known in self._known if self._known[known].is_mixable]
        place = plain.index(name) // self._most
        return f"lora{place}" if place else None

    def mount(self, adapters: tuple[Adapter, ...], merged: bool, folder_of: FolderOf) -> str | None:
        """Prove that the adapters can be applied in this order; their internal name, None where there are none.

        Raises:
            EngineError: one does not fit the base or changes nothing, or they cannot be put on it together.
            MissingPackage: peft is not installed.
        """
        if not adapters:
            return None
        known = self.name_of(adapters, merged)
        if known is not None:
            return known
        parts = tuple(self._learn(adapter, folder_of) for adapter in adapters)
        if len(parts) == 1 and not merged:
            return parts[0]
        self._check_together(parts)
        name = self._new_name()
        self._stacks[name] = _Stack(parts, merged)
        try:
            with self.applied([name]):
                return name
        except Exception as error:
            del self._stacks[name]
            shown = ", ".join(self._known[part].adapter.shown for part in parts)
            how = "be merged into this base" if merged else "be applied together"
            raise EngineError(f"Adapters {shown} cannot {how}: {first_line(error)}") from error

    @contextmanager
    def applied(self, names: Sequence[str | None]) -> Iterator[None]:
        """Inside, row i of a batch runs under ``names[i]`` (None: the bare base). All must be of one group."""
        distinct = list(dict.fromkeys(names))
        chosen = [name for name in distinct if name is not None]
        self._in_flight = frozenset(part for name in chosen for part in self._parts(name))
        self._bring(self._in_flight)
        if not self._loaded:
            yield
        elif not chosen:
            with self.network.disable_adapter():
                yield
        else:
            self._activate(self._parts(chosen[0]))
            with self._mixed(names) if len(distinct) > 1 else self._as_merged(chosen[0]):
                yield

    def _parts(self, name: str) -> tuple[str, ...]:
        return self._stacks[name].parts if name in self._stacks else (name,)

    def _activate(self, parts: tuple[str, ...]) -> None:
        self.network.set_adapter(parts[0], inference_mode=True)
        if len(parts) > 1:  # PeftModel sets one; its tuner sets several, applied in this order
            self.network.base_model.set_adapter(list(parts), inference_mode=True)

    def _as_merged(self, name: str) -> AbstractContextManager[None]:
        stack = self._stacks.get(name)
        if stack is None or not stack.merged:
            return nullcontext()
        if self._merged is None or self._merged[0] != name:
            self._merged = None  # the memory of one set of copies is enough
            self._merged = (name, Merged(self.network, stack.parts))
        return self._merged[1].in_place()

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

    def _new_name(self) -> str:
        return f"evalkit{len(self._known) + len(self._stacks):04d}"

    def _check_together(self, parts: tuple[str, ...]) -> None:
        kinds = list(dict.fromkeys(self._known[part].kind for part in parts))
        if len(set(parts)) < len(parts):
            shown = next(self._known[part].adapter.shown for part in parts if parts.count(part) > 1)
            raise EngineError(f"Adapter {shown!r} is named twice on one target. Name it once.")
        if len(kinds) > 1:
            shown = ", ".join(self._known[part].adapter.shown for part in parts)
            raise EngineError(
                f"Adapters {shown} are of the kinds {', '.join(kinds)}, which peft cannot put on one base together. "
                "Merge one of them into a model of its own and name that as the target's model."
            )

    def _learn(self, adapter: Adapter, folder_of: FolderOf) -> str:
        """The internal name of one adapter, loading it once to see that it fits."""
        known = self._names.get(_key(adapter))
        if known is not None:
            return known
        if find_spec("peft") is None:
            raise MissingPackage(f"Adapter {adapter.shown!r}", "peft", "local")
        config = read_config(folder_of(adapter), f"Adapter {adapter.shown!r}")
        name = self._new_name()
        trains_tokens = bool(getattr(config, "trainable_token_indices", None))
        self._known[name] = _Known(adapter, folder_of, kind_of(config), is_mixable(config), trains_tokens)
        try:
            self._bring((name,))
        except BaseException:
            del self._known[name]
            raise
        self._names[_key(adapter)] = name
        return name

    def _bring(self, names: Iterable[str]) -> None:
        """Have these adapters in memory and marked as used, unloading others for them.

        Not all adapters can be loaded beside each other, whichever runs: peft keeps one kind on a base, and loads
        nothing after trained tokens (peft 0.21.2). So what fails beside others is tried once more without them.
        """
        wanted = frozenset(names)
        try:
            self._load_all(wanted)
        except EngineError:
            if self._loaded.keys() <= wanted:
                raise
            self._strip()
            self._load_all(wanted)
        for name in sorted(wanted):
            self._loaded[name] = self._loaded.pop(name)

    def _load_all(self, wanted: frozenset[str]) -> None:
        missing = wanted - self._loaded.keys()
        for name in sorted(missing, key=lambda name: (self._known[name].trains_tokens, name)):
            self._load(name, wanted)

    def _load(self, name: str, wanted: frozenset[str]) -> None:
        known = self._known[name]
        folder = known.folder_of(known.adapter)
        self._make_room(wanted | self._in_flight)
        config = read_config(folder, known.what)
        with warnings.catch_warnings():  # peft 0.21 reads a property that transformers 5.23 has deprecated
            warnings.filterwarnings("ignore", ".*is_gradient_checkpointing.*", FutureWarning)
            warnings.filterwarnings("ignore", "Model has `tie_word_embeddings")  # merged copies untie them
            self._put_on(config, folder, name, known.what)
        self._loaded[name] = None

    def _make_room(self, kept: frozenset[str]) -> None:
        """Unload the least recently used adapters until one more fits."""
        for name in [name for name in self._loaded if name not in kept]:
            if len(self._loaded) < self._most:
                return
            if len(self._loaded) == 1:
                self._strip()
                return
            del self._loaded[name]
            if self._merged and name in self._parts(self._merged[0]):
                self._merged = None
            self._activate((next(iter(self._loaded)),))
            self.network.delete_adapter(name)

    def _put_on(self, config: Any, folder: Path, name: str, what: str) -> None:
        from peft import PeftModelForCausalLM

        is_first = self.network is self._base
        if is_first:
            self._modules = dict(self._base.named_modules())
        try:
            if is_first:
                self.network = PeftModelForCausalLM(self._base, config, name)
            else:
                self.network.add_adapter(name, config)
            mapping = getattr(self.network.get_base_model(), "_checkpoint_conversion_mapping", None) or None
            report = self.network.load_adapter(str(folder), name, torch_device=self._device, key_mapping=mapping)
            check_took(self.network, report, name, what)
        except Exception as error:
            if is_first:
                self._strip()
            elif name in self.network.peft_config:
                self._activate((next(iter(self._loaded)),))
                self.network.delete_adapter(name)
            if isinstance(error, EngineError):
                raise
            raise EngineError(f"{what} does not fit this base: {first_line(error)}") from error
        self.network.eval()

    def _strip(self) -> None:
        """Take every adapter off; the base's own modules go back in place, also out of half-wrapped layers."""
        for path, module in self._modules.items():
            parent, _, child = path.rpartition(".")
            if path:
                setattr(self._modules[parent], child, module)
        for trace in ("peft_config", "_hf_peft_config_loaded"):
            self._base.__dict__.pop(trace, None)
        self.network, self._modules, self._merged = self._base, {}, None
        self._loaded.clear()


def _key(adapter: Adapter) -> Key:
    return (adapter.location, adapter.revision)
