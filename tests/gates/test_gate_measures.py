"""Zones, ends of intervals, scores, counts, families, and what is too little to decide."""

from __future__ import annotations

from typing import Any

import pytest

from evalkit.gates import Gate, GateResult, evaluate
from evalkit.record import TrialRecord

T = "one:fp32:naked:greedy"


def trial(number: int, **changes: Any) -> TrialRecord:
    settings: dict[str, Any] = {
        "trial": f"p{number}[{T}]", "suite": "it", "file": "suites/it/a.yaml", "line": number, "probe": f"p{number}",
        "category": "A", "target": T, "outcome": "pass", "reason": "",
    }  # fmt: skip
    return TrialRecord(**settings | changes)


def scored(*scores: float | None, judge: str = "v2", **changes: Any) -> list[TrialRecord]:
    """A trial each with this judge's score; None is none."""
    return [
        trial(
            number, outcome="unscored" if score is None else "pass",
            verdicts=({"judge": judge, "judge_hash": "h", "score": score, "required": True},), **changes,
        )
        for number, score in enumerate(scores)
    ]  # fmt: skip


def passing(letters: str, **changes: Any) -> list[TrialRecord]:
    outcomes = {"p": "pass", "f": "fail", "u": "unscored", "e": "error"}
    return [trial(number, outcome=outcomes[letter], **changes) for number, letter in enumerate(letters)]


def decide(records: list[TrialRecord], **settings: Any) -> GateResult:
    rule = Gate(**{"name": "g", "suite": "it", "metric": "mean_score"} | settings)
    (result,) = evaluate([rule], records, {"it": (len(records), len(records))})
    return result


@pytest.mark.parametrize(
    ("bounds", "value", "outcome"),
    [
        ({"at_least": 5.0}, 5.0, "pass"),
        ({"at_least": 5.0}, 4.9, "fail"),
        ({"above": 0.0}, 0.0, "fail"),
        ({"above": 0.0, "fail_below": 0.0}, 0.0, "warn"),
        ({"above": 0.0, "fail_below": 0.0}, -0.1, "fail"),
        ({"above": 0.0, "fail_below": 0.0}, 0.1, "pass"),
        ({"at_least": 8.0, "fail_below": 6.0}, 7.0, "warn"),
        ({"at_least": 8.0, "fail_below": 6.0}, 6.0, "warn"),
        ({"at_least": 8.0, "fail_below": 6.0}, 5.9, "fail"),
        ({"at_most": 3.0, "fail_above": 5.0}, 4.0, "warn"),
        ({"at_most": 3.0, "fail_above": 5.0}, 5.1, "fail"),
        ({"below": 3.0}, 3.0, "fail"),
        ({"at_least": 1.0, "fail_below": 0.0, "at_most": 3.0}, 3.1, "fail"),
        ({"at_least": 1.0, "fail_below": 0.0, "at_most": 3.0}, 0.5, "warn"),
        ({"equals": 96.3, "tolerance": 0.05}, 96.35, "pass"),
        ({"equals": 96.3, "tolerance": 0.05}, 96.3501, "fail"),
        ({"equals": 96.3, "tolerance": 0.05}, 96.24, "fail"),
    ],
)  # fmt: skip
def test_zones(bounds: dict[str, float], value: float, outcome: str) -> None:
    """Bounds count as inside, strict ones do not; each side has its own fail zone or none."""
    assert decide(scored(value), **bounds).outcome == outcome


