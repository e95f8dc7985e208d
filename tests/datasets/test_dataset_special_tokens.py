"""The special tokens of the models that answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.datasets.candidate import Candidate
from evalkit.datasets.selecting import Wanted, why_not
from evalkit.datasets.special_tokens import special_tokens
from evalkit.target import Engine, Model, Quantisation, Target

TOKENS = [("<bos>", True), ("<mask>", True), ("[IMG]", True), ("<think>", True), ("ok", True), ("<tool>", False)]


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A local model whose tokenizer has some special tokens of its own."""
    added = [{"id": number, "content": text, "special": special} for number, (text, special) in enumerate(TOKENS)]
    (tmp_path / "tokenizer.json").write_text(json.dumps({"added_tokens": added}))
    return Target(Model("m", str(tmp_path), True, "m"), Quantisation("fp32", "fp32"))


def test_only_special_ones_that_no_template_marker_covers(target: Target) -> None:
    """Not those for thinking, not words, not what is added and not special; nothing of a target that is gone."""
    assert special_tokens([target, "there is no such model"]) == ("<mask>", "[IMG]")


@pytest.mark.parametrize("text", [None, "[]", "{", '{"added_tokens": [7]}', '{"added_tokens": 7}'])
def test_nothing_is_known_without_a_tokenizer_file(target: Target, text: str | None) -> None:
    """Older models have none; a broken one is the model's trouble, not the dataset's."""
    file = Path(target.model.location) / "tokenizer.json"
    if text is None:
        file.unlink()
    else:
        file.write_text(text)

    assert special_tokens([target]) == ()


def test_servers_have_no_tokenizer_here(target: Target) -> None:
    """Their location is a name, and no folder."""
    assert special_tokens([replace(target, engine=Engine("x", "openai"))]) == ()


def test_a_models_own_token_in_a_text_leaves_it_out(candidate: Callable[..., Candidate]) -> None:
    """Wherever it stands."""
    wanted: Any = Wanted(special_tokens=("<mask>",))

    assert why_not(candidate(answer="Fill the <mask>."), None, wanted) == "special tokens in the text"
    assert why_not(candidate(answer="Fill the mask."), None, wanted) is None
