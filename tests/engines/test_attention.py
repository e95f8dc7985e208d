"""Rows that share a pass use an attention without copies and masks; models it does not know keep their own."""

from __future__ import annotations

import contextlib
import copy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "name",
    ["gemma2", "qwen3", *(pytest.param(name, marks=pytest.mark.long) for name in ("gemma3", "llama", "mistral"))],
)
def test_texts_are_the_same_with_the_models_own_attention(
    name: str, families: ModuleType, asking: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows, soft caps, padding and shared beginnings; each attention is seen to be in use."""
    from evalkit.engines.local import attention

    base = families.save_family(tmp_path / name, name)
    stem = "harbour lantern windmill copper " * 3
    prompts = [*families.prompts(8), *(stem + text[:40] for text in families.prompts(6, seed=6))]
    requests = [asking.request(asking.target(base), text, max_new_tokens=16) for text in prompts]
    calls: list[int] = []
    real = attention.Sight.mask
    monkeypatch.setattr(attention.Sight, "mask", lambda *arguments: calls.append(1) or real(*arguments))

    ours = asking.texts(asking.engine(max_batch_rows=6), requests)
    used = len(calls)
    monkeypatch.setattr(attention, "KNOWN", ())
    own = asking.texts(asking.engine(max_batch_rows=6), requests)

    assert ours == own
    assert used > 0
    assert len(calls) == used


def test_models_it_does_not_know_keep_their_own_attention(asking: Any, families: ModuleType, tmp_path: Path) -> None:
    """Another type of model, attention in both directions, or layers with configurations of their own."""
    from transformers import AutoModelForCausalLM

    from evalkit.engines.local.attention import takes_sight

    model = AutoModelForCausalLM.from_pretrained(families.save_family(tmp_path / "gemma3", "gemma3"))

    assert takes_sight(model)
    model.config.use_bidirectional_attention = True
    assert not takes_sight(model)
    model.config.use_bidirectional_attention = None
    model.config.model_type = "gpt_oss"
    assert not takes_sight(model)
    model.config.model_type = "gemma3_text"
    assert takes_sight(model)
    model.model.layers[0].self_attn.config = copy.deepcopy(model.config)
    assert not takes_sight(model)


def test_an_error_leaves_the_models_own_attention_in_place(asking: Any, families: ModuleType, tmp_path: Path) -> None:
    """Whatever happens in a pass, what runs alone after it runs as ``generate`` runs it."""
    from transformers import AutoModelForCausalLM

    from evalkit.engines.local.attention import NAME, attending

    config = AutoModelForCausalLM.from_pretrained(families.save_family(tmp_path / "llama", "llama")).config
    own = config._attn_implementation

    def fails() -> None:
        with attending(config):
            inside.append(config._attn_implementation)
            raise RuntimeError("a planted error")

    inside: list[str] = []
    with pytest.raises(RuntimeError, match="planted"):
        fails()

    assert inside == [NAME]
    assert config._attn_implementation == own != NAME


def test_another_transformers_keeps_its_own_attention_or_is_refused(
    asking: Any, families: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the name is kept elsewhere nothing changes; layers that do not listen are a failure, never a text."""
    import transformers

    from evalkit.engines.local import attention, passes
    from evalkit.generation import Failure

    base = families.save_family(tmp_path / "mistral", "mistral")
    requests = [asking.request(asking.target(base), text, max_new_tokens=6) for text in families.prompts(4)]
    expected = asking.texts(asking.engine(), requests)

    monkeypatch.setattr(passes, "attending", lambda config: contextlib.nullcontext())
    assert {reply.reason for reply in asking.answers(asking.engine(), requests) if isinstance(reply, Failure)} == {
        f"transformers {transformers.__version__} ignores the attention that evalkit's local engine gives it. "
        "Set `one_by_one: true`, or use transformers 5.23."
    }
    assert asking.texts(asking.engine(one_by_one=True), requests) == expected
    for place in ("_no_such_place", "_name_or_path"):
        monkeypatch.setattr(attention, "PLACE", place)
        assert asking.texts(asking.engine(), requests) == expected
