"""Which adapters can share a base, and whether one that was loaded took."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evalkit.errors import EngineError

CHANGES_BASE = ("pissa", "olora", "corda", "loftq")
"""Starting values of LoRA that rewrite the base's own weights when the adapter is loaded."""
APART = ("use_dora", "modules_to_save", "trainable_token_indices", "target_parameters", "alora_invocation_tokens")
"""Fields of a LoRA's config with which its rows are not mixed with others in one batch."""


def read_config(folder: Path, what: str) -> Any:
    """The adapter's config, of a kind that leaves the base alone; peft is imported.

    Raises:
        EngineError: peft cannot use it, or it would change the base for other targets.
    """
    from peft import PeftConfig

    try:
        config = PeftConfig.from_pretrained(str(folder))
    except Exception as error:
        raise EngineError(f"{what}: adapter_config.json cannot be used: {first_line(error)}") from error
    _check_kind(config, what)
    config.inference_mode = True
    return config


def kind_of(config: Any) -> str:
    """peft's name of the method, such as ``LORA``."""
    return str(getattr(config.peft_type, "value", config.peft_type))


def is_mixable(config: Any) -> bool:
    """peft mixes plain LoRA in one batch; DoRA it refuses, and whole trained modules are not worth the doubt."""
    return kind_of(config) == "LORA" and not any(getattr(config, name, None) for name in APART)


def check_took(network: Any, report: Any, name: str, what: str) -> None:
    """An adapter that is silently ignored gives plausible numbers, so every one must be seen in the model.

    Raises:
        EngineError: tensors without a place, tensors that are missing, nothing changed, or no numbers.
    """
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
    trained_otherwise = any("modules_to_save" in key or "trainable_tokens" in key for key in mine)
    if second and not trained_otherwise and not any(bool(value.any()) for value in second):
        raise EngineError(f"{what} changes nothing: every lora_B is zero. Was it saved before training?")


def first_line(error: Exception) -> str:
    """The error's class and the start of what it says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:2])}" if lines else type(error).__name__


def _check_kind(config: Any, what: str) -> None:
    """Refuse what cannot share a base with other targets, or what this engine does not run."""
    start = getattr(config, "init_lora_weights", None)
    if config.is_prompt_learning or config.is_adaption_prompt:
        raise EngineError(
            f"{what} is of kind {kind_of(config)}, which the local engine does not run. Use a LoRA-like adapter."
        )
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
