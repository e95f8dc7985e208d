"""The commands that do a work of generation: ours, a bare script, a test a prompt, lm-eval, inspect_ai."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from generation_works import BATCH, MOST_TOKENS, prompts_of, work_folder

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE / "contestants"
ONE_BY_ONE = 60
"""Of the prompts, for the scripts that take one at a time: all 300 would take minutes."""
RIVALS = {"lm_eval": "lm-eval", "inspect_ai": "inspect-ai"}
PYTEST = ("-q", "-p", "no:cacheprovider", "-p", "xdist")
EVALKIT = (*PYTEST, "-p", "evalkit.plugin")
"""No other plugin is loaded, here and there: what else is installed would be measured with it."""
TARGETS = """\
models: {{llama: {{path: {model}}}}}
decodings: {{bench: {{max_new_tokens: {tokens}}}}}
engines: {{local: {{max_batch_rows: {batch}}}}}
default: [{{model: llama, quantisation: fp32, decoding: bench}}]
"""


@dataclass(frozen=True, slots=True)
class Contestant:
    """``prepare`` is done before every run and not timed; ``rounds`` caps how often it runs."""

    name: str
    command: tuple[str, ...]
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = lambda: None
    rounds: int = 99
    good: tuple[int, ...] = (0,)


def rival_python(cache: Path, name: str) -> Path:
    """The interpreter of a rival's own environment."""
    return cache / name / "bin" / "python"


def install_rivals(cache: Path) -> None:
    """Makes the environments of the rivals that are not there; one that cannot be made is left out."""
    for name, package in RIVALS.items():
        python = rival_python(cache, name)
        if python.exists():
            continue
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        words = [str(python), "-m", "pip", "install", "--quiet"]
        for packages in (["torch==2.13.0"], [package, "transformers==5.23.0", "accelerate"]):
            if subprocess.run([*words, *packages]).returncode:
                print(f"{package} cannot be installed here; it is left out")
                shutil.rmtree(python.parents[1])
                break


def contestants(cache: Path, scratch: Path, work: int) -> list[Contestant]:
    """Everyone who can do this work here, in the order of a round."""
    folder, tokens = work_folder(cache, work), MOST_TOKENS[work]
    words = (str(folder), str(tokens), str(BATCH))
    ours = evalkit_workspace(scratch / f"work-{work}", cache, work)
    found = [Contestant("bare script", (sys.executable, str(SCRIPTS / "bare_batches.py"), *words), scratch)]
    for workers in ("0", "4"):
        command = (sys.executable, "-m", "pytest", "suites/bench", "-n", workers, *EVALKIT)
        # Probes fail where the judge sees that random weights write nonsense.
        found.append(Contestant(f"evalkit -n {workers}", command, ours, prepare=_forgetting(ours), good=(0, 1)))
    found += rivals(cache, scratch, work, words, rounds=99 if work == 1 else 1)
    return [*found, *one_by_one(scratch, folder, tokens)]


def one_by_one(scratch: Path, folder: Path, tokens: int) -> list[Contestant]:
    place = scratch / f"one-by-one-{tokens}"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(SCRIPTS / "one_by_one.py", place / "test_one_by_one.py")
    (place / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    around = {"BENCH_WORK": str(folder), "BENCH_TOKENS": str(tokens), "BENCH_PROMPTS": str(ONE_BY_ONE)}
    return [
        Contestant(
            f"a test a prompt -n {workers} ({ONE_BY_ONE} prompts)",
            (sys.executable, "-m", "pytest", "-n", workers, *PYTEST), place, around, rounds=1,
        )
        for workers in ("0", "4")
    ]  # fmt: skip


def rivals(cache: Path, scratch: Path, work: int, words: tuple[str, ...], rounds: int) -> list[Contestant]:
    """lm-eval and inspect_ai where their environments are there."""
    folder, tokens = work_folder(cache, work), MOST_TOKENS[work]
    found = []
    around = {"HF_HOME": str(scratch / "hf"), "INSPECT_LOG_DIR": str(scratch / "inspect"), "HF_DATASETS_OFFLINE": "1"}
    if (python := rival_python(cache, "lm_eval")).exists():
        place = scratch / f"lm-eval-{work}"
        place.mkdir(parents=True, exist_ok=True)
        rows = place / "rows.jsonl"
        lines = [json.dumps({"prompt": prompt}) + "\n" for prompt in prompts_of(cache, work)]
        rows.write_text("".join(lines), encoding="utf-8")
        task = (SCRIPTS / "lm_eval_task.yaml").read_text(encoding="utf-8")
        task = task.replace("BENCH_ROWS", str(rows)).replace("BENCH_TOKENS", str(tokens))
        (place / "task.yaml").write_text(task, encoding="utf-8")
        command = (
            str(python), "-m", "lm_eval", "run", "--model", "hf", "--model_args",
            f"pretrained={folder / 'model'},dtype=float32,max_length=2048",
            "--tasks", "bench_work", "--include_path", str(place), "--batch_size", str(BATCH), "--device", "cpu",
            "--output_path", str(place / "out"), "--log_samples",
        )  # fmt: skip
        found.append(Contestant("lm-eval", command, place, around, rounds=rounds))
    if (python := rival_python(cache, "inspect_ai")).exists():
        command = (str(python), str(SCRIPTS / "inspect_task.py"), *words, str(scratch / "inspect"))
        found.append(Contestant("inspect_ai", command, scratch, around, rounds=rounds))
    return found


def evalkit_workspace(root: Path, cache: Path, work: int) -> Path:
    """A workspace with one suite of the work's prompts."""
    for name in ("suites/bench", "fixtures"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    model = work_folder(cache, work) / "model"
    targets = TARGETS.format(model=json.dumps(str(model)), tokens=MOST_TOKENS[work], batch=BATCH)
    (root / "fixtures/targets.yaml").write_text(targets, encoding="utf-8")
    lines = ["defaults: {category: BENCH, expect: {not_contains: never said}}", "probes:"]
    lines += [
        f"  - {{id: p{number:03d}, prompt: {json.dumps(prompt)}}}"
        for number, prompt in enumerate(prompts_of(cache, work))
    ]
    (root / "suites/bench/prompts.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return root


def _forgetting(root: Path) -> Callable[[], None]:
    """Nothing is known from the run before: no answers, no reading of the suite."""

    def forget() -> None:
        for name in (".evalkit", "reports"):
            shutil.rmtree(root / name, ignore_errors=True)

    return forget


ENVIRONMENT = {
    "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false",
    "PYTHONDONTWRITEBYTECODE": "", "PYTHONHASHSEED": "0", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}  # fmt: skip
"""Of every contestant."""

CACHE = Path(os.environ.get("EVALKIT_BENCH_CACHE", Path.home() / ".cache" / "evalkit-bench"))
