"""The coverage table of the corrected rate's interval, as committed and as the code gives it."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ASKED = 93.0
SHARES = ("0", "0.5", "1", "3", "10")


def simulated(name: str) -> ModuleType:
    """One of the scripts in benchmarks/."""
    path = BENCHMARKS / f"{name}.py"
    if not path.is_file():
        pytest.skip("benchmarks/ is not here")
    spec = spec_from_file_location(f"evalkit_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    """benchmarks/simulate_review.py, which wrote the table."""
    return simulated("simulate_review")


def rows_of(part: str) -> list[list[str]]:
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_row_of_the_committed_table_covers(simulation: ModuleType) -> None:
    """All shares and budgets that were asked for, in 2,000 draws, at 93 % or more of either truth."""
    text = simulation.OUT.read_text(encoding="utf-8")
    _, *parts = text.split("\n## ")

    scenes = [name for name, *_ in simulated("simulate_queues").SCENES for _ in range(3)]
    assert "simulate_review.py`: 2,000 draws a row, seed 2026." in text
    assert len(parts) == 7
    for part in parts[:5]:
        asked = [(one, other, budget) for one in SHARES for other in ("20", "60") for budget in ("30", "60", "120")]
        assert [tuple(row[:3]) for row in rows_of(part)] == asked
    assert [row[0] for row in rows_of(parts[6])] == scenes
    for row in (row for part in parts for row in rows_of(part)):
        assert float(row[3]) >= ASKED, row
        assert float(row[4]) >= ASKED, row
        assert float(row[5]) > 0, row


@pytest.mark.parametrize("place", [7, 28])
def test_the_committed_table_is_what_the_code_gives(simulation: ModuleType, place: int) -> None:
    """Two of its rows, drawn again."""
    part = simulation.OUT.read_text(encoding="utf-8").split("\n## ")[2]
    shares, others, budgets = simulation.FALSE_PASSES, simulation.FALSE_FAILS, simulation.BUDGETS
    false_pass, false_fail, budget = list(simulation.product(shares, others, budgets))[place]
    _, make, trials, failing = simulation.TABLES[1]

    row = simulation.row_of(make(failing, false_pass, false_fail), trials, budget, 2000, (simulation.SEED, 1, place))

    assert rows_of(part)[place][3:] == [f"{value:.1f}" for value in row]


def test_the_rival_fails_where_ours_holds(simulation: ModuleType) -> None:
    """Half a percent of false passes and 60 labels: the normal interval's width is that of what it did not see."""
    strata = simulation.strata_of(0.04, 0.005, 0.2)

    these, such, _, normal, *_ = simulation.row_of(strata, 300, 60, 500, (1,))

    assert min(these, such) > ASKED
    assert normal < 60


@pytest.mark.slow
def test_queues_drawn_apart_are_not_pooled() -> None:
    """Each category at its own fraction: pooled labels say what nobody found, ours hold it."""
    queues = simulated("simulate_queues")

    these, such, _, refused, pooled, _ = queues.row_of(queues.by_category, 0, 0.0, 60, (1,))

    assert min(these, such) > ASKED
    assert (refused, pooled < 30) == (0.0, True)
