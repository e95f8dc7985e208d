"""How much memory a model will take, known before it is loaded, and what there is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, prod
from pathlib import Path
from typing import Any

from evalkit.engines.local.facts import FOUR_BIT, QUANTISED, compute_dtype
from evalkit.engines.local.files import tensor_shapes
from evalkit.engines.local.settings import LocalSettings
from evalkit.errors import EngineError
from evalkit.target import Quantisation, Target

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
BLOCK = 64
"""Weights for which bitsandbytes keeps one scale in 4 bits; 256 of these scales have one of their own when doubled."""
UNQUANTISED = ("embed", "lm_head", "wte", "wpe", "shared")
"""Parts of names of two-dimensional weights that bitsandbytes leaves as they are."""
SHARE_FOR_WEIGHTS = 0.9
"""How much of one GPU weights may fill before a model is spread over several."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What loading a target will take, in bytes. ``token`` is the cache of one token of one row.

    ``limit`` is all there is, of what ``where`` names; None where that is not known. Work space is not counted.
    """

    what: str
    kind: str
    weights: int
    adapters: int
    largest_adapter: int
    token: int
    batch_tokens: int
    limit: int | None
    where: str

    @property
    def fixed(self) -> int:
        return self.weights + self.adapters

    @property
    def sentence(self) -> str:
        """What is shown before loading: ``about 5.1 GiB: weights 4.6 GiB (nf4), adapters 0.1 GiB, …``."""
        adapters = f", adapters {shown(self.adapters)}" if self.adapters else ""
        cache = self.token * self.batch_tokens
        there = f"; {shown(self.limit)} {self.where}" if self.limit is not None else ""
        return (
            f"about {shown(self.fixed + cache)}: weights {shown(self.weights)} ({self.kind}){adapters}, "
            f"cache of a full batch {shown(cache)}{there}"
        )

    def check_fits(self, smaller: Memory | None) -> None:
        """Refuse what cannot be loaded whatever runs; ``smaller`` is the same model in nf4.

        Raises:
            EngineError: with the sums.
        """
        if self.limit is None or self.weights + self.largest_adapter + self.token <= self.limit:
            return
        adapter = f" and the largest adapter {shown(self.largest_adapter)}" if self.largest_adapter else ""
        hint = "Use a smaller model, or a machine with more memory."
        if smaller is not None and smaller.weights + self.largest_adapter <= self.limit:
            hint = f"As nf4 its weights would take about {shown(smaller.weights)}."
        raise EngineError(
            f"{self.what} does not fit into memory: its weights take about {shown(self.weights)} as {self.kind}"
            f"{adapter}, and there are {shown(self.limit)} {self.where}. {hint}"
        )

    def check_batch(self, rows: int, width: int, held_tokens: int = 0) -> None:
        """Refuse a batch whose cache cannot fit beside what is loaded, before it takes the memory.

        ``held_tokens`` are kept beside it for other rows.

        Raises:
            MemoryError: with the sums.
        """
        needed = self.weights + self.largest_adapter + (rows * width + held_tokens) * self.token
        if self.limit is not None and needed > self.limit:
            raise MemoryError(
                f"{rows} rows of {width} tokens need {shown(needed)} with the weights, of {shown(self.limit)} "
                f"{self.where}"
            )


def memory_of(
    target: Target, folder: Path, adapters: Iterable[Path], settings: LocalSettings, device: str,
    quantisation: Quantisation | None = None,
) -> Memory:  # fmt: skip
    """What the target's model will take with the largest of ``adapters`` that are held at once.

    ``quantisation`` in place of the target's own.
    """
    held = quantisation or target.quantisation
    sizes = sorted((adapter_bytes(adapter) for adapter in adapters), reverse=True)[: settings.max_adapters]
    limit, where = limit_of(settings, device)
    return Memory(
        what=f"Model {target.model.shown!r}",
        kind=held.kind,
        weights=weight_bytes(folder, held, compute_dtype(held, device)),
        adapters=sum(sizes),
        largest_adapter=max(sizes, default=0),
        token=token_bytes(folder, target.model.trust_remote_code, compute_dtype(held, device)),
        batch_tokens=settings.token_bound(device),
        limit=limit,
        where=where,
    )


def weight_bytes(folder: Path, quantisation: Quantisation, dtype: str) -> int:
    """What the tensors of a model's folder take as they will be held."""
    return sum(
        _held(name, shape, quantisation, BYTES[dtype])
        for file in sorted(folder.glob("*.safetensors"))
        for name, shape in tensor_shapes(file).items()
    )


def adapter_bytes(folder: Path) -> int:
    """What an adapter takes: peft holds it in fp32."""
    return sum(4 * prod(shape) for shape in tensor_shapes(folder / "adapter_model.safetensors").values())


def token_bytes(folder: Path, trust_remote_code: bool, dtype: str) -> int:
    """The keys and values of one token in all layers; 0 where the config does not say."""
    from transformers import AutoConfig

    try:
        config: Any = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=trust_remote_code)
        config = config.get_text_config()
        heads = int(config.num_attention_heads)
        size = int(getattr(config, "head_dim", None) or config.hidden_size // heads)
        shared = int(getattr(config, "num_key_value_heads", None) or heads)
        return 2 * int(config.num_hidden_layers) * shared * size * BYTES[dtype]
    except Exception:  # whatever is wrong with the config is for the loader to say
        return 0


def limit_of(settings: LocalSettings, device: str) -> tuple[int | None, str]:
    """All the memory there is for the model, in bytes, and whose it is."""
    if settings.memory_limit_mib is not None:
        return settings.memory_limit_mib << 20, "by memory_limit_mib"
    if device == "cuda":
        totals = gpu_totals()
        return sum(totals), "on the GPU" if len(totals) == 1 else f"on {len(totals)} GPUs"
    return ram_total(), "of RAM here"


def gpu_totals() -> tuple[int, ...]:
    """The memory of every CUDA device, in bytes."""
    import torch

    return tuple(torch.cuda.get_device_properties(index).total_memory for index in range(torch.cuda.device_count()))


def ram_total(group: Path = Path("/sys/fs/cgroup/memory.max")) -> int | None:
    """The machine's memory in bytes, or what its container may use; None where nobody says."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    try:
        bound = group.read_text(encoding="ascii").strip()
    except OSError:
        return total
    return min(total, int(bound)) if bound.isdigit() else total


def device_map(device: str, weights: int, totals: tuple[int, ...]) -> dict[str, str] | str:
    """Where the layers go: all on one device, unless they fill more than one GPU and there are several."""
    if device == "cuda" and len(totals) > 1 and weights > SHARE_FOR_WEIGHTS * totals[0]:
        return "auto"
    return {"": device}


def shown(size: int) -> str:
    """``5.1 GiB`` or ``12 MiB``, never less than 1 MiB unless it is nothing."""
    if size >= 1 << 30:
        return f"{size / (1 << 30):.1f} GiB"
    return f"{ceil(size / (1 << 20))} MiB"


def _held(name: str, shape: tuple[int, ...], quantisation: Quantisation, plain: int) -> int:
    count, kind = prod(shape), quantisation.kind
    is_linear = len(shape) == 2 and name.endswith(".weight") and not any(part in name for part in UNQUANTISED)
    if kind not in QUANTISED or not is_linear:
        return count * plain
    if kind in FOUR_BIT:
        blocks = ceil(count / BLOCK)
        scales = blocks + 4 * ceil(blocks / 256) if quantisation.double_quant else 4 * blocks
        return ceil(count / 2) + scales
    return count + 4 * shape[0]
