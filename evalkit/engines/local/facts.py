"""What about a target can change its text, known without loading weights; and what is recorded beside each answer."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from evalkit.engines.local.settings import LocalSettings
from evalkit.engines.local.sources import Sources
from evalkit.errors import EngineError
from evalkit.target import Quantisation, Settings, Target

FOUR_BIT = ("nf4", "fp4")
QUANTISED = (*FOUR_BIT, "int8")
PACKAGES = ("bitsandbytes", "peft", "torch", "transformers")


def identity_facts(target: Target, settings: LocalSettings, sources: Sources) -> Settings:
    """The facts, sorted by name. torch is imported only if the machine may have a CUDA device.

    Raises:
        EngineError: weights, adapter, device or quantisation cannot be used.
    """
    device = device_type(settings)
    quantisation = target.quantisation
    facts: dict[str, object] = {
        "adapters": tuple(sources.digest(adapter) for adapter in target.adapters),
        "compute_dtype": compute_dtype(quantisation, device),
        "device": device,
        "quantisation": quantisation.kind,
        "trust_remote_code": target.model.trust_remote_code,
        "weights": sources.digest(target.model),
    }
    if target.merged:
        facts["merged"] = True
    if quantisation.kind in FOUR_BIT:
        facts["double_quant"] = quantisation.double_quant
    if quantisation.kind == "int8":
        facts["int8_threshold"] = float(quantisation.int8_threshold)
    path = cpu_four_bit_path(quantisation, device)
    if path is not None:
        facts["cpu_4bit_path"] = path
    return tuple(sorted(facts.items()))


def device_type(settings: LocalSettings) -> str:
    """``cpu`` or ``cuda``.

    Raises:
        EngineError: cuda is asked for and there is none.
    """
    if settings.device == "cpu":
        return "cpu"
    if may_have_cuda():
        import torch

        if torch.cuda.is_available():
            return "cuda"
    if settings.device == "cuda":
        raise EngineError("Device 'cuda' is asked for, and torch finds no CUDA device here. Use 'auto' or 'cpu'.")
    return "cpu"


def may_have_cuda(devices: Path = Path("/dev")) -> bool:
    """Whether it is worth importing torch to ask: the driver's files are there and no one has hidden the devices."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1"):
        return False
    return any(any(devices.glob(pattern)) for pattern in ("nvidia[0-9]*", "dxg", "kfd"))


def compute_dtype(quantisation: Quantisation, device: str) -> str:
    """What the arithmetic is done in: the weights' own dtype, or for quantised ones fp32 on CPU and bf16 on CUDA.

    Raises:
        EngineError: a compute dtype is named for weights that are not quantised.
    """
    if quantisation.kind in QUANTISED:
        return quantisation.compute_dtype or ("bf16" if device == "cuda" else "fp32")
    if quantisation.compute_dtype not in (None, quantisation.kind):
        raise EngineError(
            f"Quantisation {quantisation.name!r}: {quantisation.kind} computes in {quantisation.kind}; "
            f"found compute_dtype {quantisation.compute_dtype!r}, which only nf4, fp4 and int8 take."
        )
    return quantisation.kind


def cpu_four_bit_path(quantisation: Quantisation, device: str) -> str | None:
    """How 4-bit weights are multiplied on a CPU, for provenance and identity; None where they are not.

    ``dequantise``: to the compute dtype, then an ordinary product, the same on every CPU. bitsandbytes' own kernel for
    avx512_bf16 is not used (see ``weights.without_packing``).
    """
    return "dequantise" if device == "cpu" and quantisation.kind in FOUR_BIT else None


def int8_note(quantisation: Quantisation) -> str | None:
    """Whether a row of int8 weights stands alone, for provenance: outliers are found over the whole batch."""
    if quantisation.kind != "int8":
        return None
    threshold = float(quantisation.int8_threshold)
    alone = "rows stand alone" if threshold == 0 else "a row's text may depend on its neighbours"
    return f"{threshold}: {alone}"


def package_versions() -> dict[str, str]:
    """The installed versions of what generates, without importing any of it."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
