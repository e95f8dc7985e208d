"""The ``--eval-`` options as pytest's help shows them, and the values they refuse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HELP = """\
evalkit: probes of model behaviour (YAML files under suites/):
  --eval-target=NAME    target: a label, a name or a glob
  --eval-model=NAME     model: a name, a hub id or a folder
  --eval-adapter=NAME   adapter: a name, hub id, folder or glob, or none
  --eval-quant=NAME     quantisation: fp32, bf16, fp16, nf4, fp4, int8 or a name
  --eval-condition=NAME
                        condition: a name, or NAME=FILE
  --eval-decoding=NAME  decoding: a name, or temperature=0.8,top_p=0.9
  --eval-engine=NAME    engine: local, replay, replay=FILE or a name
  --eval-one-by-one     local models answer every request alone, never in
                        batches
  --eval-samples=N      trials of a probe on each target
  --eval-plan=NAME      a sample plan of suite.yaml (default: every probe)
  --eval-exclude=FILE   leave out the probes of this list (see evalkit check
                        --train)
  --eval-limit=N        at most N probes of each suite
  --eval-seed=N         seed of sampled decodings (0)
  --eval-fresh          generate anew; stored answers stay unused
  --eval-record=FILE    write the answers as a recording for replay
  --eval-gates=FILE     gates in FILE hold beside those of the workspace; none:
                        no gates
  --eval-baseline=NAME  the baseline that gates compare with: a name or a file
                        (main)
  --eval-max-usd=USD    the most that calls to servers may cost in this run (5)
  --eval-max-unscored=SHARE
                        fail a suite with a larger share unscored (0.2, or its
                        own)
  --eval-preflight      only check the targets, each check a test, and ask them
                        nothing
  --eval-noise=N        at the end ask N probes again in other batches, and say
                        how many verdicts flip by themselves
  --eval-strict-files   where a probe file cannot be read, say so and run
                        nothing
  --eval-when-busy={wait,share}
                        while another run of yours has weights on the device:
                        wait (usual on CUDA) or share (usual on CPU)
  --eval-out=FOLDER     where reports go (reports/out in the workspace)
"""
DOCS = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
REFUSED = [
    ("--eval-limit", "0", "expected a whole number from 1 up; found '0'"),
    ("--eval-samples", "many", "expected a whole number from 1 up; found 'many'"),
    ("--eval-samples", "²", "expected a whole number from 1 up; found '²'"),
    ("--eval-noise", "0", "expected a whole number from 1 up; found '0'"),
    ("--eval-max-usd", "lots", "expected an amount in US dollars, such as 2.50; found 'lots'"),
    ("--eval-max-usd", "-1", "expected an amount in US dollars, such as 2.50; found '-1'"),
    ("--eval-max-unscored", "1.5", "expected a share from 0 to 1, such as 0.2; found '1.5'"),
    ("--eval-max-unscored", "nan", "expected a share from 0 to 1, such as 0.2; found 'nan'"),
    ("--eval-max-unscored", "half", "expected a share from 0 to 1, such as 0.2; found 'half'"),
]


def test_the_help(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """One group, within 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")

    shown = pytester.runpytest_subprocess("--help").stdout.str()

    assert HELP in f"{shown}\n"


def test_the_ini_setting_and_the_marker(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are in pytest's own lists."""
    monkeypatch.setenv("COLUMNS", "300")

    setting = "which suites are collected: named (default), those the command line names; always, all that pytest meets"
    marker = "@pytest.mark.probe(prompt, system=None, **decoding): plans the prompt for evalkit_transcript"
    assert re.search(
        rf"evalkit_collect \(string\):\s+{re.escape(setting)}\n", pytester.runpytest("--help").stdout.str()
    )
    assert marker in pytester.runpytest("--markers").stdout.lines


@pytest.mark.parametrize(("option", "value", "sentence"), REFUSED)
def test_values_that_mean_nothing(pytester: pytest.Pytester, option: str, value: str, sentence: str) -> None:
    """Exit 4, pytest's usage error, with what was expected and found."""
    result = pytester.runpytest_subprocess(option, value)

    assert result.ret == 4
    assert f"error: argument {option}: {sentence}" in result.stderr.str()


def test_every_option_and_verb_is_in_the_docs() -> None:
    """docs/cli.md has a row for each option of the help, and no others."""
    rows = set(re.findall(r"^\| `(--eval-[a-z-]+)", DOCS.read_text(encoding="utf-8"), re.MULTILINE))

    assert rows == set(re.findall(r"--eval-[a-z-]+", HELP))
