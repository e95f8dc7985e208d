"""What gates measure, what they say, and what a run exits with."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.gates import Gate, GateResult, evaluate, exit_status
from evalkit.record import TrialRecord

CALM = settings(deadline=None)  # a busy machine is no failure
STEADY = "demo+steady:fp32:naked:greedy"
LOOPING = "demo+looping:fp32:naked:greedy"


def trials(counts: str, target: str = STEADY, suite: str = "it", **changes: Any) -> list[TrialRecord]:
    """Records from letters: p pass, f fail, u unscored, e error, c a collapsed fail."""
    outcomes = {"p": "pass", "f": "fail", "u": "unscored", "e": "error", "c": "fail"}
    return [
        TrialRecord(
            **{
                "trial": f"{suite}/a.yaml::p{number}[{target}]", "suite": suite, "file": f"suites/{suite}/a.yaml",
                "line": number, "probe": f"p{number}", "category": "CONTROL", "target": target,
                "outcome": outcomes[letter], "reason": "", "flags": ("collapsed",) if letter == "c" else (),
            }
            | changes
        )
        for number, letter in enumerate(counts)
    ]  # fmt: skip


def whole(records: Sequence[TrialRecord]) -> dict[str, tuple[int, int]]:
    """Every planned trial was selected and finished."""
    suites = dict.fromkeys(record.suite for record in records)
    return {suite: (count, count) for suite in suites if (count := sum(r.suite == suite for r in records))}


def gate(**changes: Any) -> Gate:
    """A gate of the suite ``it``; at least 80 % pass unless changed."""
    settings: dict[str, Any] = {"name": "g", "suite": "it", "metric": "pass_rate"} | changes
    if not {"at_least", "at_most"} & set(changes):
        settings["at_least"] = 0.8
    return Gate(**settings)


def result_of(rule: Gate, records: list[TrialRecord]) -> GateResult:
    (result,) = evaluate([rule], records, whole(records))
    return result


def told(result: GateResult) -> tuple[str, float | None, int, str]:
    return result.outcome, result.measured, result.n, result.sentence


@pytest.mark.parametrize(
    ("rule", "counts", "outcome", "measured", "n", "sentence"),
    [
        (gate(), "ppppf", "pass", 0.8, 5,
         "pass rate of {t} is 80.0 % (4 of 5 scored trials, 95 % interval 37.6 to 96.4 %), "
         "at least 80 % wanted"),
        (gate(), "pppff", "fail", 0.6, 5,
         "pass rate of {t} is 60.0 % (3 of 5 scored trials, 95 % interval 23.1 to 88.2 %), "
         "at least 80 % wanted"),
        (gate(), "ppppfuue", "pass", 0.8, 5,
         "pass rate of {t} is 80.0 % (4 of 5 scored trials, 95 % interval 37.6 to 96.4 %), "
         "at least 80 % wanted"),
        (gate(metric="collapse_rate", at_most=0.1), "pcpue", "fail", 0.25, 4,
         "collapse rate of {t} is 25.0 % (1 of 4 answered trials, 95 % interval 4.6 to 69.9 %), "
         "at most 10 % wanted"),
        (gate(metric="collapse_rate", at_least=0.8, because="it loops"), "ccccp", "pass", 0.8, 5,
         "collapse rate of {t} is 80.0 % (4 of 5 answered trials, 95 % interval 37.6 to 96.4 %), "
         "at least 80 % wanted. it loops"),
        (gate(metric="unscored_rate", at_most=0.5), "puue", "fail", 2 / 3, 3,
         "unscored rate of {t} is 66.7 % (2 of 3 answered trials, 95 % interval 20.8 to 93.9 %), "
         "at most 50 % wanted"),
        (gate(metric="error_rate", at_most=0.0), "ppue", "fail", 0.25, 4,
         "error rate of {t} is 25.0 % (1 of 4 trials, 95 % interval 4.6 to 69.9 %), "
         "at most 0 % wanted"),
        (gate(at_least=0.2, at_most=0.7), "pppf", "fail", 0.75, 4,
         "pass rate of {t} is 75.0 % (3 of 4 scored trials, 95 % interval 30.1 to 95.4 %), "
         "at least 20 % and at most 70 % wanted"),
        (gate(category="CONTROL"), "pppp", "pass", 1.0, 4,
         "pass rate of {t} in CONTROL is 100.0 % (4 of 4 scored trials, 95 % interval 51.0 to 100.0 %), "
         "at least 80 % wanted"),
    ],
)  # fmt: skip
def test_a_gate_says_what_it_measured(
    rule: Gate, counts: str, outcome: str, measured: float, n: int, sentence: str
) -> None:
    """Outcome, share, denominator and sentence, for every metric and bound."""
    result = result_of(rule, trials(counts))

    assert told(result) == (outcome, measured, n, sentence.format(t=STEADY))
    assert (result.gate, result.target) == (rule, STEADY)


@pytest.mark.parametrize(
    ("rule", "counts", "sentence"),
    [
        (gate(), "uue",
         "not measurable: pass rate of {t} divides by scored trials, found 0 of 3; at least 80 % wanted"),
        (gate(metric="collapse_rate"), "ee",
         "not measurable: collapse rate of {t} divides by answered trials, found 0 of 2; at least 80 % wanted"),
        (gate(category="CONTRLO"), "pp", "not measurable: {t} has no trial in CONTRLO"),
        (Gate("g", "it", "pass_rate"), "pp", "not measurable: it has no bound"),
    ],
)  # fmt: skip
def test_a_gate_with_nothing_to_divide_by_is_undecided(rule: Gate, counts: str, sentence: str) -> None:
    """Nothing measured is never a pass."""
    result = result_of(rule, trials(counts))

    assert told(result) == ("undecided", None, 0, sentence.format(t=STEADY))


def test_each_target_is_measured_on_its_own_and_the_worst_decides() -> None:
    """A good target cannot hide a bad one behind a common mean."""
    records = trials("ppppp", "a:fp32:naked:greedy") + trials("pfffp", "b:fp32:naked:greedy")

    result = result_of(gate(at_least=0.5), records)
    assert result.outcome == "fail"
    assert result.sentence == (
        "pass rate of b:fp32:naked:greedy, the worst of 2 targets, is 40.0 % (2 of 5 scored trials, "
        "95 % interval 11.8 to 76.9 %), at least 50 % wanted"
    )


def test_a_breach_is_said_before_what_cannot_be_measured() -> None:
    """With one target breached and one unmeasurable the gate is breached."""
    assert result_of(gate(), trials("ff", "a:x:y:z") + trials("uu", "b:x:y:z")).outcome == "fail"


@pytest.mark.parametrize(
    ("pattern", "outcome"),
    [
        ("*", "pass"),
        (STEADY, "pass"),
        (LOOPING, "fail"),
        ("demo+looping:*", "fail"),
        ("demo+*", "fail"),
        ("DEMO+*", "not_applicable"),
        ("gemma*", "not_applicable"),
    ],
)
def test_targets_are_matched_by_label_or_glob(pattern: str, outcome: str) -> None:
    """``*`` is every subject; a narrower glob reaches references too; case matters."""
    records = trials("pppp") + trials("cccc", LOOPING, role="reference")

    assert result_of(gate(target=pattern), records).outcome == outcome


def test_a_gate_without_trials_of_its_target_is_not_applicable() -> None:
    """The target is named, so that a typo can be seen."""
    result = result_of(gate(target="gemma*"), trials("ff"))

    assert result == GateResult(
        result.gate, "not_applicable", None, 0, "not applicable: no trial of any target 'gemma*' in this run"
    )


def test_a_gate_of_a_suite_that_did_not_run_is_not_applicable() -> None:
    """The suite is named, not the target, which may well be in the run."""
    result = result_of(gate(), trials("ff", suite="other"))

    assert (result.outcome, result.sentence) == ("not_applicable", "not applicable: suite 'it' is not in this run")


def test_the_default_target_is_not_applicable_in_a_run_of_references_only() -> None:
    """A reference is not held to the standard of subjects."""
    result = result_of(gate(), trials("cc", LOOPING, role="reference"))

    assert result.outcome == "not_applicable"
    assert result.sentence == "not applicable: no trial of any subject in this run"


def test_a_gate_looks_at_its_own_suite_only() -> None:
    """Another suite's failures do not count."""
    assert result_of(gate(), trials("ppp") + trials("fff", suite="other")).outcome == "pass"


