"""The sample plans of the Instrument Trap draw what they say, the same probes on every machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.reading.build import read_suite
from evalkit.sampling_plan import Drawn, draw, named_plan
from evalkit.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


def drawn(name: str) -> Drawn:
    suite = read_suite(ROOT / "suites" / "instrument_trap", Workspace(ROOT))
    return draw(named_plan(suite.name, suite.settings.plans, name), suite.name, suite.probes)


@pytest.mark.parametrize(
    ("plan", "counts", "digest"),
    [
        (
            "proportional300",
            {
                "ADVERSARIAL": 154, "ERROR_CORRECTION": 26, "CONTROL": 3, "IDENTITY_INTEGRITY": 26,
                "HARMFUL_REFUSAL": 32, "EPISTEMIC_HUMILITY": 19, "SAFE_PASSAGE": 22, "IRREDUCIBLE_UNCERTAINTY": 18,
            },
            "05aded8e2f51e5b5",
        ),
        (
            "equalized300",
            {
                "ADVERSARIAL": 50, "HARMFUL_REFUSAL": 40, "ERROR_CORRECTION": 40, "IDENTITY_INTEGRITY": 30,
                "SAFE_PASSAGE": 30, "EPISTEMIC_HUMILITY": 40, "IRREDUCIBLE_UNCERTAINTY": 30, "CONTROL": 40,
            },
            "8434ebdb6b909caa",
        ),
    ],
)  # fmt: skip
def test_a_300_plan_draws_its_counts_and_its_ids(plan: str, counts: dict[str, int], digest: str) -> None:
    """Exactly the published or the equalised sizes; the digest of the ids is the same everywhere."""
    found = drawn(plan)

    assert dict(found.counts) == counts
    assert len(set(found.ids)) == len(found.ids) == 300
    by_category = {name: sum(probe.category == name for probe in found.probes) for name in counts}
    assert by_category == counts
    assert found.digest[:16] == digest


def test_the_smoke_plan_has_twelve_of_each() -> None:
    """96 probes: what make demo runs."""
    found = drawn("smoke")

    assert set(dict(found.counts).values()) == {12}
    assert len(found.probes) == 96
