"""Whether an adapter was trained at all, by what its kind starts with."""

from __future__ import annotations

import torch

from evalkit.engines.local.preflight.adapter_file import AdapterFile
from evalkit.preflight import Finding, Level

STARTS: dict[str, tuple[tuple[str, ...], float]] = {
    "LORA": (("lora_B", "lora_embedding_B"), 0.0),
    "ADALORA": (("lora_E",), 0.0),
    "IA3": (("ia3_l",), 1.0),
    "LOHA": (("hada_w2_b",), 0.0),
    "VERA": (("vera_lambda_b",), 0.0),
    "OFT": (("oft_R",), 0.0),
    "BOFT": (("boft_R",), 0.0),
    "FOURIERFT": (("fourierft_spectrum",), 0.0),
    "RANDLORA": (("randlora_lambda",), 0.0),
    "SHIRA": (("shira_weight",), 0.0),
    "MISS": (("miss_block",), 0.0),
}
"""Tensors of a kind that leave the base as it is while they hold this value, as they do before training.

Source: the ``reset_*_parameters`` of peft 0.21.2's layers. LoKr starts in one of two tensors, so its logits decide.
"""
BESIDE = ("lora_magnitude_vector", "modules_to_save", "trainable_tokens", "embed_tokens", "lm_head")
"""Parts of names of tensors that can change a text although every lora_B is zero."""


def check_training(adapter: AdapterFile) -> Finding:
    """Finds tensors that are no numbers, and those that were never trained."""
    odd = [name for name, value in adapter.tensors.items() if not bool(torch.isfinite(value).all())]
    if odd:
        return _finding(
            "fail",
            f"The {adapter.what} holds weights that are not numbers (NaN or infinite) in {len(odd)} of its "
            f"{len(adapter.tensors)} tensors. Take an earlier checkpoint.",
        )
    if adapter.kind not in STARTS:
        return _finding(
            "skip", f"What an untrained adapter of kind {adapter.kind} holds is not known here; its logits decide."
        )
    parts, start = STARTS[adapter.kind]
    mine = {name: value for name, value in adapter.tensors.items() if any(part in name for part in parts)}
    idle = [name for name, value in mine.items() if bool((value == start).all())]
    what, value = parts[0], "zero" if start == 0.0 else "one"
    if not mine:
        return _finding("skip", f"The {adapter.what} has no {what}; its logits decide.")
    if len(idle) < len(mine):
        return _partly(adapter, what, value, idle, len(mine))
    if any(part in name for name in adapter.tensors for part in BESIDE):
        return _finding(
            "warn",
            f"Every {what} of {adapter.what} is {value}, so only what was trained beside them can change a text. "
            "Make sure that it was saved after training.",
        )
    return _finding(
        "fail",
        f"The {adapter.what} was never trained: every {what} ({len(mine)}) is {value}, so its answers would be the "
        "base's. Name a checkpoint that was saved after training.",
    )


def _partly(adapter: AdapterFile, what: str, value: str, idle: list[str], count: int) -> Finding:
    if not idle:
        return _finding("pass", f"None of the {count} {what} of {adapter.what} is {value}.")
    return _finding(
        "warn",
        f"{len(idle)} of the {count} {what} of {adapter.what} are {value} (first: {sorted(idle)[0]}): nothing was "
        "learned there. Make sure that training reached these modules.",
    )


def _finding(level: Level, sentence: str) -> Finding:
    return Finding("lora_b", level, sentence)
