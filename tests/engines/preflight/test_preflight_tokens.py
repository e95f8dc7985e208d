"""Tokens of base and adapter: planted faults and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalkit.target import Adapter


def test_tokens_without_a_row(clinic: Any, base: Path) -> None:
    """A prompt with such a token would crash, on a GPU the whole process."""
    clinic.add_tokens(base, "<one_that_has_a_row>", "<tool>", "<end_of_tool>")

    assert clinic.failed(clinic.found(clinic.target(base))) == {
        "tokens": "The tokenizer of 'sound' knows 2 tokens beyond the 320 rows of its embeddings (first: '<tool>', id "
        "320), so a prompt with one cannot be run. Resize the embeddings and save the model again, or use the "
        "tokenizer that belongs to these weights."
    }


def test_placeholders_of_media_need_no_row(clinic: Any, base: Path) -> None:
    """Gemma 3's text models are published with one."""
    clinic.add_tokens(base, "<one_that_has_a_row>", "<image_soft_token>")

    assert clinic.failed(clinic.found(clinic.target(base))) == {}


def test_an_adapters_own_tokens(clinic: Any, base: Path, tuned: Adapter) -> None:
    """Those that the base has are fine, also one for padding; others were trained on a resized model."""
    folder = clinic.beside(base, tuned)
    same = clinic.found(clinic.target(base, tuned))
    clinic.beside(base, tuned, "<more_padding>")
    clinic.edit(folder / "tokenizer_config.json", pad_token="<more_padding>")
    padding = clinic.found(clinic.target(base, tuned))
    clinic.beside(base, tuned, "<one_that_has_a_row>", "<tool>")

    assert clinic.failed(same) == clinic.failed(padding) == {}
    assert clinic.failed(clinic.found(clinic.target(base, tuned))) == {
        "tokens": "The tokenizer beside adapter 'red' has 2 tokens that 'sound' lacks (first: '<one_that_has_a_row>', "
        "id 319), and the base's embeddings have 320 rows: it was trained on a resized model. Name that model."
    }


def test_an_adapters_own_tokens_that_have_a_row(
    clinic: Any, build_model: Callable[..., Path], build_adapter: Callable[..., Path], tmp_path: Path,
    chat_templates: dict[str, str],
) -> None:  # fmt: skip
    """The base's tokenizer would cut them into pieces: told, and refused where prompts were made of them."""
    roomy = build_model(tmp_path / "roomy", "llama", chat_templates["with_system"], vocab_size=384)
    tuned = clinic.adapter(build_adapter(tmp_path / "red", roomy, 1))
    folder = clinic.beside(roomy, tuned, "<tool>")
    told = clinic.found(clinic.target(roomy, tuned))["tokens"]
    (folder / "chat_template.jinja").write_text(chat_templates["with_system"] + "{# <tool> #}")

    lacks = "The tokenizer beside adapter 'red' has 1 token that 'roomy' lacks (first: '<tool>', id 319)"
    remedy = "Copy the adapter's tokenizer files into the model's folder."
    assert (told.level, told.sentence) == ("warn", f"{lacks}; here they are cut into pieces. {remedy}")
    assert clinic.failed(clinic.found(clinic.target(roomy, tuned))) == {
        "tokens": f"{lacks}, and its prompts were made of them in training. {remedy}"
    }


def test_an_adapter_with_resized_embeddings(clinic: Any, base: Path, tuned: Adapter) -> None:
    """peft would fail on them much later, or not at all."""
    import torch

    name = "base_model.model.model.embed_tokens.weight"
    clinic.rewrite(Path(tuned.location), lambda tensors: tensors.update({name: torch.ones(322, 64)}))

    assert clinic.failed(clinic.found(clinic.target(base, tuned))) == {
        "tokens": "The adapter 'red' holds a model.embed_tokens.weight of 322 rows, and that of 'sound' has 320: its "
        "base was resized for more tokens. Name the resized model it was trained on."
    }


def test_an_adapter_with_the_bases_own_tensors(clinic: Any, base: Path, tuned: Adapter) -> None:
    """Equal to the base's they change nothing; others would be written over the base for every target."""
    from safetensors.torch import load_file

    embeddings = load_file(base / "model.safetensors")["model.embed_tokens.weight"]
    name = "base_model.model.model.embed_tokens.weight"
    clinic.rewrite(Path(tuned.location), lambda tensors: tensors.update({name: embeddings.clone()}))
    equal = clinic.found(clinic.target(base, tuned))
    clinic.rewrite(Path(tuned.location), lambda tensors: tensors.update({name: embeddings + 1}))

    assert clinic.failed(equal) == {}
    assert clinic.failed(clinic.found(clinic.target(base, tuned))) == {
        "tokens": "The adapter 'red' holds model.embed_tokens.weight of its base as a whole, and not as 'sound' has "
        "it: it would be written over the base that other targets share. Merge it into a model of its own and name "
        "that as the target's model."
    }


def test_a_tied_output_layer_is_the_bases_embeddings(
    clinic: Any, build_model: Callable[..., Path], build_adapter: Callable[..., Path], tmp_path: Path,
    chat_templates: dict[str, str],
) -> None:  # fmt: skip
    """The base's file has it under the other name."""
    from safetensors.torch import load_file

    tied = build_model(tmp_path / "tied", "llama", chat_templates["turns"], tie_word_embeddings=True)
    tuned = clinic.adapter(build_adapter(tmp_path / "red", tied, 1))
    embeddings = load_file(tied / "model.safetensors")["model.embed_tokens.weight"]
    name = "base_model.model.lm_head.weight"
    clinic.rewrite(Path(tuned.location), lambda tensors: tensors.update({name: embeddings.clone()}))

    assert clinic.failed(clinic.found(clinic.target(tied, tuned))) == {}


def test_embeddings_that_lora_targets_are_saved_whole(
    clinic: Any, base: Path, build_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    """peft writes the base's own embeddings into such an adapter's file; they are equal, so nothing is wrong."""
    modules = ["q_proj", "embed_tokens"]
    tuned = clinic.adapter(build_adapter(tmp_path / "whole", base, 1, target_modules=modules))

    assert clinic.failed(clinic.found(clinic.target(base, tuned))) == {}
