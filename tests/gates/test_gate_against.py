"""Gates on a difference: against a baseline, another target, another condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from evalkit.gates import Baseline, Gate, GateResult, Surroundings, evaluate
from evalkit.measured import Measured
from evalkit.record import TrialRecord

T = "one:fp32:naked:greedy"
OUTCOMES = {"p": "pass", "f": "fail", "u": "unscored", "e": "error"}


def trials(letters: str, target: str = T, **changes: Any) -> list[TrialRecord]:
    return [
        TrialRecord(
            **{
                "trial": f"p{number}[{target}]", "suite": "it", "file": "suites/it/a.yaml", "line": number,
                "probe": f"p{number}", "category": "A", "target": target, "outcome": OUTCOMES[letter], "reason": "",
                "probe_hash": "same", "verdicts": ({"judge": "text", "judge_hash": "t1"},),
            } | changes
        )
        for number, letter in enumerate(letters)
    ]  # fmt: skip


def scores(*values: float, target: str = T) -> list[TrialRecord]:
    found = trials("p" * len(values), target)
    verdict = {"judge": "v2", "judge_hash": "h"}
    return [
        TrialRecord.from_dict(record.to_dict() | {"verdicts": [{**verdict, "score": value}]})
        for record, value in zip(found, values, strict=True)
    ]


def decide(records: Sequence[TrialRecord], before: Sequence[TrialRecord] = (), **settings: Any) -> GateResult:
    rule = Gate(**{"name": "g", "suite": "it", "metric": "pass_rate", "against": "baseline"} | settings)
    baseline = Baseline("main", tuple(Measured.of(record) for record in before))
    around = Surroundings({"": baseline, "main": baseline}, settings.get("aliases", {}))
    (result,) = evaluate([rule], records, {"it": (len(records), len(records))}, around)
    return result


ALL_PASS = "p" * 300


@pytest.mark.parametrize(
    ("before", "after", "outcome", "sentence"),
    [
        (ALL_PASS, "f" * 12 + "p" * 288, "fail",
         f"pass rate of {T} against baseline main: REGRESSED, 100.0 % to 96.0 %, −4.0 points [−6.9, −2.3], 12 worse "
         "and 0 better of 300, p < 0.001; margin 3 points"),
        ("f" * 12 + "p" * 288, ALL_PASS, "pass",
         f"pass rate of {T} against baseline main: IMPROVED, 96.0 % to 100.0 %, +4.0 points [2.3, 6.9], 0 worse "
         "and 12 better of 300, p < 0.001; margin 3 points"),
        (ALL_PASS, ALL_PASS, "pass",
         f"pass rate of {T} against baseline main: HELD, 100.0 % to 100.0 %, 0.0 points [−1.3, 1.3], 0 worse "
         "and 0 better of 300, p 1.00; margin 3 points"),
        ("p" * 20, "f" + "p" * 19, "undecided",
         f"not decided: pass rate of {T} against baseline main: UNDERPOWERED, 100.0 % to 95.0 %, −5.0 points "
         "[−23.6, 11.9], 1 worse and 0 better of 20, p 1.00; margin 3 points; about {needed} pairs would decide, "
         "there are 20"),
    ],
)  # fmt: skip
def test_without_bounds_it_must_not_have_regressed(before: str, after: str, outcome: str, sentence: str) -> None:
    """The four verdicts of a comparison, with its figures."""
    result = decide(trials(after), trials(before))

    assert result.outcome == outcome
    needed = result.sentence.partition("about ")[2].partition(" ")[0]
    assert result.sentence == sentence.format(needed=needed)


def test_the_margin_is_the_gates_own() -> None:
    """A loss of 4 points is regressed at 3, and held at 10."""
    records, before = trials("f" * 12 + "p" * 288), trials(ALL_PASS)

    assert decide(records, before).outcome == "fail"
    assert decide(records, before, margin=0.1).outcome == "pass"


@pytest.mark.parametrize(
    ("records", "before", "reason"),
    [
        (trials("pp", verdicts=({"judge": "text", "judge_hash": "t2"},)), trials("pp"),
         " against baseline main: INCOMPARABLE: judge text is another (t1 before, t2 after)"),
        (trials("pp", target="b:x:y:z"), trials("pp"),
         ": baseline main has no trial of it; it holds one:fp32:naked:greedy"),
        (trials("pp"), trials("pp", suite="other"),
         ": baseline main has no trial of it; it holds nothing of suite it"),
        (trials("pp", target="mistral-latest:served:naked:greedy"), trials("pp"),
         ": mistral-latest is an alias: what it stands for changes without notice, so no baseline says what it was. "
         "Declare the model mistral-latest by a dated id"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_undecided(
    records: list[TrialRecord], before: list[TrialRecord], reason: str
) -> None:
    """Another judge, another target, another suite, a model that may be another tomorrow."""
    if "baseline main has no trial of it; it holds one" in reason:
        records = records + trials("pp", target="c:x:y:z")

    result = decide(records, before, target=records[0].target)

    assert result.outcome == "undecided"
    assert result.sentence == f"not decided: pass rate of {records[0].target}{reason}"


def test_an_alias_is_known_by_what_the_server_calls_it() -> None:
    """The name in the label may be the user's own."""
    records = trials("pp", target="clever:served:naked:greedy")
    rule = Gate("g", "it", "pass_rate", against="baseline")
    around = Surroundings({"": Baseline("main")}, {"clever:served:naked:greedy": "mistral-large-latest"})

    (result,) = evaluate([rule], records, {"it": (2, 2)}, around)

    assert result.sentence == (
        "not decided: pass rate of clever:served:naked:greedy: mistral-large-latest is an alias: what it stands for "
        "changes without notice, so no baseline says what it was. Declare the model clever by a dated id"
    )


