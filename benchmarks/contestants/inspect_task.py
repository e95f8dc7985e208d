"""The same work as a task of inspect_ai; run by the benchmark in inspect_ai's own environment.

python inspect_task.py WORK_FOLDER MOST_TOKENS BATCH LOG_FOLDER
"""

import json
import sys
from pathlib import Path

from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate


def main() -> None:
    folder, most_tokens, size = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    import torch

    torch.set_num_threads(1)
    prompts = json.loads((folder / "prompts.json").read_text(encoding="utf-8"))
    task = Task(
        dataset=MemoryDataset([Sample(input=prompt, target="never said") for prompt in prompts]),
        solver=generate(), scorer=includes(),
    )  # fmt: skip
    model = get_model("hf/local", model_path=str(folder / "model"), device="cpu", do_sample=False, batch_size=size)
    logs = eval(
        task, model=model, max_tokens=most_tokens, max_connections=size, max_samples=size, display="none",
        log_dir=sys.argv[4],
    )  # fmt: skip
    print(logs[0].status, len(logs[0].samples or []))
    sys.exit(logs[0].status != "success")


if __name__ == "__main__":
    main()
