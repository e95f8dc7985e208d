"""Whether every token that can occur has a row in the embeddings, and means the same to adapter and base."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from evalkit.engines.local.preflight.adapter_file import PREFIX, AdapterFile
from evalkit.engines.local.preflight.outline import Outline, read_mapping
from evalkit.engines.local.preflight.written import adapter_template
from evalkit.preflight import Finding

OF_MEDIA = re.compile(r"image|img|audio|video|vision|speech", re.IGNORECASE)
"""Placeholders of media never occur in a text; Gemma 3's text models have one without a row."""


def check_tokens(outline: Outline, adapters: tuple[AdapterFile, ...]) -> Finding:
    """The base's own tokens first, then those that each adapter brings."""
    unsized = {
        token: number for token, number in outline.tokenizer.get_vocab().items()
        if number >= outline.rows and not OF_MEDIA.search(token)
    }  # fmt: skip
    if unsized:
        first = _first(unsized)
        return Finding(
            "tokens", "fail",
            f"The tokenizer of {outline.shown!r} knows {_counted(unsized)} beyond the {outline.rows} rows of its "
            f"embeddings (first: {first!r}, id {unsized[first]}), so a prompt with one cannot be run. Resize the "
            "embeddings and save the model again, or use the tokenizer that belongs to these weights.",
        )  # fmt: skip
    found = [finding for adapter in adapters if (finding := _of_adapter(adapter, outline)) is not None]
    for level in ("fail", "warn"):
        for finding in found:
            if finding.level == level:
                return finding
    return Finding(
        "tokens", "pass", f"The {len(outline.tokenizer)} tokens fit into the {outline.rows} rows of the embeddings."
    )


def _of_adapter(adapter: AdapterFile, outline: Outline) -> Finding | None:
    return _resized(adapter, outline) or _overwriting(adapter, outline) or _unknown(adapter, outline)


def _resized(adapter: AdapterFile, outline: Outline) -> Finding | None:
    """Embeddings of another size than the base's, or trained rows that the base does not have."""
    for name in (*adapter.misshapen, *adapter.whole_tensors):
        own, place = tuple(adapter.tensors[name].shape), adapter.wanted.get(name) or adapter.of_base[name]
        if "lora_" not in name and own[1:] == place[1:] and own[0] != place[0]:
            return _fail(
                f"The {adapter.what} holds a {_short(name)} of {own[0]} rows, and that of {outline.shown!r} has "
                f"{place[0]}: its base was resized for more tokens. Name the resized model it was trained on."
            )
    indices = getattr(adapter.config, "trainable_token_indices", None) or ()
    numbers = [number for chosen in indices.values() for number in chosen] if isinstance(indices, dict) else indices
    beyond = sorted(number for number in numbers if number >= outline.rows)
    if beyond:
        return _fail(
            f"The {adapter.what} trained the token {beyond[0]}, and the embeddings of {outline.shown!r} have "
            f"{outline.rows} rows. Name the resized model it was trained on."
        )
    return None


def _overwriting(adapter: AdapterFile, outline: Outline) -> Finding | None:
    """Whole tensors of the base in the adapter's file would be written over the base that other targets share."""
    changed = [name for name in adapter.whole_tensors if not _is_as_in_base(adapter, name, outline)]
    if not changed:
        return None
    return _fail(
        f"The {adapter.what} holds {_short(changed[0])} of its base as a whole, and not as {outline.shown!r} has it: "
        "it would be written over the base that other targets share. Merge it into a model of its own and name that as "
        "the target's model."
    )


def _unknown(adapter: AdapterFile, outline: Outline) -> Finding | None:
    """Tokens of the tokenizer in the adapter's folder that the base's tokenizer, which is the one used, lacks."""
    settings = read_mapping(adapter.folder / "tokenizer_config.json")
    vocabulary = outline.tokenizer.get_vocab()
    padding = _content(settings.get("pad_token"))
    unknown = {
        token: number for token, number in _added_tokens(adapter.folder).items()
        if vocabulary.get(token) != number and token != padding and not OF_MEDIA.search(token)
    }  # fmt: skip
    if not unknown:
        return None
    first = _first(unknown)
    used = f"{adapter_template(adapter.folder) or ''}{_content(settings.get('eos_token'))}"
    told = f"The tokenizer beside {adapter.what} has {_counted(unknown)} that {outline.shown!r} lacks (first: {first!r}"
    if unknown[first] >= outline.rows or max(unknown.values()) >= outline.rows:
        return _fail(
            f"{told}, id {unknown[first]}), and the base's embeddings have {outline.rows} rows: it was trained on a "
            "resized model. Name that model."
        )
    remedy = "Copy the adapter's tokenizer files into the model's folder."
    if any(token in used for token in unknown):
        return _fail(f"{told}, id {unknown[first]}), and its prompts were made of them in training. {remedy}")
    sentence = f"{told}, id {unknown[first]}); here they are cut into pieces. {remedy}"
    return Finding("tokens", "warn", sentence)


def _is_as_in_base(adapter: AdapterFile, name: str, outline: Outline) -> bool:
    """Whether a whole tensor in the adapter's file is what the base holds anyway, tied embeddings included."""
    own = _short(name).replace(".base_layer.", ".")
    is_tied = own.endswith("lm_head.weight") and outline.config.get_text_config().tie_word_embeddings
    for file in sorted(outline.folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            for there in tensors.keys():  # noqa: SIM118 (safe_open is no mapping)
                if there == own or (is_tied and there.endswith("embed_tokens.weight")):
                    value = tensors.get_tensor(there)
                    return bool(torch.equal(adapter.tensors[name].to(value.dtype), value))
    return False


def _added_tokens(folder: Path) -> dict[str, int]:
    added = read_mapping(folder / "tokenizer.json").get("added_tokens") or ()
    listed = {token["content"]: token["id"] for token in added if isinstance(token, dict)}
    more = {name: number for name, number in read_mapping(folder / "added_tokens.json").items() if type(number) is int}
    return {**listed, **more}


def _content(token: Any) -> str:
    """A token as tokenizer_config.json writes it: a text, or a mapping with its content."""
    return str(token.get("content", "")) if isinstance(token, dict) else str(token or "")


def _first(tokens: Mapping[str, int]) -> str:
    return min(tokens, key=lambda token: tokens[token])


def _counted(tokens: Mapping[str, int]) -> str:
    return f"{len(tokens)} token" if len(tokens) == 1 else f"{len(tokens)} tokens"


def _short(name: str) -> str:
    return name.removeprefix(PREFIX)


def _fail(sentence: str) -> Finding:
    return Finding("tokens", "fail", sentence)
