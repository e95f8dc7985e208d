"""Trials of which a few other labels would change what came of a gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evalkit.gates import Gate, evaluate
from evalkit.record import TrialRecord
from evalkit.reviewing.gate_reach import within_reach

Make = Callable[..., Any]


def gate(metric: Any = "pass_rate", **bounds: Any) -> Gate:
    return Gate("g", "honesty", metric, **bounds)


def reached(one: Gate, records: list[TrialRecord]) -> set[str]:
    return within_reach(evaluate([one], records, {}), records)


def numbers(first: int, last: int) -> set[str]:
    return {f"t{n}" for n in range(first, last)}


@pytest.mark.parametrize(
    ("bound", "expected"),
    [(0.9, numbers(0, 90)), (0.88, numbers(0, 90)), (0.93, numbers(90, 100)), (0.8, set()), (0.99, set())],
)
def test_a_pass_rate_near_its_bound(make_record: Make, bound: float, expected: set[str]) -> None:
    """Three labels of a hundred may be wrong: passes where these would sink the gate, fails where they save it."""
    records = [make_record(n, "pass" if n < 90 else "fail") for n in range(100)]

    assert reached(gate(at_least=bound), records) == expected


def test_every_target_of_its_own(make_record: Make) -> None:
    """Where one is near its bound, the others' trials are none the nearer; another suite's and references' neither."""
    near = [make_record(n, "fail" if n == 0 else "pass") for n in range(10)]
    safe = [make_record(n, "pass", target="safe:fp32:naked:greedy") for n in range(20, 60)]
    other = [
        make_record(70, "fail", suite="other"),
        make_record(71, "fail", role="reference"),
        make_record(72, "error"),
    ]

    assert reached(gate(at_least=0.95), [*near, *safe, *other]) == {"t0"}


def test_what_a_metric_counts(make_record: Make, make_verdict: Make) -> None:
    """A collapse that is none, a refusal that was due and an open trial that a person decides may each save a gate."""
    refusal = make_verdict(outcome="fail", labels={"failure_type": "OVER_REFUSAL"})
    records = [make_record(n) for n in range(97)]
    records += [
        make_record(97, "fail", flags=("collapsed",)), make_record(98, "fail", verdicts=(refusal,)),
        make_record(99, "unscored"),
    ]  # fmt: skip

    assert reached(gate("collapse_rate", at_most=0.0), records) == {"t97"}
    assert reached(gate("over_refusal_rate", at_most=0.0), records) == {"t98"}
    assert reached(gate("unscored_rate", at_most=0.0), records) == {"t99"}
    assert reached(gate("fabrication_rate", at_most=0.0), records) == set()
    assert reached(gate("error_rate", at_most=0.0), records) == set()


def test_an_end_of_the_interval(make_record: Make) -> None:
    """Is what is moved where the gate looks at it."""
    records = [make_record(n, "pass" if n < 98 else "fail") for n in range(100)]

    assert reached(gate(at_least=0.95, end="low"), records) == {"t98", "t99"}
    assert reached(gate(at_least=0.97, end="low"), records) == set()


def test_gates_that_labels_do_not_move(make_record: Make) -> None:
    """Undecided ones, comparisons and those of other conditions; a gate's category narrows what it moves."""
    records = [make_record(n, "fail" if n == 0 else "pass", category="ab"[n % 2]) for n in range(10)]
    (result,) = evaluate([gate(at_least=0.95)], records, {})

    assert within_reach([replace(result, outcome="undecided")], records) == set()
    assert within_reach([replace(result, gate=replace(result.gate, against="baseline"))], records) == set()
    assert within_reach([replace(result, gate=replace(result.gate, condition="kind"))], records) == set()
    assert reached(gate(at_least=0.95, category="b"), records) == {f"t{n}" for n in (1, 3, 5, 7, 9)}
