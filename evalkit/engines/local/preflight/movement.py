"""Whether an adapter moves the logits of the loaded base at all."""

from __future__ import annotations

from pathlib import Path

import torch

from evalkit.engines.local.adapters import AdapterRack, FolderOf
from evalkit.engines.local.preflight.outline import read_mapping
from evalkit.engines.local.weights import Weights
from evalkit.preflight import Finding
from evalkit.target import Adapter, Target

PROBE = (("user", "What is the capital of France, and why do people go there?"),)
LONGEST = 128
"""Tokens of the probe at most."""
ROUNDING = {"fp32": 1e-6, "fp16": 2e-3, "bf16": 1e-2}
"""Differences below this share of the largest logit are the arithmetic's, not the adapter's."""


def check_movement(target: Target, weights: Weights, rack: AdapterRack, folder_of: FolderOf) -> Finding:
    """Each adapter alone, then all as the target has them; the one that moves least is told.

    Raises:
        EngineError: an adapter cannot be put on the base.
    """
    ids = _probe(target, weights, folder_of)
    chosen: list[tuple[tuple[Adapter, ...], bool]] = [((adapter,), False) for adapter in target.adapters]
    if target.merged or len(chosen) > 1:
        chosen.append((target.adapters, target.merged))
    base = _logits(ids, weights, rack, None)
    largest = float(base.abs().max())
    found = [_finding(*pair, base, largest, ids, weights, rack, folder_of) for pair in chosen]
    return min(found, key=lambda finding: ("fail", "warn", "pass").index(finding.level))


def _finding(
    adapters: tuple[Adapter, ...], merged: bool, base: torch.Tensor, largest: float, ids: tuple[int, ...],
    weights: Weights, rack: AdapterRack, folder_of: FolderOf,
) -> Finding:  # fmt: skip
    moved = float((_logits(ids, weights, rack, rack.mount(adapters, merged, folder_of)) - base).abs().max())
    names = " and ".join(repr(adapter.shown) for adapter in adapters)
    what = f"adapter{'s' if len(adapters) > 1 else ''} {names}{', merged,' if merged else ''}"
    verb = "move" if len(adapters) > 1 else "moves"
    if not moved:
        verb = "change nothing" if len(adapters) > 1 else "changes nothing"
        return Finding(
            "logits", "fail",
            f"The {what} {verb}: with and without, the logits of {len(ids)} tokens are the same. "
            "Leave it out, or name a checkpoint that learned something.",
        )  # fmt: skip
    if moved <= ROUNDING.get(weights.dtype, 0.0) * largest:
        return Finding(
            "logits", "warn",
            f"The {what} {verb} the logits by {moved:.1g} at most, which is no more than rounding does. "
            "Make sure that training did anything.",
        )  # fmt: skip
    return Finding("logits", "pass", f"The {what} {verb} the logits by up to {moved:.2g}.")


def _probe(target: Target, weights: Weights, folder_of: FolderOf) -> tuple[int, ...]:
    """A short prompt, and the tokens that some adapters only act on."""
    ids = weights.renderer.prompt_ids(PROBE)[: LONGEST // 2]
    more: list[int] = []
    for adapter in target.adapters:
        more += _own_tokens(folder_of(adapter))
    return (*ids, *more[: LONGEST - len(ids)])


def _own_tokens(folder: Path) -> list[int]:
    config = read_mapping(folder / "adapter_config.json")
    indices = config.get("trainable_token_indices") or []
    chosen = [number for part in indices.values() for number in part] if isinstance(indices, dict) else indices
    return [*chosen, *(config.get("alora_invocation_tokens") or [])]


def _logits(ids: tuple[int, ...], weights: Weights, rack: AdapterRack, name: str | None) -> torch.Tensor:
    """Those of every token, of shape (tokens, vocabulary), in fp32 on the CPU."""
    with torch.inference_mode(), rack.applied([name]):
        inputs = torch.tensor([ids], device=weights.device)
        logits: torch.Tensor = rack.network(input_ids=inputs, use_cache=False).logits
    return logits[0].float().cpu()
