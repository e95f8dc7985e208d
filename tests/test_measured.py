"""What a stored trial measured, and the probe's hash that says whether it was edited."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from evalkit.generation import Generation
from evalkit.host.messages import Settled
from evalkit.identity import probe_hash
from evalkit.matrix import Trial
from evalkit.measured import Measured
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.record import TrialRecord
from evalkit.target import Model, Quantisation, Target
from evalkit.trial_records import record_of
from evalkit.verdict import Decision, Verdict

PROBE = Probe(
    id="p", suite="s", file="suites/s/a.yaml", line=3, category="CONTROL",
    turns=(Message("user", "What does the kettle cost?"), Generate()), expect=Expectation(contains=("check",)),
    judges=(JudgeUse("text"),),
)  # fmt: skip
TARGET = Target(Model("m", "/m", True, "m"), Quantisation("nf4", "nf4"))


def verdict(judge: str, **changes: Any) -> dict[str, Any]:
    return {
        "judge": judge, "outcome": "pass", "reason": "", "score": None, "labels": {}, "signals": {},
        "judge_hash": f"hash of {judge}", "required": True,
    } | changes  # fmt: skip


RECORD = TrialRecord(
    trial="suites/s/a.yaml::p[t]", suite="s", file="suites/s/a.yaml", line=3, probe="p", category="C", target="t",
    outcome="fail", reason="text: contains: nothing of 'x'", sample=2, cluster="rent", role="reference", is_demo=True,
    flags=("collapsed", "fabricated"), generations=("i",), finishes=("length",), probe_hash="h", formerly=("old",),
    words=12,
    verdicts=(
        verdict("degeneration", signals={"loops": 3, "share": 0.123456789, "is_long": True, "name": "x"}),
        verdict("lek", score=4.25),
        verdict("lek", score=1, judge_hash="second"),
        verdict("mine", required=False, labels={"failure_type": "OVER_REFUSAL"}, score=float("nan")),
    ),
)  # fmt: skip


def test_everything_that_is_compared_is_taken_from_the_record() -> None:
    """Judges by name, numbered from the second use on; only finite numbers are scores and signals."""
    found = Measured.of(RECORD)

    assert found == Measured(
        trial="suites/s/a.yaml::p[t]", suite="s", probe="p", category="C", target="t", outcome="fail",
        file="suites/s/a.yaml", line=3, sample=2, role="reference", cluster="rent", formerly=("old",), probe_hash="h",
        collapsed=True, fabricated=True, over_refusal=True, scores={"lek": 4.25, "lek#2": 1},
        signals={"degeneration": {"loops": 3, "share": 0.123456789}},
        judges={"degeneration": "hash of degeneration", "lek": "hash of lek", "lek#2": "second"},
        optional_judges={"mine": "hash of mine"}, words=12, finishes=("length",), generations=("i",), is_demo=True,
        reason="text: contains: nothing of 'x'",
    )  # fmt: skip


def test_plain_values_and_back() -> None:
    """All but the reason, which may quote the answer; signals to six digits."""
    found = Measured.of(RECORD)

    plain = json.loads(json.dumps(found.to_dict()))

    assert "reason" not in plain
    assert Measured.from_dict(plain) == replace(
        found, reason="", signals={"degeneration": {"loops": 3, "share": 0.123457}}
    )
    assert Measured.from_dict(plain).to_dict() == found.to_dict()


def test_defaults_are_not_written() -> None:
    """So that a line of a baseline is short."""
    short = Measured(trial="t", suite="s", probe="p", category="C", target="x", outcome="pass")

    assert short.to_dict() == {
        "trial": "t", "suite": "s", "probe": "p", "category": "C", "target": "x", "outcome": "pass",
    }  # fmt: skip
    with pytest.raises(KeyError, match="outcome"):
        Measured.from_dict(dict.fromkeys(("trial", "suite", "probe", "category", "target"), "x"))


def test_a_record_of_an_older_evalkit_still_reads() -> None:
    """Without hash, former ids and words."""
    plain = RECORD.to_dict()
    for name in ("probe_hash", "formerly", "words"):
        del plain[name]

    found = Measured.of(TrialRecord.from_dict(json.loads(json.dumps(plain))))

    assert (found.probe_hash, found.formerly, found.words) == ("", (), None)


@pytest.mark.parametrize(
    "change",
    [
        {"turns": (Message("user", "What does the lamp cost?"), Generate())},
        {"turns": (Message("system", "What does the kettle cost?"), Generate())},
        {"turns": (Message("user", "What does the kettle cost?"), Generate((("max_new_tokens", 9),)))},
        {"expect": Expectation(contains=("price",))},
        {"expect": Expectation(contains=("check",), max_chars=0)},
        {"category": "IDENTITY"},
        {"language": "en"},
        {"judge_turns": "all"},
        {"decoding": (("temperature", 0.8),)},
        {"expect_repetition": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_can_change_an_answer_or_its_verdict_changes_the_hash(change: dict[str, Any]) -> None:
    """An edited probe is another one."""
    assert probe_hash(replace(PROBE, **change)) != probe_hash(PROBE)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "q"}, {"suite": "t"}, {"file": "suites/s/b.yaml"}, {"line": 9}, {"tags": ("a",)}, {"why": "so"},
        {"samples": 5}, {"judges": (JudgeUse("degeneration"),)}, {"formerly": ("old",)}, {"cluster": "rent"},
        {"subcategory": "X"}, {"license": "MIT"}, {"author": "me"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_what_cannot_leaves_it(change: dict[str, Any]) -> None:
    """A probe may move, be renamed, explained and asked more often."""
    assert probe_hash(replace(PROBE, **change)) == probe_hash(PROBE)


def test_a_trials_record_says_what_its_probe_was() -> None:
    """The hash, the former ids, and the words of the last answer without its thinking."""
    texts = ("One.", "<think>let me see now</think>Please check the list.")
    answers = tuple(Generation(text, text, (1,), "stop", 3, 4) for text in texts)
    trial = Trial(replace(PROBE, formerly=("old",)), TARGET)

    found = record_of(trial, Settled(trial.id, answers), None, "main")

    assert (found.probe_hash, found.formerly, found.words) == (probe_hash(PROBE), ("old",), 4)
    assert record_of(trial, Settled(trial.id, ()), None, "main").words is None


def test_a_verdict_says_where_every_answer_was_judged() -> None:
    """Without it nobody could tell which answer a span is about; where the last was judged nothing is said."""
    answers = tuple(Generation(text, text, (1,), "stop", 3, 4) for text in ("One.", "Two."))
    decision = Decision("pass", "fine", (Verdict("text", "pass", "fine"),))

    found = {
        turns: record_of(trial, Settled(trial.id, answers), decision, "main").verdicts[0].get("every_answer")
        for turns in ("all", "last")
        for trial in (Trial(replace(PROBE, judge_turns=turns), TARGET),)
    }

    assert found == {"all": True, "last": None}
