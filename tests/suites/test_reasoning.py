"""The suite reasoning: its counts, its parts, and assertions against answers as models write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from evalkit.host.plan import split_text
from evalkit.judging.text import TextJudge
from evalkit.probe import Probe
from evalkit.reading.build import SuiteReading, read_suite
from evalkit.transcript import Case, Transcript
from evalkit.workspace import Workspace

ROOT = Path(__file__).parents[2]
COUNTS = {
    "should_think": 12, "should_not_think": 12, "multi_part": 9, "loop_prone": 9, "order_free": 9, "order_bound": 9,
}  # fmt: skip
ANSWERS = yaml.safe_load((Path(__file__).parent / "_data" / "reasoning_answers.yaml").read_text(encoding="utf-8"))


@cache
def suite() -> SuiteReading:
    return read_suite(ROOT / "suites" / "reasoning", Workspace(ROOT))


@cache
def probes() -> tuple[Probe, ...]:
    return tuple(probe for file in suite().files for probe in file.probes)


def passes(probe_id: str, answer: str) -> bool:
    probe = next(probe for probe in probes() if probe.id == probe_id)
    return TextJudge().read(Case(probe, "t", Transcript((), (split_text(answer),))), ()).outcome == "pass"


def test_the_counts() -> None:
    """Sixty written probes; the shuffled ones are made of eighteen of them, each twice."""
    assert [problem for file in suite().files for problem in file.problems] == []
    written = [probe for probe in probes() if probe.perturbation is None]
    shuffled = [probe for probe in probes() if probe.perturbation is not None]
    assert Counter(probe.category for probe in written) == COUNTS
    assert Counter(probe.category for probe in shuffled) == {"order_free": 18, "order_bound": 18}
    assert all(probe.perturbation and probe.perturbation.changed_share > 0.2 for probe in shuffled)
    assert all(probe.why for probe in probes())


def test_what_should_be_thought_about_is_said() -> None:
    """In the two files that ask for it, and nowhere else; the judge of it is there."""
    for probe in probes():
        wanted = {"should_think": "yes", "should_not_think": "no"}.get(probe.category)
        assert probe.expect.thinks == wanted
        assert ("thinking_mode" in {use.use for use in probe.judges}) is (wanted is not None)


def test_parts_own_words_that_their_task_brings_up() -> None:
    """Every task in parts names them; an owned concept is in the prompt or close to it, and has one owner."""
    for probe in probes():
        assert bool(probe.parts) is (probe.category == "multi_part")
        if probe.parts:
            owned = [concept.casefold() for part in probe.parts for concept in part.owns]
            assert len(owned) == len(set(owned)) >= 5
            assert sum(concept in probe.prompt.casefold() for concept in owned) >= 2, probe.id


def test_no_control_can_keep_its_answer() -> None:
    """A shuffled control never says the same again: its words are the same, and their order is not."""
    by_id = {probe.id: probe for probe in probes()}
    for probe in probes():
        if probe.perturbation is not None:
            original = by_id[probe.perturbation.of]
            assert Counter(probe.prompt.split()) == Counter(original.prompt.split())
            assert probe.prompt != original.prompt
            assert probe.cluster == original.id


@pytest.mark.parametrize(
    ("probe_id", "answer"), [(name, each) for name in ANSWERS["pass"] for each in ANSWERS["pass"][name]]
)
def test_right_answers_pass(probe_id: str, answer: str) -> None:
    """As models write them."""
    assert passes(probe_id, answer)


@pytest.mark.parametrize(
    ("probe_id", "answer"), [(name, each) for name in ANSWERS["fail"] for each in ANSWERS["fail"][name]]
)
def test_wrong_answers_fail(probe_id: str, answer: str) -> None:
    """Also where the right word is named on the way."""
    assert not passes(probe_id, answer)


@pytest.mark.slow
def test_it_runs_on_the_demo_model(smoke_run: Callable[[str], tuple[str, list[dict[str, Any]]]]) -> None:
    """Two of each category with what is shuffled of them; no error, and a model without thinking fails to think."""
    _, results = smoke_run("reasoning")

    assert len(results) == 20
    assert {result["outcome"] for result in results} <= {"pass", "fail"}
    thought = [result["outcome"] for result in results if result["category"] == "should_think"]
    assert thought == ["fail", "fail"]
    assert {result["expected"].split()[-2:][0] for result in results if "think" in result["category"]} == {"thinks:"}