@pytest.mark.parametrize(
    ("selected", "sentence"), [((3, 96), "not decided: 3 of 96 selected"), ((96, 96), "not decided: 3 of 96 finished")]
)
def test_gates_do_not_decide_about_a_part_of_the_plan(selected: tuple[int, int], sentence: str) -> None:
    """With -k, -m, --lf, a limit, -x or an interrupt the figures are not those the gate was written for."""
    (result,) = evaluate([gate()], trials("fff"), {"it": selected})

    assert (result.outcome, result.measured, result.sentence) == ("undecided", None, sentence)


@given(st.randoms())
@CALM
def test_results_do_not_depend_on_the_order_of_records(random: Random) -> None:
    """Workers finish in any order."""
    records = trials("ppfuc", "a:x:y:z") + trials("pcefu", "b:x:y:z") + trials("fffff", "c:x:y:z")
    gates = [gate(), gate(metric="collapse_rate", at_most=0.2), gate(target="b*", metric="error_rate", at_most=0)]
    shuffled = random.sample(records, len(records))

    assert evaluate(gates, shuffled, whole(records)) == evaluate(gates, records, whole(records))


REFERENCE = trials("ff", LOOPING, role="reference")
HOLDS, BREACHED, NO_SUCH_TARGET = gate(at_least=0.1), gate(name="passes"), gate(target="gemma*")
UNMEASURABLE = gate(name="coverage", category="NONE")


