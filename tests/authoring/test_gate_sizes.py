"""Whether a category can bear out its gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from evalkit.authoring.gate_sizes import probes_needed, too_small
from evalkit.gates import Gate
from evalkit.stats import wilson_interval

if TYPE_CHECKING:
    from conftest import Made
    from evalkit.probe import Probe


def many(probe: Made, count: int, **keys: object) -> list[Probe]:
    return [probe("Why?", **keys) for _ in range(count)]


def gate(**keys: object) -> Gate:
    return Gate(**{"name": "g", "suite": "small", "metric": "pass_rate", **keys})  # type: ignore[arg-type]


@pytest.mark.parametrize("bound", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_needed_is_the_fewest(bound: float) -> None:
    """Wilson's interval of all passed lies above the bound with so many, and with one less does not."""
    needed = probes_needed(bound)

    assert wilson_interval(needed, needed).low >= bound > wilson_interval(needed - 1, needed - 1).low


def test_a_rate_that_so_few_cannot_show(probe: Made) -> None:
    """Told with the interval of the best possible result, and how many would do."""
    (found,) = too_small([gate(category="C", at_least=0.9)], many(probe, 12))

    assert (found.n, found.needed) == (12, 35)
    assert found.sentence == (
        "12 of 12 of C still leaves a 95 % interval down to 75.8 %, and it asks for 90.0 %; "
        "35 independent probes can show that"
    )
    assert too_small([gate(category="C", at_least=0.9)], many(probe, 35)) == []


def test_an_upper_bound(probe: Made) -> None:
    """The mirror image, for rates that must stay low."""
    (found,) = too_small([gate(metric="collapse_rate", at_most=0.05, end="high")], many(probe, 20))

    assert found.sentence == (
        "0 of 20 still leaves a 95 % interval up to 16.1 %, and it allows 5.0 %; "
        "73 independent probes can show that (it can never hold)"
    )


def test_a_family_counts_once(probe: Made) -> None:
    """Forty variants of one question are one question."""
    (found,) = too_small([gate(at_least=0.9)], many(probe, 40, cluster="one"))

    assert found.n == 1


def test_min_n_above_what_is_there(probe: Made) -> None:
    """Counted in trials, samples included."""
    (found,) = too_small([gate(metric="mean_score", min_n=30)], many(probe, 5, samples=4))

    assert found.sentence == "asks for min_n 30, and one target has 20 trials"
    assert too_small([gate(metric="mean_score", min_n=20)], many(probe, 5, samples=4)) == []


def test_a_gate_over_nothing(probe: Made) -> None:
    """A category that no probe has."""
    (found,) = too_small([gate(category="X", at_least=0.1)], many(probe, 5))

    assert found.sentence == "no probe of X is there for it to decide on"


@pytest.mark.parametrize(
    "keys",
    [
        {"at_least": 1.0}, {"at_most": 0.0, "metric": "error_rate"}, {"equals": 0.5, "tolerance": 0.1},
        {"metric": "mean_score", "at_least": 3.0}, {"against": "baseline"}, {"metric": "count", "at_most": 3.0},
    ],
)  # fmt: skip
def test_gates_that_no_size_is_asked_of(probe: Made, keys: dict[str, object]) -> None:
    """All or none are rules about counts; scores and comparisons have other intervals."""
    assert too_small([gate(**keys)], many(probe, 3)) == []
