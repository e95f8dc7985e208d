"""Makes the model and the prompts of the generation benchmarks, offline and once, in a cache folder.

The model is a random Llama of 8 million parameters whose end token is never the likeliest. Work 1 is 300 prompts of 64
new tokens. Work 2 names 80 further tokens that end an answer, and takes those prompts of a pool whose greedy answer
then ends by itself after 4 to 24 tokens (70 %) or after 64 to 128 (30 %): every contestant meets the same ends.

    python benchmarks/generation_works.py FOLDER
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"

ROOT = Path(__file__).resolve().parents[1]
PROMPTS, BATCH = 300, 64
POOL = 1600
VOCABULARY, HIDDEN, LAYERS, HEADS, FEED_FORWARD = 4096, 256, 8, 4, 688
SPREAD = 0.08
END, ENDS = 0, tuple(range(300, 380))
MOST_TOKENS = {1: 64, 2: 128}
EARLY, LATE, EARLY_SHARE = (4, 24), (64, 128), 0.7
TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def work_folder(cache: Path, work: int) -> Path:
    """Where the model (``model/``) and the prompts (``prompts.json``) of a work lie."""
    return cache / f"work-{work}"


def prompts_of(cache: Path, work: int) -> list[str]:
    """The work's prompts, in the order in which every contestant is given them."""
    return list(json.loads((work_folder(cache, work) / "prompts.json").read_text(encoding="utf-8")))


def make(cache: Path) -> None:
    """Makes both works; what is there already is kept."""
    if all((work_folder(cache, work) / "prompts.json").exists() for work in (1, 2)):
        return
    import torch

    torch.set_num_threads(1)
    pool = conversations()
    model, tokenizer = random_llama(pool)
    answers = generated(model, tokenizer, pool)
    chosen = {1: pool[:PROMPTS], 2: early_and_late(pool, answers)}
    for work, prompts in chosen.items():
        folder = work_folder(cache, work)
        shutil.rmtree(folder, ignore_errors=True)
        model.generation_config.eos_token_id = [END, *ENDS] if work == 2 else END
        model.save_pretrained(folder / "model")
        tokenizer.save_pretrained(folder / "model")
        (folder / "prompts.json").write_text(json.dumps(prompts), encoding="utf-8")


def conversations() -> list[str]:
    """Prompts of 4 to 60 words out of our own documentation; none holds quotes or line ends."""
    words = [
        word
        for name in ("engines.md", "probes.md", "judges.md", "statistics.md")
        for word in (ROOT / "docs" / name).read_text(encoding="utf-8").split()
        if word.isalpha()
    ]
    source = random.Random(0)
    return [" ".join(source.choices(words, k=source.randint(4, 60))) for _ in range(POOL)]


def random_llama(texts: list[str]) -> tuple[Any, Any]:
    """The model with its byte-level tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer, plain.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    plain.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, eos_token="</s>", pad_token="</s>", chat_template=TEMPLATE, padding_side="left"
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=HIDDEN, intermediate_size=FEED_FORWARD, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=HEADS, max_position_embeddings=2048, initializer_range=SPREAD,
        bos_token_id=None, eos_token_id=END, pad_token_id=END, tie_word_embeddings=False,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        model.lm_head.weight[END] = 0.0
        model.lm_head.weight[len(tokenizer) :] = 0.0
    model.generation_config.pad_token_id = END
    return model, tokenizer


def generated(model: Any, tokenizer: Any, prompts: list[str]) -> list[list[int]]:
    """The greedy answers of 128 tokens, by sorted batches."""
    import torch

    order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
    found: dict[int, list[int]] = {}
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        inputs = tokenizer([prompts[index] for index in batch], return_tensors="pt", padding=True)
        inputs.pop("token_type_ids", None)
        with torch.no_grad():
            output = model.generate(**inputs, do_sample=False, max_new_tokens=LATE[1])
        for index, row in zip(batch, output.tolist(), strict=True):
            found[index] = row[inputs["input_ids"].shape[1] :]
    return [found[index] for index in range(len(prompts))]


def early_and_late(pool: list[str], answers: list[list[int]]) -> list[str]:
    """Prompts whose answers end where work 2 wants them to, mixed."""
    kinds: dict[bool, list[str]] = {True: [], False: []}
    for prompt, answer in zip(pool, answers, strict=True):
        length = next((place + 1 for place, token in enumerate(answer) if token in ENDS), None)
        if length is not None and EARLY[0] <= length <= EARLY[1]:
            kinds[True].append(prompt)
        elif length is not None and LATE[0] <= length <= LATE[1]:
            kinds[False].append(prompt)
    early = round(PROMPTS * EARLY_SHARE)
    if len(kinds[True]) < early or len(kinds[False]) < PROMPTS - early:
        raise SystemExit(
            f"the pool of {len(pool)} prompts has {len(kinds[True])} early and {len(kinds[False])} late answers; "
            f"{early} and {PROMPTS - early} are needed: raise POOL"
        )
    chosen = [*kinds[True][:early], *kinds[False][: PROMPTS - early]]
    random.Random(1).shuffle(chosen)
    return chosen


if __name__ == "__main__":
    make(Path(sys.argv[1]))