@pytest.mark.parametrize(
    ("records", "settings", "outcome", "sentence"),
    [
        (scored(20.0, 22.0), {"at_least": 21.0, "fail_below": 20.0}, "pass",
         f"mean score of {T} is 21.00 (2 trials with a score, 95 % interval 8.29 to 33.71), at least 21 wanted, "
         "below 20 fails"),
        (scored(20.0, 21.0), {"at_least": 21.0, "fail_below": 20.0, "because": "phase 2 builds on it"}, "warn",
         f"mean score of {T} is 20.50 (2 trials with a score, 95 % interval 14.15 to 26.85), at least 21 wanted, "
         "below 20 fails. phase 2 builds on it"),
        (scored(-19.0, 3.0, None), {"metric": "worst_score", "at_least": 8.0}, "fail",
         f"worst score of {T} is −19.00 (p0, the lowest of 2 trials with a score), at least 8 wanted"),
        (scored(1.0, 2.0, 9.0), {"metric": "median_score", "above": 1.5}, "pass",
         f"median score of {T} is 2.00 (3 trials with a score), above 1.5 wanted"),
        (scored(3.8), {"equals": 3.8, "tolerance": 0.005}, "pass",
         f"mean score of {T} is 3.80 (1 trial with a score), 3.8 ± 0.005 wanted"),
        (passing("p" * 289 + "f" * 11), {"metric": "pass_rate", "equals": 0.963, "tolerance": 0.0005}, "pass",
         f"pass rate of {T} is 96.3 % (289 of 300 scored trials, 95 % interval 93.6 to 97.9 %), "
         "96.3 % ± 0.05 wanted"),
        (passing("p" * 288 + "f" * 12), {"metric": "pass_rate", "equals": 0.963, "tolerance": 0.0005}, "fail",
         f"pass rate of {T} is 96.0 % (288 of 300 scored trials, 95 % interval 93.1 to 97.7 %), "
         "96.3 % ± 0.05 wanted"),
        (passing("pppp") + passing("f", flags=("collapsed",)), {"metric": "count", "flag": "collapsed", "at_most": 0.0},
         "fail", f"count of collapsed trials of {T} is 1 (of 5 answered trials), at most 0 wanted"),
        (passing("pppu"), {"metric": "pass_rate", "at_least": 0.8, "end": "low", "fail_below": 0.4}, "warn",
         f"pass rate of {T} is 100.0 % (3 of 3 scored trials, 95 % interval 43.9 to 100.0 %), "
         "its low end at least 80 % wanted, below 40 % fails"),
        (passing("ppppf"), {"metric": "error_rate", "at_most": 0.5, "end": "high"}, "pass",
         f"error rate of {T} is 0.0 % (0 of 5 trials, 95 % interval 0.0 to 43.4 %), its high end at most 50 % wanted"),
        (passing("pppf", category="B2"), {"metric": "pass_rate", "category": "B*", "probe": "p[0-2]", "at_least": 1.0},
         "pass", f"pass rate of {T} in B* on probe p[0-2] is 100.0 % (3 of 3 scored trials, 95 % interval 43.9 to "
         "100.0 %), at least 100 % wanted"),
        ([*passing("pppp", language="en"), *passing("ff", language="es"), *passing("f")],
         {"metric": "pass_rate", "language": "en", "at_least": 1.0}, "pass",
         f"pass rate of {T} in language en is 100.0 % (4 of 4 scored trials, 95 % interval 51.0 to 100.0 %), "
         "at least 100 % wanted"),
        ([*passing("ff", verdicts=({"judge": "b", "labels": {"failure_type": "OVER_REFUSAL"}},)), trial(9)],
         {"metric": "over_refusal_rate", "at_most": 0.1}, "fail",
         f"over-refusal rate of {T} is 66.7 % (2 of 3 answered trials, 95 % interval 20.8 to 93.9 %), "
         "at most 10 % wanted"),
        (passing("ff", flags=("fabricated",)), {"metric": "fabrication_rate", "at_most": 0.1}, "fail",
         f"fabrication rate of {T} is 100.0 % (2 of 2 answered trials, 95 % interval 34.2 to 100.0 %), "
         "at most 10 % wanted"),
    ],
)  # fmt: skip
def test_a_sentence_says_value_n_interval_and_bound(
    records: list[TrialRecord], settings: dict[str, Any], outcome: str, sentence: str
) -> None:
    """For every kind of metric; means, medians and worst scores are of those that have a score."""
    result = decide(records, **settings)

    assert (result.outcome, result.sentence) == (outcome, sentence)


def signalled(*signals: float | None, judge: str = "v2") -> list[TrialRecord]:
    return [
        trial(number, verdicts=({"judge": judge, "signals": {} if one is None else {"degeneration": one}},))
        for number, one in enumerate(signals)
    ]


@pytest.mark.parametrize(("start", "count"), [(0.5, 2), (1.0, 1), (0.0, 3)])
def test_a_count_of_a_signal_is_configurable(start: float, count: int) -> None:
    """Degeneration as 0.5 or more, or as 1; trials without the signal are not looked at."""
    result = decide(signalled(0, 0.5, 1, None), metric="count", signal="degeneration", signal_from=start, at_most=0.0)

    assert (result.outcome, result.measured, result.n) == ("fail", count, 3)
    assert result.sentence == (
        f"count of trials with degeneration of {start:g} or more of {T} is {count} (of 3 trials with the signal), "
        "at most 0 wanted"
    )


