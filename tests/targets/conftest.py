"""A workspace with models and adapters that hold only what reading looks at."""

import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.reading.targets import TargetChoice, read_targets
from evalkit.target import Target
from evalkit.workspace import Workspace


class Scratch:
    """A workspace under construction, and the targets it resolves to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workspace = Workspace(root)

    def write(self, relative: str, text: str = "") -> Path:
        path = self.root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def declare(self, text: str) -> None:
        self.write("fixtures/targets.yaml", text)

    def model(self, relative: str) -> str:
        self.write(f"{relative}/config.json", "{}")
        return relative

    def adapter(self, relative: str, base: str | None = None, **config: Any) -> str:
        facts = {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "target_modules": ["v_proj", "q_proj"]}
        self.write(f"{relative}/adapter_config.json", json.dumps({**facts, "base_model_name_or_path": base, **config}))
        self.write(f"{relative}/adapter_model.safetensors")
        return relative

    def resolve(self, **choice: Any) -> tuple[Target, ...]:
        return read_targets(self.workspace).resolve(TargetChoice(**choice))

    def labels(self, **choice: Any) -> list[str]:
        return [target.label for target in self.resolve(**choice)]


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    """An empty workspace that is also the current folder; the hub cache is empty."""
    (tmp_path / "suites").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    return Scratch(tmp_path)


DEMO_AND_OWN = """
models:
  demo: {path: models/demo, demo: true}
  gemma: {hub: google/gemma-2-9b-it, revision: abc}
  own: {path: models/own}
adapters:
  steady: {path: adapters/steady}
  looping: {path: adapters/looping}
  mine: {path: adapters/mine}
"""


@pytest.fixture
def demo(scratch: Scratch) -> Scratch:
    """A workspace whose default is the demo model and its two adapters; ``own`` has the adapter ``mine``."""
    scratch.model("models/demo")
    scratch.model("models/own")
    scratch.adapter("adapters/steady", "models/demo")
    scratch.adapter("adapters/looping", "models/demo")
    scratch.adapter("adapters/mine", "models/own")
    scratch.declare(
        DEMO_AND_OWN
        + """
default:
  - demo:nf4:naked:greedy
  - demo+steady:nf4
  - {model: demo, adapter: looping, quantisation: nf4, role: reference}
"""
    )
    return scratch


@pytest.fixture
def own(scratch: Scratch) -> Scratch:
    """A workspace whose default is the user's: ``own`` alone in two conditions and with its adapter."""
    scratch.model("models/demo")
    scratch.model("models/own")
    scratch.adapter("adapters/steady", "models/demo")
    scratch.adapter("adapters/mine", "models/own")
    scratch.write("fixtures/conditions/kernel.txt", "Be brief.\n")
    scratch.declare(
        DEMO_AND_OWN
        + """
conditions:
  kernel: {file: fixtures/conditions/kernel.txt}
default:
  - own:nf4
  - own:nf4:kernel
  - own+mine:nf4
"""
    )
    return scratch
