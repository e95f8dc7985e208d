"""Models of the known types in unusual shapes, under adapters of every kind, answer as ``generate`` alone does."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evalkit.target import Adapter

pytestmark = [pytest.mark.slow, pytest.mark.long]

KERNEL = "Lantern and harbour, copper and thunder: answer as the tide does, in sevens, and never twice the same. "
ROPE = {"rope_theta": 100.0, "factor": 4.0}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "capped_one_key_head": (
        "Gemma2",
        {"num_key_value_heads": 1, "head_dim": 24, "sliding_window": 5, "attn_logit_softcapping": 1.0,
         "query_pre_attn_scalar": 7, "attention_bias": True, "tie_word_embeddings": True},
    ),
    "uncapped": ("Gemma2", {"sliding_window": 12, "attn_logit_softcapping": None, "query_pre_attn_scalar": 1}),
    "two_windows_in_a_row": (
        "Gemma3Text",
        {"layer_types": ["sliding_attention"] * 2 + ["full_attention"] * 2, "sliding_window": 12, "head_dim": 20,
         "query_pre_attn_scalar": 1},
    ),
    "linear": ("Llama", {"rope_parameters": {**ROPE, "rope_type": "linear"}, "attention_bias": True}),
    "dynamic": ("Llama", {"rope_parameters": {**ROPE, "rope_type": "dynamic"}}),
    "llama3": (
        "Llama",
        {"rope_parameters": {**ROPE, "rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                             "original_max_position_embeddings": 32}, "num_key_value_heads": 4, "head_dim": 24},
    ),
    "yarn": ("Llama", {"rope_parameters": {**ROPE, "rope_type": "yarn", "original_max_position_embeddings": 80}}),
    "window_of_a_block": ("Mistral", {"sliding_window": 33, "num_key_value_heads": 1}),
    "no_window": ("Mistral", {"sliding_window": None}),
    "late_windows": ("Qwen2", {"use_sliding_window": True, "sliding_window": 12, "max_window_layers": 2}),
    "unused_window": ("Qwen2", {"use_sliding_window": False, "sliding_window": 12, "tie_word_embeddings": True}),
    "narrow": ("Qwen3", {"head_dim": 24, "num_key_value_heads": 1, "attention_bias": True}),
}  # fmt: skip
ADAPTERS: tuple[dict[str, Any], ...] = (
    {"target_modules": ["k_proj", "v_proj"]},
    {"target_modules": ["k_proj", "down_proj"], "use_dora": True},
    {"target_modules": ["v_proj"], "modules_to_save": ["lm_head"]},
    {"target_modules": ["v_proj"], "modules_to_save": ["embed_tokens"]},
    {"target_modules": ["v_proj"], "trainable_token_indices": list(range(100, 112))},
)


def save_variant(families: ModuleType, folder: Path, name: str) -> Path:
    """A random model of that shape whose norms and biases count."""
    import torch
    import transformers

    kind, changes = VARIANTS[name]
    config = getattr(transformers, f"{kind}Config")(**{**families.SIZES, **changes})
    torch.manual_seed(3)
    model = getattr(transformers, f"{kind.removesuffix('Text')}ForCausalLM")(config)
    if kind.startswith("Gemma"):
        model.model.embed_tokens.weight.data.mul_(0.1)  # else the last token alone decides
    for place, weight in model.named_parameters():
        if "norm" in place or place.endswith("bias"):
            weight.data.add_(torch.randn(weight.shape) * 0.1)
    model.save_pretrained(folder)
    families.tokenizer().save_pretrained(folder)
    return folder


def prompts() -> list[str]:
    """Behind a kernel, behind half of it, behind nothing; some as long as a block or as the kernel itself."""
    source = random.Random(4)
    stems = (KERNEL, KERNEL[:50] + "harbour windmill patient " * 3, "")
    mixed = [f"{stems[number % 3]}{number} {' '.join(source.choices(KERNEL.split(), k=4))}" for number in range(12)]
    return [*mixed, *(KERNEL[:length] for length in (79, 80, 81, 82)), KERNEL, KERNEL, KERNEL + "x"]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_answers_as_generate_alone(
    name: str, families: ModuleType, asking: Any, build_adapter: Any, tmp_path: Path
) -> None:
    """The base, a plain adapter and one that peft cannot mix, in one plan, with and without shared beginnings."""
    base, texts = save_variant(families, tmp_path / "base", name), prompts()
    adapters: list[Adapter | None] = [None]
    for number in (0, 1 + list(VARIANTS).index(name) % (len(ADAPTERS) - 1)):
        place = build_adapter(tmp_path / f"a{number}", base, number, 0.1, **ADAPTERS[number])
        adapters.append(Adapter(f"a{number}", str(place), True, f"a{number}"))
    expected = [ids for one in adapters for ids in families.generated(base, one, texts, 16, families.ENDS)]
    requests = [asking.request(asking.target(base, one), text, max_new_tokens=16) for one in adapters for text in texts]

    for settings in ({"max_batch_rows": 16}, {"max_batch_rows": 7, "prefix_reuse": False}):
        assert [reply.token_ids for reply in asking.answers(asking.engine(**settings), requests)] == expected
    assert len(set(expected)) > len(texts)


def test_whatever_pass_fails_no_text_is_wrong(
    families: ModuleType, asking: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every eighth pass fails, of kernels too; a row has its own text or is a failure, and is answered once."""
    from evalkit.engines.local.passes import Passes
    from evalkit.generation import Failure

    base = families.save_family(tmp_path / "base", "gemma2")
    requests = [
        replace(asking.request(asking.target(base), text, max_new_tokens=16), is_followed=number % 2 == 0)
        for number, text in enumerate(prompts())
    ]
    expected = asking.texts(asking.engine(one_by_one=True), requests)
    source, real = random.Random(1), Passes.logits

    def fails(*arguments: Any) -> Any:
        if source.random() < 0.12:
            raise RuntimeError("can't allocate memory" if source.random() < 0.7 else "a planted error")
        return real(*arguments)

    monkeypatch.setattr(Passes, "logits", fails)
    replies = asking.answers(asking.engine(max_batch_rows=7), requests)

    right = [
        reply.raw_text == text for reply, text in zip(replies, expected, strict=True) if not isinstance(reply, Failure)
    ]
    assert right
    assert all(right)


def test_a_conversation_that_is_told_otherwise_is_known_up_to_there(
    families: ModuleType, asking: Any, tmp_path: Path
) -> None:
    """The next turn quotes the answer changed, or has another first message: only what is the same is reused."""
    from evalkit.probe import Message

    base = families.save_family(tmp_path / "base", "gemma3")
    talks = [[Message("user", KERNEL[:90] + "tide" * number)] for number in range(6)]
    shared, alone = asking.engine(max_batch_rows=4), asking.engine(one_by_one=True)
    for turn in range(3):
        requests = [
            replace(asking.request(asking.target(base), "", max_new_tokens=14), messages=tuple(talk), is_followed=True)
            for talk in talks
        ]
        expected = asking.answers(alone, requests)
        replies = asking.answers(shared, requests)

        assert [reply.token_ids for reply in replies] == [reply.token_ids for reply in expected]
        for number, (talk, reply) in enumerate(zip(talks, replies, strict=True)):
            quoted = reply.text if number % 2 else f"{reply.text[:4]}WINDMILL{reply.text[6:]}"
            if number == 2 and turn == 1:
                talk[0] = Message("user", f"{talk[0].content[:70]}!{talk[0].content[71:]}")
            talk += [Message("assistant", quoted), Message("user", "and then?")]