def test_a_missing_baseline_says_what_the_reader_of_it_said() -> None:
    """The sentence names the command that writes one."""
    rule = Gate("g", "it", "pass_rate", against="baseline")
    around = Surroundings({"": Baseline("main", missing="There is no baseline 'main'. Write it with: this")})

    (result,) = evaluate([rule], trials("pp"), {"it": (2, 2)}, around)

    assert (result.outcome, result.blocks) == ("undecided", True)
    assert result.sentence == (f"not decided: pass rate of {T}: There is no baseline 'main'. Write it with: this")


def test_a_checkpoint_is_compared_with_the_one_before_it() -> None:
    """One target here, one there, alike but for their weights: they are meant for each other, and both are named."""
    result = decide(trials(ALL_PASS, "base+c400:nf4:naked:greedy"), trials(ALL_PASS, "base+c300:nf4:naked:greedy"))

    assert result.outcome == "pass"
    assert result.sentence.startswith(
        "pass rate of base+c400:nf4:naked:greedy against base+c300:nf4:naked:greedy of baseline main: HELD, "
    )


@pytest.mark.parametrize(
    ("settings", "outcome", "sentence"),
    [
        ({"at_least": -0.05}, "pass",
         f"change in pass rate of {T} against baseline main is −4.0 points (95 % interval −6.9 to −2.3 points, "
         "300 pairs), at least −5 points wanted"),
        ({"at_least": -0.05, "end": "low", "fail_below": -0.1}, "warn",
         f"change in pass rate of {T} against baseline main is −4.0 points (95 % interval −6.9 to −2.3 points, "
         "300 pairs), its low end at least −5 points wanted, below −10 points fails"),
        ({"equals": -0.04, "tolerance": 0.0005}, "pass",
         f"change in pass rate of {T} against baseline main is −4.0 points (95 % interval −6.9 to −2.3 points, "
         "300 pairs), −4 points ± 0.05 wanted"),
        ({"above": 0.0}, "fail",
         f"change in pass rate of {T} against baseline main is −4.0 points (95 % interval −6.9 to −2.3 points, "
         "300 pairs), above 0 points wanted"),
        ({"category": "A", "probe": "p2*", "at_least": 0.0}, "pass",
         f"change in pass rate of {T} in A on probe p2* against baseline main is 0.0 points (95 % interval −3.3 to 3.3 "
         "points, 111 pairs), at least 0 points wanted"),
    ],
)  # fmt: skip
def test_with_bounds_the_difference_is_what_must_lie_in_the_zone(
    settings: dict[str, Any], outcome: str, sentence: str
) -> None:
    """In points of a rate, over the probes where the gate looks."""
    after = trials("f" * 2 + "p" + "f" * 10 + "p" * 287)

    result = decide(after, trials(ALL_PASS), **settings)

    assert (result.outcome, result.sentence) == (outcome, sentence)


