"""The bare script: prompts sorted by length, batches of 64 through transformers' generate, one check an answer.

python bare_batches.py WORK_FOLDER MOST_TOKENS BATCH
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main() -> None:
    folder, most_tokens, size = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    prompts = json.loads((folder / "prompts.json").read_text(encoding="utf-8"))
    tokenizer = AutoTokenizer.from_pretrained(folder / "model", padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(folder / "model", dtype=torch.float32).eval()
    order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
    answers: dict[int, str] = {}
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        inputs = tokenizer([prompts[index] for index in batch], return_tensors="pt", padding=True)
        inputs.pop("token_type_ids", None)
        with torch.inference_mode():
            output = model.generate(**inputs, do_sample=False, max_new_tokens=most_tokens)
        new = output[:, inputs["input_ids"].shape[1] :]
        answers |= dict(zip(batch, tokenizer.batch_decode(new, skip_special_tokens=True), strict=True))
    print(sum("never said" not in answer for answer in answers.values()), "passed of", len(prompts))


if __name__ == "__main__":
    main()
