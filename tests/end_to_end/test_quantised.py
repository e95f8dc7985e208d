"""One adapter in several quantisations in one run, by bitsandbytes on this machine's CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Desk

pytestmark = pytest.mark.slow

LABELS = ["demo+steady:nf4:naked:greedy", "demo+steady:int8:naked:greedy", "demo+steady:fp32:naked:greedy"]


def test_one_adapter_in_three_quantisations_in_one_run(desk: Desk) -> None:
    """Three blocks in the table, every answer stored, and as many loads as there are weight sets."""
    desk.copy_suite("instrument_trap")
    chosen = ["--eval-model", "demo", "--eval-adapter", "steady"]
    quantisations = ["--eval-quant", "nf4", "--eval-quant", "int8", "--eval-quant", "fp32"]

    _, output = desk.run("suites/instrument_trap", "--eval-limit", "4", "-n", "2", *chosen, *quantisations)

    titles = [line.removesuffix(" (subject)") for line in output.splitlines() if line.endswith(" (subject)")]
    assert sorted(titles) == sorted(LABELS), output
    results = desk.results()
    assert sorted({line["target"] for line in results}) == sorted(LABELS)
    assert len(results) == 3 * 4
    assert not [line["reason"] for line in results if line["outcome"] == "error"]
    assert sorted(desk.identities()) == sorted({name for line in results for name in line["generations"]})
    assert len(desk.identities()) == 3 * 4
    assert desk.loads() == 3