@pytest.mark.parametrize(
    ("pytest_status", "records", "gates", "expected", "sentences"),
    [
        pytest.param(0, trials("ppp"), [], 0, [], id="all pass, no gates"),
        pytest.param(1, trials("ppf"), [], 1, ["it: 1 failing probe and no gates"], id="a failing probe, no gates"),
        pytest.param(0, trials("ppp") + REFERENCE, [], 0, [], id="references may fail"),
        pytest.param(1, trials("ppff"), [HOLDS], 0, ["it: gates hold: 2 failing probes are within the allowance"],
                     id="gates hold"),
        pytest.param(1, trials("pppf"), [HOLDS], 0, ["it: gates hold: 1 failing probe is within the allowance"],
                     id="gates hold, one failing"),
        pytest.param(0, trials("pppp"), [HOLDS], 0, ["it: gates hold: no failing probes"],
                     id="gates hold, none failing"),
        pytest.param(1, trials("ppf"), [HOLDS, BREACHED], 1, ["it: gates breached: passes"], id="one gate breached"),
        pytest.param(0, trials("pp"), [HOLDS, gate(name="few", at_most=0.5)], 1, ["it: gates breached: few"],
                     id="breached though nothing failed"),
        pytest.param(1, trials("ppf"), [HOLDS, BREACHED, UNMEASURABLE], 1,
                     ["it: gates breached: passes; gates undecided: coverage"], id="breached and unmeasurable"),
        pytest.param(0, trials("pp"), [HOLDS, UNMEASURABLE], 1, ["it: gates undecided: coverage"],
                     id="undecided with the whole plan run"),
        pytest.param(1, trials("ppf"), [NO_SUCH_TARGET], 1,
                     ["it: 1 failing probe; its gates apply to no target of this run"], id="no gate applies, failing"),
        pytest.param(0, trials("ppp"), [NO_SUCH_TARGET], 0, [], id="no gate applies, passing"),
        pytest.param(1, trials("ppf"), [HOLDS, NO_SUCH_TARGET], 0,
                     ["it: gates hold: 1 failing probe is within the allowance"], id="an inapplicable gate is ignored"),
        pytest.param(1, trials("ppe"), [HOLDS], 1,
                     ["it: 1 of 3 trials ended in an error, which no gate excuses",
                      "it: gates hold: no failing probes"], id="an error in spite of gates"),
        pytest.param(0, trials("ppp") + trials("pe", LOOPING, role="reference"), [], 1,
                     ["it: 1 of 5 trials ended in an error, which no gate excuses"], id="an error of a reference"),
        pytest.param(0, trials("u"), [], 1, ["it: nothing was scored: 0 of 1 trial"], id="nothing scored"),
        pytest.param(0, trials("ppuu"), [], 1,
                     ["it: 2 of 4 answered trials (50.0 %) were not scored, "
                      "more than the 20 % that max_unscored allows"],
                     id="too much unscored"),
        pytest.param(0, trials("ppppu"), [], 0, [], id="just enough scored"),
        pytest.param(0, trials("ppppu"), [HOLDS], 0, ["it: gates hold: no failing probes"],
                     id="gates and coverage"),
        pytest.param(1, trials("ff") + trials("ff", suite="zz"), [gate(at_least=0.0)], 1,
                     ["it: gates hold: 2 failing probes are within the allowance", "zz: 2 failing probes and no gates"],
                     id="gates allow only their own suite"),
        pytest.param(1, trials("pp"), [HOLDS], 1, ["it: gates hold: no failing probes"],
                     id="a 1 that no probe explains stands"),
        pytest.param(1, [], [], 1, [], id="a 1 without any probe stands"),
        pytest.param(0, [], [], 0, [], id="a run without probes"),
        *(pytest.param(status, trials("ppp"), [], status, [], id=f"pytest's {status} stands, all pass")
          for status in (2, 3, 4, 5)),
        *(pytest.param(status, trials("ppf"), [BREACHED], status, ["it: gates breached: passes"],
                       id=f"pytest's {status} stands, breached") for status in (2, 3, 4, 5)),
    ],
)  # fmt: skip
def test_exit_status_of_a_whole_run(
    pytest_status: int, records: list[TrialRecord], gates: list[Gate], expected: int, sentences: list[str]
) -> None:
    """Every line of the design's section, with the sentences that explain it."""
    selected = whole(records)
    results = evaluate(gates, records, selected)

    status = exit_status(pytest_status, records, results, other_failures=0, max_unscored={}, selected=selected)

    assert status == (expected, tuple(sentences))


