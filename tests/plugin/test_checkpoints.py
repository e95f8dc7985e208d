"""``--eval-adapter 'runs/x/checkpoint-*'``: looked up once, in order of the steps, the same for every worker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

LATE = """
import json, pathlib

def pytest_configure(config):
    if hasattr(config, "workerinput"):
        folder = pathlib.Path("runs/x/checkpoint-30")
        folder.mkdir(exist_ok=True)
        (folder / "adapter_config.json").write_text(pathlib.Path("runs/x/checkpoint-2/adapter_config.json").read_text())
        (folder / "adapter_model.safetensors").touch()

def pytest_collection_finish(session):
    pathlib.Path("runs/x/checkpoint-40").mkdir(exist_ok=True)
    pathlib.Path("runs/x/checkpoint-40/adapter_config.json").write_text("{}")
"""


def checkpoint(bench: Bench, step: int) -> None:
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q"], "base_model_name_or_path": "model"}
    bench.write(f"runs/x/checkpoint-{step}/adapter_config.json", json.dumps(config))
    bench.write(f"runs/x/checkpoint-{step}/adapter_model.safetensors", "")


@pytest.mark.slow
def test_checkpoints_run_in_order_and_their_results_carry_the_step(bench: Bench, workers: list[str]) -> None:
    """A checkpoint that a training writes once the run has begun is not of this run, whichever worker looks."""
    bench.suite("What is the price?")
    for step in (10, 2):
        checkpoint(bench, step)
        bench.record("What is the price?", "Please check.", f"one+checkpoint-{step}:fp32:naked:greedy")
    bench.write("conftest.py", LATE)

    result = bench.run("suites", "--eval-model", "one", "--eval-adapter", "runs/x/checkpoint-*", *workers)

    result.assert_outcomes(passed=2)
    assert sorted((line["target"], line["step"]) for line in bench.results()) == [
        ("one+checkpoint-10:fp32:naked:greedy", 10),
        ("one+checkpoint-2:fp32:naked:greedy", 2),
    ]
    result.stdout.re_match_lines([r"one\+checkpoint-2\b.*", r"one\+checkpoint-10\b.*"])


def test_a_pattern_that_matches_nothing_stops_the_run(bench: Bench) -> None:
    """One sentence and pytest's status for a usage error, before anything starts."""
    bench.suite("What is the price?")

    result = bench.run("suites", "--eval-adapter", "runs/y/*")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: --eval-adapter: no folder matches runs/y/[*]. Patterns start at the current folder or the "
            "workspace's."
        ]
    )
