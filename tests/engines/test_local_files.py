"""Every way a model's or adapter's folder can be broken has its own sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.engines.local.files import check_adapter_folder, check_model_folder
from evalkit.errors import EngineError
from evalkit.target import Adapter


def break_config(folder: Path) -> None:
    (folder / "config.json").write_text("[1]")


def quantise_config(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"quantization_config": {"quant_method": "gptq"}}))


def cut_weights(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:5000])


def garble_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x00" * 100)


def lose_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")


MODEL_FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (shutil.rmtree, "Model 'm': there is no folder {folder}."),
    (
        lambda folder: (folder / "config.json").unlink(),
        "Model 'm' has no config.json in {folder}. Is this an adapter's folder, or an unfinished copy?",
    ),
    (break_config, "Model 'm': config.json is not a JSON mapping. Download or copy it again."),
    (
        quantise_config,
        "Model 'm' is already quantised (gptq), so a quantisation of the target's would not be what its label says. "
        "Use the unquantised weights.",
    ),
    (
        lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
        "Model 'm' has no .safetensors file in {folder}. evalkit loads safetensors only: load the model once with "
        "transformers and save it with save_pretrained.",
    ),
    (
        cut_weights,
        "Model 'm': model.safetensors is corrupt: its header promises {size} bytes and it has 5000. "
        "Download or copy it again.",
    ),
    (garble_weights, "Model 'm': model.safetensors is no safetensors file. Download or copy it again."),
    (
        lose_shard,
        "Model 'm' is incomplete: model-00002-of-00002.safetensors is named in model.safetensors.index.json and "
        "missing (1 of 2 files). Download or copy it again.",
    ),
    (
        lambda folder: (folder / "tokenizer.json").unlink(),
        "Model 'm' has no tokenizer in {folder}. Copy tokenizer.json there, from its base if need be.",
    ),
]


@pytest.mark.parametrize(("fault", "sentence"), MODEL_FAULTS, ids=range(len(MODEL_FAULTS)))
def test_a_broken_model_folder_is_named(
    fault: Callable[[Path], object], sentence: str, models: dict[str, Path], tmp_path: Path
) -> None:
    """Missing, corrupt, quantised and incomplete folders are told apart before anything is loaded."""
    folder = tmp_path / "copy"
    shutil.copytree(models["llama"], folder)
    size = (folder / "model.safetensors").stat().st_size
    check_model_folder(folder, "Model 'm'")
    fault(folder)

    with pytest.raises(EngineError) as caught:
        check_model_folder(folder, "Model 'm'")
    assert str(caught.value) == sentence.format(folder=folder, size=size)


ADAPTER_FAULTS: list[tuple[Callable[[Path], object], str]] = [
    (shutil.rmtree, "Adapter 'a': there is no folder {folder}."),
    (
        lambda folder: (folder / "adapter_config.json").unlink(),
        "Adapter 'a' has no adapter_config.json in {folder}. Is this a checkpoint of a whole model?",
    ),
    (
        lambda folder: (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin"),
        "Adapter 'a' has no adapter_model.safetensors in {folder}. evalkit loads adapters from safetensors only: save "
        "it again with peft's save_pretrained.",
    ),
    (
        lambda folder: (folder / "adapter_model.safetensors").write_bytes(b""),
        "Adapter 'a': adapter_model.safetensors is no safetensors file. Download or copy it again.",
    ),
]


@pytest.mark.parametrize(("fault", "sentence"), ADAPTER_FAULTS, ids=range(len(ADAPTER_FAULTS)))
def test_a_broken_adapter_folder_is_named(
    fault: Callable[[Path], object], sentence: str, adapters: dict[str, Adapter], tmp_path: Path
) -> None:
    """Missing, pickled and corrupt adapters are told apart."""
    folder = tmp_path / "copy"
    shutil.copytree(adapters["red"].location, folder)
    check_adapter_folder(folder, "Adapter 'a'")
    fault(folder)

    with pytest.raises(EngineError) as caught:
        check_adapter_folder(folder, "Adapter 'a'")
    assert str(caught.value) == sentence.format(folder=folder)


def test_a_file_cut_inside_its_header_is_corrupt(models: dict[str, Path], tmp_path: Path) -> None:
    """A download that stopped in the first kilobyte is noticed too."""
    folder = tmp_path / "copy"
    shutil.copytree(models["llama"], folder)
    file = folder / "model.safetensors"
    header = int.from_bytes(file.read_bytes()[:8], "little")
    file.write_bytes(file.read_bytes()[:100])

    with pytest.raises(EngineError) as caught:
        check_model_folder(folder, "Model 'm'")
    assert str(caught.value) == (
        f"Model 'm': model.safetensors is corrupt: its header promises {8 + header} bytes and it has 100. "
        "Download or copy it again."
    )