@pytest.mark.parametrize(
    ("pytest_status", "counts", "selected", "expected", "missing"),
    [
        (0, "ppp", (3, 96), 0, "3 of 96 selected"),
        (1, "ppf", (3, 96), 1, "3 of 96 selected"),
        (1, "ppf", (96, 96), 1, "3 of 96 finished"),
        (2, "ppp", (96, 96), 2, "3 of 96 finished"),
    ],
)
def test_undecided_gates_leave_pytests_own_status(
    pytest_status: int, counts: str, selected: tuple[int, int], expected: int, missing: str
) -> None:
    """With a part of the plan, a failing probe fails the run as it would without gates."""
    records = trials(counts)
    results = evaluate([HOLDS, BREACHED], records, {"it": selected})

    status = exit_status(pytest_status, records, results, other_failures=0, max_unscored={}, selected={"it": selected})

    assert status == (expected, (f"it: gates not decided: {missing}; pytest's own status stands",))


@pytest.mark.parametrize(("count", "words"), [(1, "1 failure or error"), (2, "2 failures or errors")])
def test_gates_excuse_no_failure_outside_the_probes(count: int, words: str) -> None:
    """A failing ordinary test fails the run although the gates hold."""
    records = trials("ppff")
    results = evaluate([HOLDS], records, whole(records))

    status = exit_status(1, records, results, other_failures=count, max_unscored={}, selected=whole(records))
    assert status == (1, ("it: gates hold: 2 failing probes are within the allowance", f"{words} outside the probes"))


@pytest.mark.parametrize(("limit", "expected"), [(0.5, 0), (0.49, 1), (0.0, 1), (1.0, 0)])
def test_max_unscored_is_the_suites_own(limit: float, expected: int) -> None:
    """A suite may allow more or less than 20 %; exactly the limit is allowed."""
    records = trials("ppuu")

    status, _ = exit_status(0, records, [], other_failures=0, max_unscored={"it": limit}, selected=whole(records))

    assert status == expected


def test_suites_are_told_in_the_order_of_the_plan() -> None:
    """The order of arrival does not change what is printed; suites the plan does not name come last."""
    records = trials("f", suite="b") + trials("f", suite="zz") + trials("f", suite="a")

    _, sentences = exit_status(
        1, records, [], other_failures=0, max_unscored={}, selected={"b": (1, 1), "empty": (0, 4), "a": (1, 1)}
    )

    assert [sentence.partition(":")[0] for sentence in sentences] == ["b", "a", "zz"]
