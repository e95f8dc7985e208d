"""What an adapter's folder says about it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.reading.places import Unusable
from evalkit.target import Adapter, Settings

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
FACTS = ("base_model_name_or_path", "lora_alpha", "peft_type", "r", "revision", "use_dora")
MLX_KEYS = ("fine_tune_type", "lora_layers", "lora_parameters", "num_layers")
SHOWN_CHECKPOINTS = 8


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """What adapter_config.json says: the base's location and revision as written there, and facts for provenance."""

    base: str | None
    revision: str | None
    facts: Settings


def read_adapter_folder(folder: Path, shown: str) -> AdapterFacts:
    """The facts of a peft adapter on this machine.

    Raises:
        Unusable: the folder is missing, holds something else, or lacks its weights.
    """
    _check_is_folder(folder, shown)
    if not (folder / CONFIG).is_file():
        raise Unusable(_without_config(folder, shown))
    config = _read_config(folder / CONFIG, shown)
    if _is_mlx(folder, config):
        raise Unusable(_mlx_sentence(shown, config.get("model")))
    if not isinstance(config.get("peft_type"), str):
        raise Unusable(
            f"{shown}/{CONFIG} names no peft_type, so this is no peft adapter. Save it with peft's save_pretrained."
        )
    _check_weights(folder, shown)
    return _facts(config, step_of(folder))


def read_hub_adapter(hub_id: str, revision: str | None) -> AdapterFacts | None:
    """The facts of a hub adapter from the local hub cache; None where it was never downloaded. Asks no network."""
    folder = cached_snapshot(hub_id, revision)
    if folder is None or not (folder / CONFIG).is_file():
        return None
    return _facts(_read_config(folder / CONFIG, hub_id), step_of(folder))


def cached_snapshot(hub_id: str, revision: str | None) -> Path | None:
    """The folder in which huggingface_hub keeps a downloaded revision.

    Source: the cache layout (refs/<revision> holds a commit, snapshots/<commit> the files) of huggingface_hub's manual.
    """
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub") / f"models--{hub_id.replace('/', '--')}"
    reference = cache / "refs" / (revision or "main")
    commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else revision
    snapshot = cache / "snapshots" / commit if commit else None
    return snapshot if snapshot is not None and snapshot.is_dir() else None


def describe_adapter(adapter: Adapter) -> str:
    """One line for a table's footer: ``steady: LoRA r=8 alpha=16 on q_proj, v_proj (fixtures/demo/adapters/steady)``.

    Facts that are not known, as for a hub adapter before its download, are left out.
    """
    facts = dict(adapter.facts)
    words = []
    if "peft_type" in facts:
        kind = "DORA" if facts.get("use_dora") else facts["peft_type"]
        words.append({"LORA": "LoRA", "DORA": "DoRA"}.get(kind, kind))
    words += [f"{label}={facts[key]}" for key, label in (("r", "r"), ("lora_alpha", "alpha")) if key in facts]
    if "target_modules" in facts:
        modules = facts["target_modules"]
        words.append(f"on {modules if isinstance(modules, str) else ', '.join(modules)}")
    if "step" in facts:
        words.append(f"at step {facts['step']}")
    where = adapter.shown if adapter.revision is None else f"{adapter.shown}@{adapter.revision}"
    return f"{adapter.name}: {' '.join([*words, f'({where})'])}"


def _facts(config: dict[str, Any], step: int | None) -> AdapterFacts:
    facts = {name: config[name] for name in FACTS if config.get(name) not in (None, False)}
    modules = config.get("target_modules")
    if modules:
        facts["target_modules"] = modules if isinstance(modules, str) else tuple(sorted(map(str, modules)))
    if step is not None:
        facts["step"] = step
    base, revision = config.get("base_model_name_or_path"), config.get("revision")
    return AdapterFacts(base or None, revision or None, tuple(sorted(facts.items())))


def step_of(folder: Path) -> int | None:
    """The training step of a checkpoint, from its folder's name or from trainer_state.json."""
    named = re.fullmatch(r"checkpoint-(\d+)", folder.name)
    if named:
        return int(named[1])
    try:
        step = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))["global_step"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return step if isinstance(step, int) else None


def _check_is_folder(folder: Path, shown: str) -> None:
    if folder.is_file():
        raise Unusable(f"{shown} is a file. Name the folder that holds {CONFIG} and {WEIGHTS}.")
    if not folder.is_dir():
        raise Unusable(f"no folder {shown} (looked for {folder}). Name the folder that holds {CONFIG}.")


def _read_config(path: Path, shown: str) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unusable(f"{shown}/{CONFIG} cannot be read as JSON: {error}") from error
    if not isinstance(config, dict):
        raise Unusable(f"{shown}/{CONFIG}: expected a JSON object, found {type(config).__name__}.")
    return config


def _without_config(folder: Path, shown: str) -> str:
    checkpoints = sorted(
        (child.name for child in folder.glob("checkpoint-*") if (child / CONFIG).is_file()),
        key=lambda name: (len(name), name),
    )
    if checkpoints:
        listed = ", ".join(checkpoints[:SHOWN_CHECKPOINTS])
        rest = len(checkpoints) - SHOWN_CHECKPOINTS
        more = f" and {rest} more" if rest > 0 else ""
        return (
            f"{shown} holds no adapter itself but {len(checkpoints)} checkpoints: {listed}{more}. "
            f"Name one, for example {shown}/{checkpoints[-1]}."
        )
    if (folder / "adapters.safetensors").is_file():
        return _mlx_sentence(shown, None)
    if (folder / "config.json").is_file():
        return f"{shown} is a whole model (config.json, no {CONFIG}), not an adapter. Use it as --eval-model {shown}."
    return f"{shown} holds no {CONFIG}, so it is no peft adapter. Name the folder that peft's save_pretrained wrote."


def _is_mlx(folder: Path, config: dict[str, Any]) -> bool:
    if config.get("peft_type"):
        return False
    return (folder / "adapters.safetensors").is_file() or any(key in config for key in MLX_KEYS)


def _mlx_sentence(shown: str, base: Any) -> str:
    return (
        f"{shown} is an adapter in MLX format (adapters.safetensors, no peft_type), which peft cannot load. "
        f"Merge it with: mlx_lm.fuse --model {base if isinstance(base, str) else 'BASE'} --adapter-path {shown} "
        f"--save-path FOLDER, and use --eval-model FOLDER; or train it with peft."
    )


def _check_weights(folder: Path, shown: str) -> None:
    if (folder / WEIGHTS).is_file():
        return
    if (folder / "adapter_model.bin").is_file():
        raise Unusable(
            f"{shown} holds its weights as adapter_model.bin, a pickle that can run code when loaded. "
            f"Save it again with peft's save_pretrained, which writes {WEIGHTS}."
        )
    raise Unusable(f"{shown} has {CONFIG} but not its weights: {WEIGHTS} is missing. Copy it there.")
