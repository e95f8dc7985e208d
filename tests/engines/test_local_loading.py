"""Planted folders that cannot be loaded: each has its own sentence, before any answer is generated."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import EngineError
from evalkit.generation import Failure
from evalkit.target import Adapter


def copied(asking: Any, place: Path) -> Path:
    shutil.copytree(asking.models["llama"], place)
    return place


def sentence(asking: Any, folder: Path) -> str:
    with pytest.raises(EngineError) as caught:
        asking.engine().load(asking.target(folder), ())
    return str(caught.value)


def test_code_of_its_own_is_not_run(asking: Any, tmp_path: Path) -> None:
    """A model that brings Python files says what would run them, and its code leaves no trace."""
    folder = copied(asking, tmp_path / "coded")
    trace = tmp_path / "ran"
    (folder / "own.py").write_text(f"open({str(trace)!r}, 'w')\n")
    config = json.loads((folder / "config.json").read_text())
    config.update(model_type="own-kind", auto_map={"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"})
    (folder / "config.json").write_text(json.dumps(config))

    assert sentence(asking, folder) == (
        "Model 'coded' brings code of its own, which is not run unless its declaration in fixtures/targets.yaml says "
        "trust_remote_code: true. Read that code first."
    )
    assert not trace.exists()


def test_pickled_weights_are_not_loaded(asking: Any, tmp_path: Path) -> None:
    """A pickle can run code when it is loaded, so a folder that has nothing else is refused."""
    folder = copied(asking, tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    assert sentence(asking, folder) == (
        f"Model 'pickled' has no .safetensors file in {folder}. evalkit loads safetensors only: load the model once "
        "with transformers and save it with save_pretrained."
    )


def test_a_corrupt_shard_is_named(asking: Any, tmp_path: Path) -> None:
    """The second of two shards is cut short: its name and both lengths are told."""
    from safetensors.torch import load_file, save_file

    folder = copied(asking, tmp_path / "cut")
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    shards = {f"model-0000{number}-of-00002.safetensors": names[number - 1 :: 2] for number in (1, 2)}
    for shard, part in shards.items():
        save_file({name: tensors[name] for name in part}, folder / shard, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {name: shard for shard, part in shards.items() for name in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert asking.texts(asking.engine(), [asking.request(asking.target(folder), "one")])
    last = folder / "model-00002-of-00002.safetensors"
    size = last.stat().st_size
    last.write_bytes(last.read_bytes()[:-100])

    assert sentence(asking, folder) == (
        f"Model 'cut': model-00002-of-00002.safetensors is corrupt: its header promises {size} bytes and it has "
        f"{size - 100}. Download or copy it again."
    )


def test_a_missing_chat_template_is_said(asking: Any, tmp_path: Path) -> None:
    """A base model cannot hold a conversation."""
    folder = copied(asking, tmp_path / "bare")
    (folder / "chat_template.jinja").unlink()

    assert sentence(asking, folder) == (
        "Model 'bare' has no chat template, so a conversation cannot be put to it. Add chat_template.jinja to its "
        "folder, or use the instruction-tuned model."
    )


def test_an_adapter_of_a_wider_base_is_named(
    asking: Any, build_model: Callable[..., Path], build_adapter: Callable[..., Path], tmp_path: Path,
    chat_templates: dict[str, str],
) -> None:  # fmt: skip
    """Its rows fail with the first tensor that does not fit, alone and as a part of a stack."""
    wide = build_model(tmp_path / "wide", "llama", chat_templates["turns"], hidden_size=96)
    adapter = Adapter("wide", str(build_adapter(tmp_path / "a", wide, 1)), True, "wide")

    (reply,) = asking.answers(asking.engine(), [asking.request(asking.target(adapter=adapter), "one")])

    assert isinstance(reply, Failure)
    assert reply.reason.startswith("Adapter 'wide' does not fit this base: RuntimeError: ")
    assert "size mismatch for base_model.model.model.layers.0." in reply.reason
