"""A base model without its weights: its modules and their shapes, its tokenizer, what its files say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from evalkit.engines.local.adapter_checks import first_line
from evalkit.errors import EngineError
from evalkit.target import Model


@dataclass(frozen=True, slots=True)
class Outline:
    """What is known of a base in seconds, however large it is. ``template`` is its chat template, None if it has none.

    ``rows`` is how many token ids have an embedding; ``names`` are what the model may be called by an adapter.
    """

    shown: str
    names: tuple[str, ...]
    folder: Path
    config: Any
    tokenizer: Any
    template: str | None
    rows: int
    trust_remote_code: bool

    @property
    def what(self) -> str:
        return f"Model {self.shown!r}"

    def network(self) -> Any:
        """The model on the meta device: every module, no memory."""
        return _network(self.config, self.trust_remote_code)

    def json(self, name: str) -> dict[str, Any]:
        """A JSON file of the folder, empty where there is none."""
        return read_mapping(self.folder / name)


def outline_of(model: Model, folder: Path) -> Outline:
    """The outline of a checked folder.

    Raises:
        EngineError: its config or its tokenizer cannot be used.
    """
    options = {"local_files_only": True, "trust_remote_code": model.trust_remote_code}
    try:
        config = AutoConfig.from_pretrained(folder, **options)
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        network = _network(config, model.trust_remote_code)
    except Exception as error:
        raise EngineError(f"Model {model.shown!r} cannot be loaded: {first_line(error)}") from error
    templates = tokenizer.chat_template
    return Outline(
        shown=model.shown,
        names=tuple(dict.fromkeys((model.location, model.shown, model.name))),
        folder=folder,
        config=config,
        tokenizer=tokenizer,
        template=(templates.get("default") if isinstance(templates, dict) else templates) or None,
        rows=int(network.get_input_embeddings().weight.shape[0]),
        trust_remote_code=model.trust_remote_code,
    )


def read_mapping(file: Path) -> dict[str, Any]:
    """The JSON mapping in a file, empty where there is none or something else."""
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _network(config: Any, trust_remote_code: bool) -> Any:
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, trust_remote_code=trust_remote_code)