@pytest.mark.parametrize(
    ("records", "settings", "sentence"),
    [
        (scored(1.0) + scored(2.0, judge="robust"), {"at_least": 0.0},
         f"not measurable: mean score of {T}: 2 judges gave a score: robust, v2. Name one of them with judge"),
        (scored(1.0), {"at_least": 0.0, "judge": "v1"},
         f"not measurable: mean score of {T}: judge 'v1' did not give a score; found v2 that did"),
        (passing("p"), {"at_least": 0.0, "judge": "v1"},
         f"not measurable: mean score of {T}: judge 'v1' did not give a score; found no judge that did"),
        (passing("p"), {"at_least": 0.0}, f"not measurable: mean score of {T}: no judge gave a score"),
        (signalled(None), {"metric": "count", "signal": "degeneration", "signal_from": 1.0, "at_most": 0.0},
         f"not measurable: count of trials with degeneration of 1 or more of {T}: no judge gave the signal "
         "'degeneration'"),
        (scored(1.0), {"at_least": 0.0, "end": "low"},
         f"not decided: mean score of {T}: 1 trial with a score has no interval; its low end at least 0 wanted"),
        (passing("ppu"), {"metric": "pass_rate", "at_least": 0.5, "min_n": 3},
         f"not decided: pass rate of {T}: 2 scored trials, min_n wants 3"),
        (passing("ppu"), {"metric": "pass_rate", "at_least": 0.5, "coverage": 0.9},
         f"not decided: pass rate of {T}: 2 of 3 scored trials (66.7 %), coverage wants 90 %"),
        (scored(1.0, None), {"at_least": 5.0, "coverage": 0.9, "category": "A"},
         f"not decided: mean score of {T} in A: 1 of 2 trials with a score (50 %), coverage wants 90 %"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_says_why(records: list[TrialRecord], settings: dict[str, Any], sentence: str) -> None:
    """Whose score is not known, too few, or no interval to have ends: never a pass, and never a fail."""
    result = decide(records, **settings)

    assert (result.outcome, result.measured, result.sentence) == ("undecided", None, sentence)


def test_exactly_enough_is_enough() -> None:
    """min_n and coverage count as met where they are reached."""
    result = decide(passing("ppu"), metric="pass_rate", at_least=0.5, min_n=2, coverage=2 / 3)

    assert result.outcome == "pass"


def test_families_widen_the_interval() -> None:
    """Ten families of four alike are worth ten trials and not forty; the samples of a probe are a family too."""
    families = [trial(n, cluster=f"c{n // 4}", outcome="pass" if n >= 4 else "fail") for n in range(40)]
    samples = [trial(n // 4, sample=n % 4, outcome="pass" if n >= 4 else "fail") for n in range(40)]
    alone = [trial(n, outcome="pass" if n >= 4 else "fail") for n in range(40)]
    sentence = "pass rate of {} is 90.0 % (36 of 40 scored trials in 10 families, 95 % interval {:.1f} to {:.1f} %), {}"

    results = [decide(records, metric="pass_rate", at_least=0.5) for records in (families, samples, alone)]

    low, high = 100 * (results[0].low or 0), 100 * (results[0].high or 0)
    assert results[0].sentence == sentence.format(T, low, high, "at least 50 % wanted")
    assert results[1].sentence == results[0].sentence
    assert low < 60 < 76.9 < 100 * (results[2].low or 0)


def test_a_condition_picks_targets() -> None:
    """A glob over the third part of the label; without one there, it is not applicable."""
    records = [*scored(9.0), *(one for one in scored(1.0, target="one:fp32:json:greedy"))]

    assert decide(records, at_least=5.0, condition="naked").outcome == "pass"
    assert decide(records, at_least=5.0, condition="j*").outcome == "fail"
    missing = decide(records, at_least=5.0, condition="text")
    assert missing.sentence == "not applicable: no trial of any subject under 'text' in this run"
    missing = decide(records, at_least=5.0, condition="text", target="one*")
    assert missing.sentence == "not applicable: no trial of any target 'one*' under 'text' in this run"


@pytest.mark.parametrize(("undecided", "blocks"), [("fail", True), ("warn", False)])
def test_undecided_fails_unless_the_gate_says_otherwise(undecided: str, blocks: bool) -> None:
    """The outcome is the same, what it does to the run is not."""
    result = decide(passing("u"), metric="pass_rate", at_least=0.5, undecided=undecided)

    assert (result.outcome, result.blocks) == ("undecided", blocks)


def test_of_several_targets_fail_outranks_undecided_outranks_warn() -> None:
    """And of equals the one furthest from its zone is named."""
    good, soso, bad = scored(9.0), scored(5.0, target="b:x:y:z"), scored(1.0, target="c:x:y:z")
    none = passing("u", target="d:x:y:z")
    zones = {"at_least": 6.0, "fail_below": 4.0, "judge": "v2"}

    assert decide(good, **zones).outcome == "pass"
    assert decide(good + soso, **zones).outcome == "warn"
    assert decide(good + soso + none, **zones).outcome == "undecided"
    worst = decide(good + soso + none + bad, **zones)
    assert (worst.outcome, worst.target) == ("fail", "c:x:y:z")
    assert worst.sentence.startswith("mean score of c:x:y:z, the worst of 4 targets, is 1.00 (")
