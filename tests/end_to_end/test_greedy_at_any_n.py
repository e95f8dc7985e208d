"""Whole runs give the tokens that ``generate`` gives each prompt alone, at any number of workers and in any order."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from evalkit.target import Adapter

if TYPE_CHECKING:
    from conftest import Desk

pytestmark = [pytest.mark.slow, pytest.mark.long]

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo"
FAMILIES = ("gemma2", "gemma3", "llama", "qwen3", "mistral")
PROMPTS = 17
NEW = 16
Told = dict[tuple[str, str], tuple[int, ...]]
"""The tokens of an answer by (target, prompt)."""


def stored(desk: Desk) -> Told:
    """What the store holds of a run."""
    file = desk.root / ".evalkit" / "store.sqlite3"
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    rows = connection.execute("SELECT target, request, reply FROM generations").fetchall()
    connection.close()
    return {
        (target.split(":")[0], json.loads(request)["messages"][-1][1]): tuple(json.loads(reply)["token_ids"])
        for target, request, reply in rows
    }


def suite(texts: list[str]) -> str:
    """A probe for each text."""
    lines = [
        f"defaults: {{category: GREEDY, expect: {{min_words: 1}}, decoding: {{max_new_tokens: {NEW}}}}}",
        "probes:",
    ]
    return "\n".join([*lines, *(f"  - {{id: p{text.split()[0]}, prompt: {text}}}" for text in texts)])


def test_three_hundred_texts_at_any_n_are_those_of_generate(desk: Desk, families: ModuleType, tmp_path: Path) -> None:
    """Five families and the demo model, each with two adapters mixed, from an empty store: -n 0, and -n 4 backwards."""
    texts = families.prompts(PROMPTS)
    targets: dict[str, tuple[Path, tuple[Adapter, ...], list[int]]] = {}
    for name in FAMILIES:
        base = families.save_family(tmp_path / "models" / name, name)
        targets[name] = (base, families.save_two_adapters(tmp_path / "adapters" / name, base), families.ENDS)
    demo = tuple(Adapter(one, str(DEMO / "adapters" / one), True, one) for one in ("steady", "eager"))
    targets["demo"] = (DEMO / "base", demo, [1, _end_of_turn()])
    expected: Told = {}
    models, adapters, default = [], [], []
    for name, (base, tuned, ends) in targets.items():
        models.append(f"  {name}: {{path: {base}}}")
        for adapter in (None, *tuned):
            label = name if adapter is None else f"{name}+{name}-{adapter.name}"
            default.append(f"  - {label}:fp32:naked:greedy")
            if adapter is not None:
                adapters.append(f"  {name}-{adapter.name}: {{path: {adapter.location}, base: {name}}}")
            found = families.generated(base, adapter, texts, NEW, ends)
            expected.update({(label, text): ids for text, ids in zip(texts, found, strict=True)})

    seen = []
    for workers, ordered in (("0", 1), ("4", -1)):
        desk.forget()
        parts = (["models:", *models], ["adapters:", *adapters], ["default:", *default[::ordered]])
        desk.write("fixtures/targets.yaml", "\n".join(line for part in parts for line in part))
        desk.write("suites/greedy/greedy.yaml", suite(texts[::ordered]))
        _, output = desk.run("suites/greedy", "-n", workers)
        seen.append(stored(desk))
        assert len(seen[-1]) == len(expected) == 3 * 6 * PROMPTS, output

    assert seen[0] == expected
    assert seen[1] == expected
    for name in targets:
        assert (
            len({token for (label, _), ids in expected.items() if label.split("+")[0] == name for token in ids}) >= 20
        )


def _end_of_turn() -> int:
    from transformers import AutoTokenizer

    return int(AutoTokenizer.from_pretrained(DEMO / "base").convert_tokens_to_ids("<end_of_turn>"))
