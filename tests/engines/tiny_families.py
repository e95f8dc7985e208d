"""Tiny random models of five families whose greedy text is varied, with every trap of their attention switched on."""

from __future__ import annotations

import random
import warnings
from pathlib import Path
from typing import Any

from evalkit.target import Adapter

FAMILIES = ("gemma2", "gemma3", "llama", "qwen3", "mistral")
WINDOW = 12
"""Shorter than nearly every prompt, so that a window that is forgotten or counted wrongly changes the text."""
SIZES: dict[str, Any] = {
    "vocab_size": 260, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 320, "initializer_range": 0.25,
    "tie_word_embeddings": False, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 2,
}  # fmt: skip


TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<end>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
SPECIAL = ("<pad>", "<eos>", "<bos>", "<end>")
ENDS = [1, 3]
WORDS = ("tide", "harbour", "lantern", "seven", "windmill", "copper", "letter", "patient", "orchard", "thunder")


def prompts(count: int, seed: int = 5) -> list[str]:
    """Texts of 1 to 24 words, each unlike the others."""
    source = random.Random(seed)
    return [f"{number} " + " ".join(source.choices(WORDS, k=source.randint(1, 24))) for number in range(count)]


def tokenizer() -> Any:
    """One token for each byte, and special ones."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate((*SPECIAL, *alphabet))}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(list(SPECIAL))
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", chat_template=TEMPLATE
    )


def save_family(folder: Path, family: str) -> Path:
    """One random model with its tokenizer; Gemma's attention has soft-capping and alternates windows with all."""
    import torch
    from transformers import (
        Gemma2Config,
        Gemma2ForCausalLM,
        Gemma3ForCausalLM,
        Gemma3TextConfig,
        LlamaConfig,
        LlamaForCausalLM,
        MistralConfig,
        MistralForCausalLM,
        Qwen3Config,
        Qwen3ForCausalLM,
    )

    window = {"sliding_window": WINDOW}
    layers = {"layer_types": ["sliding_attention", "full_attention"] * (SIZES["num_hidden_layers"] // 2)}
    gemma = {**window, **layers, "query_pre_attn_scalar": 1}
    kinds: dict[str, tuple[Any, Any, dict[str, Any]]] = {
        "gemma2": (Gemma2Config, Gemma2ForCausalLM, {**gemma, "attn_logit_softcapping": 2.0}),
        "gemma3": (Gemma3TextConfig, Gemma3ForCausalLM, gemma),
        "llama": (LlamaConfig, LlamaForCausalLM, {}),
        "qwen3": (Qwen3Config, Qwen3ForCausalLM, {**window, **layers, "use_sliding_window": True}),
        "mistral": (MistralConfig, MistralForCausalLM, window),
    }
    config, model_class, changes = kinds[family]
    torch.manual_seed(11)
    model = model_class(config(**SIZES, **changes))
    if family.startswith("gemma"):
        model.model.embed_tokens.weight.data.mul_(0.1)  # else the last token alone decides
    model.generation_config.update(do_sample=True, temperature=0.3, top_k=2)
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def save_two_adapters(folder: Path, base: Path) -> tuple[Adapter, Adapter]:
    """Two random LoRAs on different layers, strong enough to change nearly every text."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    made = []
    for seed, modules in enumerate((["q_proj", "v_proj", "down_proj"], ["o_proj", "up_proj"])):
        options: dict[str, Any] = {"r": 4, "lora_alpha": 8, "target_modules": modules, "task_type": "CAUSAL_LM"}
        with warnings.catch_warnings():  # peft 0.21 reads a property that transformers 5.23 has deprecated
            warnings.simplefilter("ignore")
            tuned = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(**options))
            noise = torch.Generator().manual_seed(seed)
            for name, weight in tuned.named_parameters():
                if "lora_B" in name:
                    weight.data.add_(torch.randn(weight.shape, generator=noise) * 0.5)
            tuned.save_pretrained(folder / f"a{seed}")
        made.append(Adapter(f"a{seed}", str(folder / f"a{seed}"), True, f"a{seed}"))
    return made[0], made[1]


def generated(
    base: Path, adapter: Adapter | None, texts: list[str], new: int, ends: list[int], **config: Any
) -> list[tuple[int, ...]]:
    """The new tokens of plain ``generate`` for one prompt at a time, in fp32; ``config`` changes the model's own."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    words = AutoTokenizer.from_pretrained(base)
    capped = "gemma2" in (base / "config.json").read_text(encoding="utf-8")
    attention = {"attn_implementation": "eager"} if capped else {}
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, **attention, **config).eval()
    model.generation_config = GenerationConfig()
    if adapter is not None:
        from peft import PeftModel

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = PeftModel.from_pretrained(model, adapter.location).eval()
    options = GenerationConfig(do_sample=False, max_new_tokens=new, eos_token_id=ends, pad_token_id=0)
    found = []
    for text in texts:
        messages = [{"role": "user", "content": text}]
        ids = torch.tensor([words.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)])
        output = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=options)
        found.append(tuple(output[0, ids.shape[1] :].tolist()))
    return found
