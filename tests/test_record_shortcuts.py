"""The short ways on which a trial's record is made never change it."""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

import execnet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.generation import Generation
from evalkit.host.messages import Settled
from evalkit.identity import canonical, probe_hash
from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, JsonExpectation, JudgeUse, Message, NumberExpectation, Probe, Turn
from evalkit.record import TrialRecord
from evalkit.target import Model, Quantisation, Target
from evalkit.trial_records import record_of
from evalkit.verdict import Decision, Span, Verdict

TEXTS = st.text(st.characters(exclude_categories=()) | st.sampled_from("\\ud8\ud800\udfff\U0001f600"), max_size=12)
TARGET = Target(Model("m", "/m", True, "m"), Quantisation("nf4", "nf4"))
EXPECTATIONS = [
    Expectation(),
    Expectation(contains=("check", "é"), max_chars=0, min_words=3, python=True),
    Expectation(behaviour="refuse", recommendation="BLOCK", must_say=(("a", "b"), ("c",)), thinks="no"),
    Expectation(number=NumberExpectation(3.5, 0.1), json=JsonExpectation('{"type": "object"}'), choice=""),
    Expectation(json=JsonExpectation(), case_sensitive=True),
]


def plain(value: Any) -> Any:
    """As JSON with any text holds it."""
    return json.loads(json.dumps(value))


def safe(value: Any) -> Any:
    """The long way: every text looked at."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {safe(key): safe(item) for key, item in value.items()}
    return [safe(item) for item in value] if isinstance(value, (list, tuple)) else value


def probe_of(*turns: Turn, expect: Expectation = EXPECTATIONS[0]) -> Probe:
    return Probe("p", "s", "suites/s/a.yaml", 3, "C", turns, expect, (JudgeUse("text"),))


@given(TEXTS, TEXTS, TEXTS)
def test_a_readable_record_has_no_lone_surrogate_and_is_else_the_same(reason: str, key: str, tag: str) -> None:
    """Wherever the text stands; a record without any is not even copied."""
    verdict = {"reason": reason, "labels": {key: [reason]}, "spans": [{"why": key}], "score": 0.5, "flags": []}
    record = TrialRecord("t", "s", "f", 1, "p", "c", "x", "fail", reason, tags=(tag,), verdicts=(verdict,))

    found = record.readable()

    assert plain(found.values()) == plain(safe(record.values()))
    assert json.dumps(found.values(), ensure_ascii=False).encode()
    if not any("\ud800" <= letter <= "\udfff" for letter in reason + key + tag):
        assert found is record


@pytest.mark.parametrize("expect", EXPECTATIONS)
def test_a_probes_hash_is_that_of_all_its_fields(expect: Expectation) -> None:
    """Those of its turns, and what is asserted; a number that is 0 and a text that is empty are."""
    turns = (Message("system", "Be brief."), Message("user", "Häh?"), Generate((("max_new_tokens", 9),)), Generate())
    probe = probe_of(*turns, expect=expect)
    asserted = {name: value for name, value in asdict(expect).items() if value not in (None, ()) and value is not False}
    parts = {
        "turns": [{"kind": type(turn).__name__, **asdict(turn)} for turn in turns], "expect": asserted,
        "category": "C", "language": None, "judge_turns": "last", "decoding": {}, "expect_repetition": False,
    }  # fmt: skip
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))

    assert canonical(parts) == text
    assert probe_hash(probe) == sha256(text.encode()).hexdigest()


def test_a_record_is_what_comes_out_of_a_report() -> None:
    """With workers it went to the controller by execnet: the same at -n 0, where it is handed on as it is."""
    verdict = Verdict(
        "text", "fail", "no", 0.5, ("odd",), (("kind", ("a", ("b",))),), (("share", 0.25), ("parts", (1, 2))),
        (Span(1, 4, "here", 0),), "1", "hash",
    )  # fmt: skip
    trial = Trial(probe_of(Message("user", "What?"), Generate()), TARGET)
    answer = Generation("Yes.", "Yes.", (1,), "stop", 3, 4, identity="i", total_s=0.5)

    record = record_of(trial, Settled(trial.id, (answer,)), Decision("fail", "text: no", (verdict,)), "main")

    assert TrialRecord.from_dict(execnet.loads(execnet.dumps(record.values()))) == record
    assert record.verdicts[0]["labels"] == {"kind": ["a", ["b"]]}
    assert record.verdicts[0]["spans"] == (asdict(verdict.spans[0]),)
    assert record.verdicts[0]["flags"] == ("odd",)


def verdicts_of(*verdicts: Verdict) -> tuple[dict[str, Any], ...]:
    """As a trial's record has them."""
    trial = Trial(probe_of(Message("user", "What?"), Generate()), TARGET)
    return record_of(trial, Settled(trial.id, ()), Decision("pass", "fine", verdicts), "main").verdicts


def test_equal_verdicts_of_trials_are_held_once() -> None:
    """Those that a judge gives one after another; a run keeps the records of all its trials."""
    form, said = Verdict("form", "pass", "fine", signals=(("share", 0.0),)), Verdict("text", "pass", "'a' was found")

    first, second = verdicts_of(form, said), verdicts_of(form, replace(said, reason="'b' was found"))

    assert second[0] is first[0]
    assert (first[1]["reason"], second[1]["reason"]) == ("'a' was found", "'b' was found")
    assert first[0] == {**asdict(form), "labels": {}, "signals": {"share": 0.0}, "asked": ()}


@pytest.mark.parametrize("share", [0, -0.0, False, 0.5])
def test_verdicts_that_would_be_written_otherwise_stay_apart(share: float) -> None:
    """Most of these numbers are equal to 0.0, and none is in JSON."""
    form = Verdict("form", "pass", "fine", signals=(("share", 0.0),))

    [before], [then], [again] = map(verdicts_of, (form, replace(form, signals=(("share", share),)), form))

    assert [json.dumps(one["signals"]) for one in (before, then, again)] == [
        '{"share": 0.0}', json.dumps({"share": share}), '{"share": 0.0}',
    ]  # fmt: skip


def test_nouns_that_go_between_processes_come_out_the_same() -> None:
    """With every field, whether it has a default or not."""
    probe = probe_of(Message("user", "What?"), Generate((("seed", 1),)), expect=EXPECTATIONS[3])
    trial = Trial(probe, TARGET, 2, 7)
    answer = Generation("Yes.", "Yes.<end>", (1, 2), "length", 3, 4, facts=(("device", "cpu"),), logprobs=(-0.5,))
    settled = Settled(trial.id, (answer,), ((0, (answer,)),), ((0, (TARGET, None)),), 1, 2)

    assert pickle.loads(pickle.dumps((trial, settled))) == (trial, settled)
