"""Comparisons fit the width whatever they hold, and are never cut where they are plain values."""

from __future__ import annotations

import json
import random

import pytest

from evalkit.comparing import METRICS, Side, compare
from evalkit.measured import Measured
from evalkit.reporting.comparison import comparison_lines
from evalkit.reporting.comparison_json import plain_comparison
from evalkit.reporting.layout import display_width

OUTCOMES = ("pass", "pass", "pass", "pass", "fail", "unscored", "error")


def random_side(draw: random.Random) -> Side:
    """Up to 40 probes with samples, clusters, edits, other judges and missing numbers."""
    trials = []
    for number in range(draw.choice((0, 1, 2, 3, 8, 40))):
        for sample in range(draw.choice((1, 1, 1, 3))):
            trials.append(
                Measured(
                    trial=f"{number}.{sample}", suite=draw.choice("sst"), probe=f"p{number}", target="t",
                    category=draw.choice(("CONTROL", "検索と回答")), outcome=draw.choice(OUTCOMES),  # type: ignore[arg-type]
                    file="suites/s/a-file-with-a-long-name.yaml", line=number, sample=sample,
                    cluster=draw.choice((None, f"c{number // 3}")), probe_hash=draw.choice(("h",) * 9 + ("", "x")),
                    judges={"text": draw.choice("aaab")}, words=draw.choice((None, 5, 900)), finishes=("stop",),
                    scores={"text": draw.uniform(-99, 99)} if draw.random() < 0.8 else {},
                    reason="text: a reason\x1b[31m that goes on for longer than a line of a terminal would hold",
                )
            )  # fmt: skip
    return Side("X", tuple(trials))


@pytest.mark.parametrize("seed", range(40))
def test_any_comparison_can_be_shown(seed: int) -> None:
    """No crash, no line too wide, no number that JSON lacks."""
    draw = random.Random(seed)
    before, after = random_side(draw), random_side(draw)

    for metric in METRICS:
        found = compare(before, after, metric, margin=draw.choice((None, 0.0, 0.1)))
        for width in (80, 120):
            lines = comparison_lines(found, None, by="category", width=width)
            assert max(map(display_width, lines), default=0) <= width
        json.dumps(plain_comparison(found), allow_nan=False)
        assert found.sentence.startswith(f"{found.verdict}: ")


def test_lengths_have_a_table_of_their_own_where_one_is_too_wide() -> None:
    """Scores with samples take the most room."""
    trials = tuple(
        Measured(
            trial=f"{number}.{sample}", suite="s", probe=f"p{number}", target="t", category="C", outcome="pass",
            sample=sample, judges={"lek": "1"}, scores={"lek": -10.0 * number}, words=900, probe_hash="h",
        )
        for number in range(4) for sample in range(2)
    )  # fmt: skip
    found = compare(Side("X", trials), Side("X", trials), "mean_score")

    narrow, wide = (comparison_lines(found, None, by="category", width=width) for width in (80, 120))

    assert narrow[:8] == [
        "side    probes  trials  mean score         95 %  median     sd",
        "------  ------  ------  ----------  -----------  ------  -----",
        "before       4       8      −15.00  −35.54–5.54  −15.00  12.91",
        "after        4       8      −15.00  −35.54–5.54  −15.00  12.91",
        "side    words  r(words)  cut",
        "------  -----  --------  ---",
        "before    900         -    -",
        "after     900         -    -",
    ]
    assert wide[0] == ("side    probes  trials  mean score         95 %  median     sd  words  r(words)  cut")
