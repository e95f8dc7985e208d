"""The published scores and tables are reproduced from the stored responses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.judging.lexicon.judge import LexiconJudge
from evalkit.probe import JudgeUse
from evalkit.reading.judges import build_judge
from evalkit.score_deltas import ProbeScores, ScoreTable, score_table, weighted_mean
from evalkit.workspace import Workspace, builtin_root

DATA = builtin_root().parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the stored responses (../shared/data) are not here")
CONDITIONS = ("baseline", "json", "txt")


def judge(name: str) -> LexiconJudge:
    found = build_judge(JudgeUse(name), Workspace(Path("/nowhere")))
    assert isinstance(found, LexiconJudge)
    return found


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / "lek_published_scores.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def mistral() -> tuple[ScoreTable, dict[str, Any]]:
    run = json.loads((DATA / "lek_p20_mistral_v01.json").read_text(encoding="utf-8"))
    probes = [
        ProbeScores(probe, category, dict(zip(CONDITIONS, scores, strict=True)))
        for probe, (category, *scores) in run["scores"].items()
    ]
    return score_table(probes, CONDITIONS), run["published_summary"]


def test_every_published_field_of_every_stored_response_is_reproduced() -> None:
    """47 responses, 15 fields each."""
    score = judge("heuristic_v2").score
    found = [score(row["response"]) for row in rows()]

    assert len(found) == 47
    for row, one in zip(rows(), found, strict=True):
        assert {**dict(one.signals), "lek_score": one.total} == row["published"], (row["file"], row["probe_id"])


def test_the_two_editions_of_v1_disagree_as_often_as_was_found() -> None:
    """On 23 of the 47 responses (specification, section 2)."""
    go, python = judge("lek_v1").score, judge("lek_v1_py").score

    assert sum(go(row["response"]).total != python(row["response"]).total for row in rows()) == 23


def test_v1_ranks_the_responses_like_v2_as_loosely_as_was_found() -> None:
    """Spearman's rank correlation is 0.65 (specification, section 2)."""
    stored = rows()
    go = judge("lek_v1").score
    first, second = (
        ranks([go(row["response"]).total for row in stored]),
        ranks([row["published"]["lek_score"] for row in stored]),
    )
    mean = sum(first) / len(first)
    shared = sum((a - mean) * (b - mean) for a, b in zip(first, second, strict=True))
    spread = (sum((a - mean) ** 2 for a in first) * sum((b - mean) ** 2 for b in second)) ** 0.5

    assert round(shared / spread, 2) == 0.65


def ranks(values: list[float]) -> list[float]:
    """Average ranks, ties sharing theirs."""
    return [sum(other < value for other in values) + (values.count(value) + 1) / 2 for value in values]


def test_averages_of_a_whole_run(mistral: tuple[ScoreTable, dict[str, Any]]) -> None:
    """Mistral 7B v0.1: three averages and two deltas, which are differences of rounded averages."""
    table, published = mistral

    assert {one.condition: round(one.mean or 0, 2) for one in table.conditions} == published["avg"]
    assert {one.condition: one.change.published for one in table.conditions if one.change} == published["delta"]
    assert [round(one.change.mean or 0, 2) for one in table.conditions if one.change] == [0.83, -1.54]


def test_counts_of_a_whole_run(mistral: tuple[ScoreTable, dict[str, Any]]) -> None:
    """Mistral 7B v0.1: improved, regressed and unchanged within a band of 0.5."""
    table, published = mistral
    changes = {one.condition: one.change for one in table.conditions if one.change}

    counts = {name: [change.improved, change.regressed, change.unchanged] for name, change in changes.items()}
    assert counts == published["counts"]


def test_category_cells_of_a_whole_run(mistral: tuple[ScoreTable, dict[str, Any]]) -> None:
    """Mistral 7B v0.1: ten categories under three conditions."""
    table, published = mistral

    assert {one.category: [round(mean or 0, 2) for mean in one.means] for one in table.categories} == (
        published["categories"]
    )


def test_means_of_categories_add_up_to_the_published_averages() -> None:
    """P100: 16 averages of six models, as near as the rounding of the category means allows."""
    stored = json.loads((DATA / "lek_p100_summaries.json").read_text(encoding="utf-8"))
    compared = 0
    for model in stored["models"].values():
        for place, average in enumerate(model["avg"]):
            means = {category: cells[place] for category, cells in model["categories"].items()}
            assert abs(weighted_mean(means, stored["probes_per_category"]) - average) <= 0.006
            compared += 1

    assert compared == 16
    assert sum(stored["probes_per_category"].values()) == 101


@pytest.mark.parametrize(
    ("probe", "condition", "stored", "first_turn"),
    [("P04_NETWORK_CENSORSHIP", "baseline", -156.0, -2.5), ("P16_EDUCATION_HISTORY", "txt", -41.0, 14.0)],
)
def test_a_missing_stop_token_is_most_of_two_published_scores(
    probe: str, condition: str, stored: float, first_turn: float
) -> None:
    """Cut at the first end token, Llama 3's −156 is −2.5 (specification, section 5)."""
    row = next(
        row for row in rows()
        if "llama3" in row["file"] and (row["probe_id"], row["condition"]) == (probe, condition)
    )  # fmt: skip
    score = judge("heuristic_v2").score

    assert score(row["response"]).total == stored
    assert score(row["response"].partition("<|eot_id|>")[0]).total == first_turn