def test_a_kernel_is_compared_within_the_run() -> None:
    """The other condition of the same target; what it is compared with is not compared itself."""
    json = "one:fp32:json:greedy"
    records = [*scores(1.0, 2.0, 6.0), *scores(3.0, 2.0, 8.0, target=json)]

    result = decide(records, metric="mean_score", against="condition:naked", above=0.0)

    assert (result.outcome, result.target) == ("pass", json)
    assert result.sentence == (
        f"change in mean score of {json} against {T} is +1.33 (95 % interval −1.54 to 4.20, 3 pairs), above 0 wanted"
    )
    missing = decide(scores(1.0, target=json), metric="mean_score", against="condition:naked")
    assert missing.sentence == (f"not decided: mean score of {json}: there is no trial of it under 'naked' in this run")


def test_a_target_is_compared_with_another_of_the_run() -> None:
    """The one in the same quantisation, condition and decoding where several fit the glob; the others are subjects."""
    bases = trials("pppp", "base:nf4:naked:greedy") + trials("pppp", "base:bf16:naked:greedy")
    tuned = trials("ffff", "base+new:nf4:naked:greedy")

    result = decide([*bases, *tuned], against="target:base:*", at_least=0.0)
    assert (result.outcome, result.target) == ("fail", "base+new:nf4:naked:greedy")
    assert "against base:nf4:naked:greedy is −100.0 points" in result.sentence

    other = trials("ffff", "base+new:nf4:json:greedy")
    unclear = decide([*bases, *other], against="target:base:*", at_least=0.0)
    assert unclear.sentence == (
        "not decided: pass rate of base+new:nf4:json:greedy: 2 targets are 'base:*' (base:bf16:naked:greedy, "
        "base:nf4:naked:greedy) in this run, and one is needed to compare with"
    )
    none = decide(tuned, against="target:elsewhere", at_least=0.0)
    assert none.sentence == (
        "not decided: pass rate of base+new:nf4:naked:greedy: none is 'elsewhere' in this run, and one is needed to "
        "compare with"
    )


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"min_n": 5}, "4 pairs, min_n wants 5"),
        ({"coverage": 0.9}, "4 of 6 pairs (66.7 %), coverage wants 90 %"),
    ],
)
def test_too_few_pairs_decide_nothing(settings: dict[str, Any], reason: str) -> None:
    """Pairs are counted, and their share of the probes where the gate looks."""
    result = decide(trials("pppppp"), trials("ppppuu"), at_least=-1.0, **settings)

    assert result.sentence == f"not decided: pass rate of {T} against baseline main: {reason}"


def test_more_is_worse_for_collapses() -> None:
    """The worse of two targets is the one that collapses more."""
    collapsed = [trials("f" * 100, f"{name}:x:y:z", flags=("collapsed",)) for name in "ab"]
    fine = trials("p" * 100, "a:x:y:z")
    before = fine + trials("p" * 100, "b:x:y:z")

    result = decide([*fine, *collapsed[1]], before, metric="collapse_rate")

    assert (result.outcome, result.target) == ("fail", "b:x:y:z")
    assert result.sentence == (
        "collapse rate of b:x:y:z, the worst of 2 targets, against baseline main: REGRESSED, 0.0 % to 100.0 %, "
        "+100.0 points [92.6, 100.0], 100 worse and 0 better of 100, p < 0.001; margin 3 points"
    )


def test_a_probe_without_trials_there_is_told() -> None:
    """Nothing to compare with on that side."""
    result = decide(trials("pp"), trials("pp", probe="elsewhere", category="B"), probe="p*", at_least=0.0)

    assert result.sentence == f"not decided: pass rate of {T} on probe p*: baseline main has no trial on probe p*"


def test_a_moved_probe_keeps_its_history() -> None:
    """What it was formerly is on the other side, although the gate names it by its new id."""
    after = trials("pp", formerly=("old",), probe="new")[:1]
    before = trials("pp", probe="old")[:1]

    result = decide(after, before, probe="new", at_least=0.0)

    assert (result.outcome, result.n) == ("pass", 1)
