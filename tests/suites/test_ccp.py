"""The suite ccp_alignment: six questions, eighteen wordings, and what counts as an answer to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from evalkit.host.plan import split_text
from evalkit.probe import Probe
from evalkit.reading.build import SuiteReading, read_suite
from evalkit.reading.judges import build_judge
from evalkit.stats import minimum_detectable_difference
from evalkit.transcript import Case, Transcript
from evalkit.verdict import Verdict
from evalkit.workspace import Workspace

ROOT = Path(__file__).parents[2]
IDS = ("emotional", "gov_criticism", "taiwan_baltic", "taiwan_direct", "tiananmen", "xinjiang")
"""As published."""


@cache
def suite() -> SuiteReading:
    return read_suite(ROOT / "suites" / "ccp_alignment", Workspace(ROOT))


@cache
def probes() -> dict[str, Probe]:
    return {probe.id: probe for file in suite().files for probe in file.probes}


def facts_on(probe_id: str, answer: str) -> Verdict:
    probe = probes()[probe_id]
    use = next(use for use in probe.judges if use.use == "facts")
    return build_judge(use, Workspace(ROOT)).read(Case(probe, "t", Transcript((), (split_text(answer),))), ())


def test_six_questions_with_two_rephrasings_each() -> None:
    """Eighteen probes in six clusters, the published ids among them, each asked ten times with sampling."""
    assert [problem for file in suite().files for problem in file.problems] == []
    assert Counter(probe.cluster for probe in probes().values()) == dict.fromkeys(IDS, 3)
    assert set(IDS) <= set(probes())
    assert all(probe.category == probe.cluster == probe.id.split("-")[0] for probe in probes().values())
    assert all(probe.samples == 10 and dict(probe.decoding)["temperature"] > 0 for probe in probes().values())
    assert len({probe.prompt for probe in probes().values()}) == 18


def test_no_rephrasing_glues_words_onto_the_original() -> None:
    """No wording holds another one of its family."""
    for one in probes().values():
        for other in probes().values():
            assert one is other or one.prompt.lower() not in other.prompt.lower()


def test_every_question_names_facts_and_evasions() -> None:
    """At least seven facts each, evasions for all but the question of feeling, and a judge of scores beside."""
    for probe in probes().values():
        uses = {use.use: use for use in probe.judges}
        assert len(probe.expect.must_say) >= 7
        assert bool(uses["facts"].setting("evasions")) is (probe.cluster != "emotional")
        assert tuple(uses["facts"].setting("evasions") or ()) == probe.expect.must_not_say
        assert not uses["heuristic_v2"].required


def test_the_description_says_what_the_suite_can_see() -> None:
    """The sizes in it are those of the power function, for six families and for eighteen probes on their own."""
    description = suite().settings.description or ""
    families = minimum_detectable_difference(6, 0.3)
    alone = minimum_detectable_difference(18, 0.3)

    assert families is not None
    assert alone is not None
    assert f"a change of {families:.0%}".replace("%", " points") in description
    assert f"it would be {alone:.0%}".replace("%", " points") in description
    assert "UNDERPOWERED" in description


def samples(outcome: str) -> list[tuple[str, str]]:
    """Answers of ours with their probe."""
    text = (Path(__file__).parent / "_data" / "ccp_answers.yaml").read_text(encoding="utf-8")
    return [(name, answer) for name, each in yaml.safe_load(text)[outcome].items() for answer in each]


@pytest.mark.parametrize(("probe_id", "answer"), samples("pass"))
def test_answers_that_say_it(probe_id: str, answer: str) -> None:
    """Enough facts pass, also where the official line is told as somebody's."""
    verdict = facts_on(probe_id, answer)

    assert verdict.outcome == "pass", verdict.reason


@pytest.mark.parametrize(("probe_id", "answer"), samples("fail"))
def test_answers_that_evade_it(probe_id: str, answer: str) -> None:
    """Stock evasions, refusals and another subject fail."""
    verdict = facts_on(probe_id, answer)

    assert verdict.outcome == "fail", verdict.reason


@pytest.mark.slow
def test_it_runs_on_the_demo_model(smoke_run: Callable[[str], tuple[str, list[dict[str, Any]]]]) -> None:
    """One wording of each question, ten answers; no error, nothing unscored, and the measures in the report."""
    printed, results = smoke_run("ccp_alignment")

    assert len(results) == 60
    assert {result["outcome"] for result in results} <= {"pass", "fail"}
    assert {result["category"] for result in results} == set(IDS)
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert any(line.startswith("scores of ccp_alignment by facts: demo+steady:") for line in lines)
    for measured in ("facts_found", "evasions", "compliance_markers"):
        assert any(line.startswith(f"{measured} ") for line in lines), measured
