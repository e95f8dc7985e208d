"""Gates on the corrected pass rate, whose labels come from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from evalkit.gates import CorrectedPassRate, Gate, Surroundings, evaluate
from evalkit.record import TrialRecord

RECORDS = [
    TrialRecord(f"t{n}", "bank", "suites/bank/a.yaml", n + 1, f"p{n}", "dates" if n < 5 else "names", "m", "pass", "")
    for n in range(10)
]
NOBODY = "nobody labelled any of these answers. Begin with: evalkit review latest"


def gate(**more: Any) -> Gate:
    return Gate(**{"name": "g", "suite": "bank", "metric": "corrected_pass_rate", "at_least": 0.8, **more})


def decided(rule: Gate, rate: CorrectedPassRate | None) -> tuple[str, str]:
    asked: list[Sequence[str]] = []

    def rate_of(trials: Sequence[str]) -> CorrectedPassRate:
        asked.append(trials)
        assert rate is not None
        return rate

    around = Surroundings(corrected=None if rate is None else rate_of)
    (found,) = evaluate([rule], RECORDS, {"bank": (10, 10)}, around)
    assert all(set(trials) <= {record.trial for record in RECORDS} for trials in asked)
    return found.outcome, found.sentence


KNOWN = CorrectedPassRate(0.9, 0.75, 0.96, 10, 6)


@pytest.mark.parametrize(
    ("more", "rate", "expected"),
    [
        ({}, KNOWN, ("pass", "corrected pass rate of m is 90.0 % (6 of 10 answers reviewed, 95 % interval 75.0 to "
                             "96.0 %), at least 80 % wanted")),
        ({"end": "low"}, KNOWN, ("fail", "corrected pass rate of m is 90.0 % (6 of 10 answers reviewed, 95 % interval "
                                         "75.0 to 96.0 %), its low end at least 80 % wanted")),
        ({"category": "dates"}, KNOWN, ("pass", "corrected pass rate of m in dates is 90.0 % (6 of 10 answers "
                                                "reviewed, 95 % interval 75.0 to 96.0 %), at least 80 % wanted")),
        ({"category": "gone"}, KNOWN, ("undecided", "not measurable: m has no trial in gone")),
        ({}, None, ("undecided", f"not decided: corrected pass rate of m: {NOBODY}")),
        ({}, CorrectedPassRate(None, 0.0, 1.0, 10, 0, "x"),
         ("undecided", f"not decided: corrected pass rate of m: {NOBODY}")),
        ({}, CorrectedPassRate(None, 0.1, 1.0, 10, 3, "none of the 7 passes was reviewed"),
         ("undecided", "not decided: corrected pass rate of m: none of the 7 passes was reviewed")),
        ({"min_n": 7}, KNOWN,
         ("undecided", "not decided: corrected pass rate of m: 6 reviewed answers, min_n wants 7")),
        ({"coverage": 0.7}, KNOWN, ("undecided", "not decided: corrected pass rate of m: 6 of 10 answers reviewed "
                                                 "(60 %), coverage wants 70 %")),
    ],
)  # fmt: skip
def test_a_corrected_rate_is_decided(
    more: dict[str, Any], rate: CorrectedPassRate | None, expected: tuple[str, str]
) -> None:
    """Within its bounds, at the end that is asked for; undecided where labels are missing or too few."""
    assert decided(gate(**more), rate) == expected
