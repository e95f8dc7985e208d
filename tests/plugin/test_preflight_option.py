"""``--eval-preflight``: the checks of the run's targets as tests, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

DEMO = Path(__file__).parents[2] / "fixtures" / "demo"
DECLARED = """\
include: [fixtures/demo/targets.yaml]
adapters:
  zeroed: {path: out/zeroed, base: demo}
default:
  - demo+steady:nf4
  - demo+zeroed:nf4
"""
UNTRAINED = (
    "The adapter 'out/zeroed' was never trained: every lora_B (28) is zero, so its answers would be the base's. Name a "
    "checkpoint that was saved after training."
)


@pytest.fixture
def zeroed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The demo with an adapter whose training never happened, and a suite that would fail on it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    bench.write("fixtures/targets.yaml", DECLARED)
    shutil.copytree(DEMO / "adapters" / "steady", bench.root / "out" / "zeroed")
    zero(bench.root / "out" / "zeroed" / "adapter_model.safetensors", "lora_B")
    bench.write("suites/small/one.yaml", "probes:\n  - {id: one, prompt: Hello there., expect: {contains: hello}}\n")
    return bench


def zero(file: Path, part: str) -> None:
    """Zeroes the tensors of a name without torch, which crashes when pytester has it imported twice."""
    data = bytearray(file.read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    for name, tensor in json.loads(data[8:start]).items():
        if part in name:
            first, last = tensor["data_offsets"]
            data[start + first : start + last] = bytes(last - first)
    file.write_bytes(data)


def sections(result: pytest.RunResult) -> list[str]:
    """The lines of evalkit's own section."""
    lines = result.outlines
    start = next(number for number, line in enumerate(lines) if "evalkit preflight" in line)
    return [line for line in lines[start + 1 :] if line and not line.startswith("=")]


@pytest.mark.slow
def test_each_check_of_each_target_is_a_test(zeroed: Bench, workers: list[str]) -> None:
    """The untrained adapter fails by its check alone; no probe is collected, and a second run says the same."""
    result = zeroed.run("suites/small", "--eval-preflight", *workers)

    result.assert_outcomes(passed=14, failed=1, skipped=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"demo+zeroed:nf4, lora_b: {UNTRAINED}"])
    result.stdout.fnmatch_lines(["FAILED preflight::demo+zeroed:nf4::lora_b*"])
    again = zeroed.run("--eval-preflight", "-k", "zeroed and lora_b")
    again.assert_outcomes(failed=1, deselected=15)
    assert not (zeroed.root / "reports" / "out").exists()


@pytest.mark.slow
def test_a_run_stops_at_a_failing_check(zeroed: Bench) -> None:
    """The probe on the untrained adapter is an ERROR with the check's sentence; the other target is asked."""
    result = zeroed.run("suites/small", "--eval-max-unscored", "1")

    outcomes = {str(line["target"]): line for line in zeroed.results()}
    broken = outcomes["demo+zeroed:nf4:naked:greedy"]
    assert (broken["outcome"], broken["reason"]) == ("error", UNTRAINED)
    assert outcomes["demo+steady:nf4:naked:greedy"]["outcome"] in ("pass", "fail")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_what_an_engine_cannot_look_at_is_skipped(bench: Bench, workers: list[str]) -> None:
    """Replayed answers have no weights; the section says so."""
    result = bench.run("--eval-preflight", *workers)

    result.assert_outcomes(skipped=4)
    sentence = "Its engine (replay) loads no weights here, so there is nothing to look at."
    assert sorted(sections(result)) == [
        f"  skip  ends      {sentence}",
        f"  skip  system    {sentence}",
        f"  skip  template  {sentence}",
        f"  skip  tokens    {sentence}",
        "one:fp32  0 of 4 pass",
    ]


def test_items_are_named_by_target_and_check(bench: Bench) -> None:
    """And collecting them starts no host."""
    bench.suite("Who are you?")

    result = bench.run("suites/small", "--eval-preflight", "--collect-only", "-q")

    assert [line for line in result.outlines if "::" in line] == [
        "preflight::one:fp32::tokens", "preflight::one:fp32::template", "preflight::one:fp32::ends",
        "preflight::one:fp32::system",
    ]  # fmt: skip
    assert not list((bench.root).glob(".evalkit/host-*.log"))


def test_a_wrong_target_is_one_sentence(bench: Bench) -> None:
    """Said before anything is collected, with pytest's exit status for a wrong command line."""
    result = bench.run("--eval-preflight", "--eval-model", "tow")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in result.errlines if line.startswith("ERROR: ")]
    assert errors == [
        "ERROR: --eval-model: no model is named 'tow'. Did you mean 'two'? Known: claude-haiku, claude-sonnet, one, "
        "two. A path or a hub id (org/name) works too."
    ]


def test_a_broken_folder_is_an_error(bench: Bench) -> None:
    """Where nothing can be looked at, every check of that target is an ERROR that says why."""
    bench.write("model/model.safetensors", "{}")
    bench.write("fixtures/targets.yaml", "models:\n  one: {path: model}\ndefault:\n  - one:fp32\n")
    bench.write("model/tokenizer.json", "{}")

    result = bench.run("--eval-preflight", "-k", "tokens")

    result.assert_outcomes(errors=1, deselected=3)
    sentence = "its header promises 32131 bytes and it has 2. Download or copy it again."
    result.stdout.fnmatch_lines([f"one:fp32, tokens: Model 'model': model.safetensors is corrupt: {sentence}"])
