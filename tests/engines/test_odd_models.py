"""Models whose attention or positions are unusual answer as ``generate`` alone does, together where that is safe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

NEW = 20
SMALL = {
    "vocab_size": 260, "initializer_range": 0.3, "tie_word_embeddings": False, "pad_token_id": 0, "eos_token_id": 1,
    "bos_token_id": 2,
}  # fmt: skip
LLAMA = {
    **SMALL, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "max_position_embeddings": 320,
}  # fmt: skip


def _bloom() -> Any:
    from transformers import BloomConfig, BloomForCausalLM

    return BloomForCausalLM(BloomConfig(**{**SMALL, "initializer_range": 0.8}, hidden_size=32, n_layer=2, n_head=4))


def _gpt2() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(GPT2Config(**SMALL, n_embd=32, n_layer=2, n_head=2, n_positions=320))


def _mixtral() -> Any:
    from transformers import MixtralConfig, MixtralForCausalLM

    return MixtralForCausalLM(MixtralConfig(**LLAMA, num_local_experts=4, num_experts_per_tok=2, sliding_window=10))


def _stretched() -> Any:
    """A rotary embedding that follows the longest row."""
    from transformers import LlamaConfig, LlamaForCausalLM

    ropes = {"rope_type": "dynamic", "rope_theta": 100.0, "factor": 4.0}
    return LlamaForCausalLM(LlamaConfig(**{**LLAMA, "max_position_embeddings": 48}, rope_parameters=ropes))


def _long_rope() -> Any:
    """Other rotary factors beyond 40 tokens, where ``generate`` computes the cache anew."""
    from transformers import Phi3Config, Phi3ForCausalLM

    ropes = {
        "rope_type": "longrope", "rope_theta": 100.0, "short_factor": [1.0] * 8, "long_factor": [3.0] * 8,
        "original_max_position_embeddings": 40,
    }  # fmt: skip
    return Phi3ForCausalLM(Phi3Config(**LLAMA, rope_parameters=ropes, original_max_position_embeddings=40))


def _hybrid() -> Any:
    """Layers whose state is no keys and values."""
    from transformers import Lfm2Config, Lfm2ForCausalLM

    return Lfm2ForCausalLM(Lfm2Config(**LLAMA, layer_types=["conv", "full_attention"], block_auto_adjust_ff_dim=False))


MODELS: dict[str, tuple[Callable[[], Any], bool]] = {
    "bloom": (_bloom, True), "gpt2": (_gpt2, True), "mixtral": (_mixtral, True),
    "stretched": (_stretched, False), "long_rope": (_long_rope, False), "hybrid": (_hybrid, False),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_an_odd_model_answers_as_generate_alone(
    name: str, asking: Any, families: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of many lengths, together where rows cannot touch each other, else one by one."""
    import torch

    make, shares = MODELS[name]
    torch.manual_seed(3)
    model = make()
    folder = tmp_path / name
    model.save_pretrained(folder)
    families.tokenizer().save_pretrained(folder)
    texts = [text[:60] for text in families.prompts(12)] if name != "stretched" else list("abcdefgh")
    requests = [asking.request(asking.target(folder), text, max_new_tokens=NEW) for text in texts]
    expected = families.generated(folder, None, texts, NEW, families.ENDS)

    replies = asking.answers(asking.engine(), requests)

    assert [reply.token_ids for reply in replies] == expected
    assert (max(dict(reply.facts)["batch_rows"] for reply in replies) > 1) == shares
    assert len({token for ids in expected for token in ids}) >= 20
