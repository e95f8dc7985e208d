"""The usual pytest script: a model a process, a test a prompt. Copied into a folder as a test file by the benchmark."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ["BENCH_WORK"])
PROMPTS = json.loads((FOLDER / "prompts.json").read_text(encoding="utf-8"))[: int(os.environ["BENCH_PROMPTS"])]


@pytest.fixture(scope="session")
def loaded() -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(FOLDER / "model", dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(FOLDER / "model")


@pytest.mark.parametrize("number", range(len(PROMPTS)))
def test_prompt(number: int, loaded: tuple[Any, Any]) -> None:
    import torch

    model, tokenizer = loaded
    inputs = tokenizer(PROMPTS[number], return_tensors="pt")
    inputs.pop("token_type_ids", None)
    with torch.inference_mode():
        output = model.generate(**inputs, do_sample=False, max_new_tokens=int(os.environ["BENCH_TOKENS"]))
    answer = tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    assert "never said" not in answer
