"""A sound tiny model with a trained adapter, and the instruments to plant faults in both."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evalkit.preflight import Finding
from evalkit.target import Adapter, Target


@dataclass(frozen=True)
class Clinic:
    """Plants faults and has the local engine look for them."""

    asking: Any

    def target(self, *words: Any, **options: Any) -> Target:
        made: Target = self.asking.target(*words, **options)
        return made

    def found(self, target: Target, *, loaded: bool = False) -> dict[str, Finding]:
        """What each check came to; ``loaded``: the one that needs weights too."""
        engine = self.asking.engine()
        findings = [*engine.inspect_files(target)]
        if loaded:
            engine.load(target, ())
            findings.append(engine.inspect_loaded(target))
        return {finding.check: finding for finding in findings}

    @staticmethod
    def failed(findings: dict[str, Finding]) -> dict[str, str]:
        """The sentences of the checks that fail."""
        return {name: finding.sentence for name, finding in findings.items() if finding.level == "fail"}

    @staticmethod
    def adapter(folder: Path) -> Adapter:
        return Adapter(folder.name, str(folder), True, folder.name)

    @staticmethod
    def edit(file: Path, **changes: Any) -> None:
        """Changes a JSON file, or begins it."""
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        file.write_text(json.dumps({**known, **changes}), encoding="utf-8")

    @staticmethod
    def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
        """Changes the tensors of an adapter's file."""
        from safetensors.torch import load_file, save_file

        file = folder / "adapter_model.safetensors"
        tensors = load_file(file)
        change(tensors)
        save_file(tensors, file)

    def scale(self, tuned: Adapter, part: str, factor: float) -> None:
        """As if training had moved all tensors of a name less or more."""

        def change(tensors: dict[str, Any]) -> None:
            for name, value in tensors.items():
                if part in name:
                    value.mul_(factor)

        self.rewrite(Path(tuned.location), change)

    def save_kind(
        self, folder: Path, base: Path, config: Any, trained: Callable[[str], bool] = lambda name: False
    ) -> Adapter:
        """An adapter of any kind; tensors whose name is ``trained`` are moved off their start."""
        from peft import get_peft_model
        from transformers import AutoModelForCausalLM

        with warnings.catch_warnings():  # peft 0.21 reads a property that transformers 5.23 has deprecated
            warnings.simplefilter("ignore")
            model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
            for name, weight in model.named_parameters():
                if trained(name):
                    weight.data.add_(0.5)
            model.save_pretrained(folder)
        return self.adapter(folder)

    @staticmethod
    def add_tokens(folder: Path, *tokens: str) -> None:
        """The tokenizer in a folder learns tokens, and the embeddings stay as they are."""
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder)
        tokenizer.add_tokens(list(tokens), special_tokens=True)
        tokenizer.save_pretrained(folder)

    def beside(self, base: Path, tuned: Adapter, *tokens: str) -> Path:
        """The base's tokenizer with more tokens, put beside the adapter as training scripts do."""
        folder = Path(tuned.location)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(base / name, folder / name)
        shutil.copy(base / "config.json", folder / "config.json")  # AutoTokenizer wants it
        if tokens:
            self.add_tokens(folder, *tokens)
        (folder / "config.json").unlink()
        return folder


@pytest.fixture
def clinic(asking: Any) -> Clinic:
    return Clinic(asking)


@pytest.fixture
def base(models: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the tiny llama, called sound, whose generation config stops where its template ends an answer."""
    folder = tmp_path / "sound"
    shutil.copytree(models["llama"], folder)
    Clinic.edit(folder / "generation_config.json", eos_token_id=[1, 4])
    return folder


@pytest.fixture
def tuned(base: Path, build_adapter: Callable[..., Path], tmp_path: Path) -> Adapter:
    """A trained adapter of that base, called red."""
    return Clinic.adapter(build_adapter(tmp_path / "red", base, 1))
