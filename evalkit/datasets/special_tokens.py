"""The special tokens of a run's own tokenizers, beside the markers that every template may leak."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from evalkit.judging.template_leak import mentions_template
from evalkit.target import Target

THINKING = ("<think>", "</think>")
"""Some tokenizers call these special; kept thinking is written between them."""


def special_tokens(targets: Iterable[Target | str]) -> tuple[str, ...]:
    """What the local models among these mark as special and ``mentions_template`` does not know, sorted.

    A model on the hub is looked up in the local cache; where there is no tokenizer.json, nothing is known of it.
    """
    files = {file for target in targets if isinstance(target, Target) and (file := _file(target)) is not None}
    every = {token for file in files for token in _special(file)}
    return tuple(sorted(token for token in every if not mentions_template(token)))


def _file(target: Target) -> Path | None:
    model = target.model
    if model.served is not None or target.engine.is_server:
        return None
    if model.is_local:
        return Path(model.location) / "tokenizer.json"
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(model.location, "tokenizer.json", revision=model.revision)
    return Path(found) if isinstance(found, str) else None


def _special(file: Path) -> list[str]:
    try:
        added = json.loads(file.read_text(encoding="utf-8"))["added_tokens"]
        tokens = [str(token["content"]) for token in added if token.get("special")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return [token for token in tokens if token not in THINKING and not token.isalnum() and len(token.strip()) > 2]
