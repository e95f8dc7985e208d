"""Checks, without torch, that a model's or an adapter's folder is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evalkit.errors import EngineError

TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt", "tekken.json")
LONGEST_HEADER = 100_000_000
"""The largest header that safetensors itself accepts, in bytes."""


def check_model_folder(folder: Path, what: str) -> None:
    """Nothing, if the folder holds a config, whole safetensors weights and a tokenizer.

    ``what`` starts the sentence, such as ``Model 'demo'``.

    Raises:
        EngineError: what is missing or broken.
    """
    _check_exists(folder, what)
    config = read_json(folder / "config.json", what, "Is this an adapter's folder, or an unfinished copy?")
    quantised = config.get("quantization_config")
    if quantised:
        method = quantised.get("quant_method", "unknown") if isinstance(quantised, dict) else "unknown"
        raise EngineError(
            f"{what} is already quantised ({method}), so a quantisation of the target's would not be what its label "
            "says. Use the unquantised weights."
        )
    _check_shards(folder, what)
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise EngineError(f"{what} has no tokenizer in {folder}. Copy tokenizer.json there, from its base if need be.")


def check_adapter_folder(folder: Path, what: str) -> None:
    """Nothing, if the folder holds an adapter config and whole safetensors weights.

    Raises:
        EngineError: what is missing or broken.
    """
    _check_exists(folder, what)
    read_json(folder / "adapter_config.json", what, "Is this a checkpoint of a whole model?")
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise EngineError(
            f"{what} has no adapter_model.safetensors in {folder}. evalkit loads adapters from safetensors only: "
            "save it again with peft's save_pretrained."
        )
    check_safetensors(weights, what)


def check_safetensors(file: Path, what: str) -> None:
    """Nothing, if the file is as long as its header says.

    Raises:
        EngineError: the file is cut short or is no safetensors file.
    """
    size = file.stat().st_size
    expected = _expected_size(file)
    if expected is None:
        raise EngineError(f"{what}: {file.name} is no safetensors file. Download or copy it again.")
    if expected != size:
        raise EngineError(
            f"{what}: {file.name} is corrupt: its header promises {expected} bytes and it has {size}. "
            "Download or copy it again."
        )


def read_json(file: Path, what: str, hint: str) -> dict[str, Any]:
    """The JSON mapping in a file that must be there; ``hint`` ends the sentence if it is not.

    Raises:
        EngineError: the file is missing or holds no JSON mapping.
    """
    if not file.is_file():
        raise EngineError(f"{what} has no {file.name} in {file.parent}. {hint}")
    try:
        data = json.loads(file.read_bytes())
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise EngineError(f"{what}: {file.name} is not a JSON mapping. Download or copy it again.")
    return data


def _check_exists(folder: Path, what: str) -> None:
    if not folder.is_dir():
        raise EngineError(f"{what}: there is no folder {folder}.")


def _check_shards(folder: Path, what: str) -> None:
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        weight_map = read_json(index, what, "").get("weight_map")
        shards = sorted(set(weight_map.values())) if isinstance(weight_map, dict) else []
        missing = [name for name in shards if not (folder / name).is_file()]
        if missing:
            raise EngineError(
                f"{what} is incomplete: {missing[0]} is named in {index.name} and missing "
                f"({len(missing)} of {len(shards)} files). Download or copy it again."
            )
    shards = sorted(file.name for file in folder.glob("*.safetensors"))
    if not shards:
        raise EngineError(
            f"{what} has no .safetensors file in {folder}. evalkit loads safetensors only: "
            "load the model once with transformers and save it with save_pretrained."
        )
    for name in shards:
        check_safetensors(folder / name, what)


def tensor_shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor of a whole safetensors file, from its header."""
    with file.open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    return {name: tuple(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__"}


def _expected_size(file: Path) -> int | None:
    """The file's length by its own header; None if it has none. Format: 8 bytes little-endian length, JSON, data."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= LONGEST_HEADER:
            return None
        header = stream.read(length)
    try:
        tensors = json.loads(header)
        ends = [int(tensor["data_offsets"][1]) for name, tensor in tensors.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return 8 + length if len(header) < length else None
    return 8 + length + max(ends, default=0)
