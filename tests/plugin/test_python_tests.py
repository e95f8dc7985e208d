"""Python tests that ask models, in the plan and outside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs" / "python_tests.md"


def two_targets(bench: Bench) -> None:
    targets = (bench.root / "fixtures/targets.yaml").read_text()
    more = "  - {model: two, quantisation: fp32, engine: stored}\n"
    bench.write("fixtures/targets.yaml", targets + more)


def test_the_documented_example_runs(bench: Bench, workers: list[str]) -> None:
    """The example of docs/python_tests.md, word for word, on two targets."""
    two_targets(bench)
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    bench.write("test_example.py", found[1])
    for target in ("one:fp32:naked:greedy", "two:fp32:naked:greedy"):
        bench.record("Name three colours, separated by commas.", "red, green, blue", target)
        bench.record("What does the blue kettle cost?", "It is on the price list.", target)
        bench.say(
            [
                {"role": "user", "content": "What does the blue kettle cost?"},
                {"role": "assistant", "content": "It is on the price list."},
                {"role": "user", "content": "Are you sure?"},
            ],
            "I do not know more than the price list says.", target,
        )  # fmt: skip
    bench.record("Describe a kettle.", "A kettle is a pot with a spout in which water is boiled.")
    bench.record("Describe a kettle in five words.", "A pot for boiling water.")

    result = bench.run("test_example.py", *workers)

    result.assert_outcomes(passed=5)


def test_answers_of_python_tests_are_stored(bench: Bench) -> None:
    """The second run asks nothing: the recordings may be gone."""
    bench.write(
        "test_it.py",
        "import pytest\n\n@pytest.mark.probe(prompt='Where is the lamp?')\ndef test_it(evalkit_transcript):\n"
        "    assert 'check' in evalkit_transcript.answers[-1].answer\n",
    )
    bench.record("Where is the lamp?", "please check there")
    bench.run("test_it.py").assert_outcomes(passed=1)

    bench.run("test_it.py", "-n2").assert_outcomes(passed=1)


def test_a_transcript_without_a_prompt_is_an_error(bench: Bench) -> None:
    """The message says which marker is missing."""
    bench.write("test_it.py", "def test_it(evalkit_transcript): pass\n")

    result = bench.run("test_it.py")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*test_it.py::test_it[[]one:fp32:naked:greedy]: evalkit_transcript needs to know what to ask. "
         "Mark the test: @pytest.mark.probe(prompt='…')"]
    )  # fmt: skip


def test_an_unknown_target_is_named_with_those_there_are(bench: Bench) -> None:
    """evalkit_generate(target=…) lists the run's targets."""
    bench.write("test_it.py", "def test_it(evalkit_generate): evalkit_generate('Hm?', target='other')\n")

    result = bench.run("test_it.py")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no target 'other' in this run; it has one:fp32:naked:greedy"])


def test_a_loop_is_never_judged_a_pass(bench: Bench) -> None:
    """evalkit_judge brings degeneration along."""
    bench.write(
        "test_it.py",
        "def test_it(evalkit_judge):\n    decision = evalkit_judge('we check it ' * 60, expect={'contains': 'check'})\n"
        "    assert decision.outcome == 'fail' and decision.is_collapsed\n",
    )

    bench.run("test_it.py").assert_outcomes(passed=1)


def test_a_wrong_marker_is_an_error_of_its_test(bench: Bench, workers: list[str]) -> None:
    """Unknown settings and missing prompts are said where the transcript is wanted; other tests run."""
    bench.write(
        "test_it.py",
        "import pytest\n\n@pytest.mark.probe(prompt='Hm?', max_tokens=3)\ndef test_a(evalkit_transcript): pass\n"
        "\n@pytest.mark.probe()\ndef test_b(evalkit_transcript): pass\n\ndef test_c(): pass\n",
    )

    result = bench.run("test_it.py", *workers)

    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines_random(
        [
            "*test_it.py:3: decoding.max_tokens: * found 3.",
            "*test_b[[]one:fp32:naked:greedy]: the probe marker needs prompt='…' (or a list of prompts, asked in turn)",
        ]
    )
