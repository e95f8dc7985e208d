"""Trials of which a few other labels would change what came of a gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evalkit.gates import CorrectedPassRate, Gate, Surroundings, evaluate
from evalkit.record import TrialRecord
from evalkit.reviewing.gate_reach import for_each_target, within_reach

Make = Callable[..., Any]
KNOWN = CorrectedPassRate(0.905, 0.8, 0.95, 100, 30)


def gate(metric: Any = "corrected_pass_rate", **bounds: Any) -> Gate:
    return Gate("g", "honesty", metric, **bounds)


def reached(one: Gate, records: list[TrialRecord], rate: CorrectedPassRate | None = KNOWN) -> set[str]:
    around = Surroundings(corrected=None if rate is None else lambda _: rate)
    return within_reach(evaluate([one], records, {}, around), records)


def numbers(first: int, last: int) -> set[str]:
    return {f"t{n}" for n in range(first, last)}


def hundred(make: Make) -> list[TrialRecord]:
    return [make(n, "pass" if n < 90 else "fail") for n in range(100)]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"at_least": 0.9}, numbers(0, 90)),
        ({"at_least": 0.93}, numbers(90, 100)),
        ({"at_least": 0.8}, set()),
        ({"at_least": 0.99}, set()),
        ({"at_least": 0.78, "end": "low"}, numbers(0, 90)),
        ({"equals": 0.905, "tolerance": 0.01}, numbers(0, 100)),
        ({"at_least": 0.9, "min_n": 31}, numbers(0, 100)),
    ],
)
def test_a_corrected_rate_near_its_bound(make_record: Make, bounds: dict[str, Any], expected: set[str]) -> None:
    """Three of a hundred may be wrong: passes where these would sink it, fails where they save it, else both."""
    assert reached(gate(**bounds), hundred(make_record)) == expected


def test_a_gate_that_waits_for_labels(make_record: Make) -> None:
    """Every pass and fail of a subject is worth reading; errors and unscored trials are not in its rate."""
    records = [
        make_record(0), make_record(1, "fail"), make_record(2, "unscored"), make_record(3, "error"),
        make_record(4, suite="other"), make_record(5, role="reference"), make_record(6, category="names"),
    ]  # fmt: skip

    assert reached(gate(at_least=0.9), records, None) == {"t0", "t1", "t6"}
    assert reached(gate(at_least=0.9, category="names"), records, None) == {"t6"}
    assert reached(gate(at_least=0.9, condition="kind"), records, None) == set()


def test_the_worst_target_of_a_decided_gate(make_record: Make) -> None:
    """Its trials could change the result; another target's could not."""
    records = [*hundred(make_record), make_record(200, target="safe:fp32:naked:greedy")]
    around = Surroundings(corrected=lambda trials: replace(KNOWN, rate=1.0) if "t200" in trials else KNOWN)

    assert within_reach(evaluate([gate(at_least=0.9)], records, {}, around), records) == numbers(0, 90)


def test_every_target_of_a_gate(make_record: Make) -> None:
    """Each is decided on its own: one close to the bound is in reach, also where another one is the worst."""
    near, far, safe = "near:fp32:naked:greedy", "far:fp32:naked:greedy", "safe:fp32:naked:greedy"
    records = [
        make_record(100 * place + n, "pass" if n < 90 else "fail", target=target)
        for place, target in enumerate((near, far, safe)) for n in range(100)
    ]  # fmt: skip
    records.append(make_record(900, target="bad:fp32:naked:greedy", role="reference"))
    rates = {"t0": 0.905, "t100": 0.2, "t200": 1.0}
    around = Surroundings(corrected=lambda trials: replace(KNOWN, rate=rates[min(trials)]))
    gates = [gate(at_least=0.9), gate("pass_rate", at_least=0.9), gate()]
    each = for_each_target(gates, records)

    assert [one.target for one in each] == [far, near, safe]
    assert within_reach(evaluate(gates[:1], records, {}, around), records) == set()
    assert within_reach(evaluate(each, records, {}, around), records) == numbers(0, 90)
    assert for_each_target([gate(at_least=0.9, target="bad*")], records)[0].target == "bad:fp32:naked:greedy"


@pytest.mark.parametrize("metric", ["pass_rate", "unscored_rate", "collapse_rate"])
def test_other_metrics_are_not_moved(make_record: Make, metric: str) -> None:
    """They say what the judges say, whatever people do."""
    assert reached(gate(metric, at_least=0.9), hundred(make_record)) == set()
