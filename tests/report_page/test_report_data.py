"""What the page of a run holds, and where evidence stands in it."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.report_page.commands import rerun_command
from evalkit.report_page.marks import Mark, marks_of
from evalkit.report_page.trial_data import page_data, trial_key
from evalkit.reporting.finished import FinishedRun
from evalkit.transcript import Answer

Finish = Callable[..., FinishedRun]


def spans(*found: tuple[int, int, int]) -> list[dict[str, Any]]:
    return [{"spans": [{"start": start, "end": end, "why": "w", "answer": answer} for start, end, answer in found]}]


def test_marks_count_as_browsers_do() -> None:
    """Characters beyond the 16-bit plane are two units; a span past the end is left out."""
    answer = Answer("a👩b👩c", "a👩b👩c")

    assert marks_of(spans((1, 3, 0), (4, 5, 0), (4, 9, 0)), [answer]) == [[Mark(1, 4, 0, "w"), Mark(6, 7, 0, "w")]]


def test_marks_find_answer_and_thinking(make_answer: Callable[..., Answer]) -> None:
    """A span of the whole text stands in the answer where it touches it, else in the thinking."""
    answer = make_answer("It is so.", "Hm, is it?")

    assert answer.text == "<think>Hm, is it?</think>It is so."
    assert marks_of(spans((7, 9, 0), (20, 27, 0)), [answer]) == [[Mark(0, 2, 0, "w", True), Mark(0, 2, 0, "w")]]


def test_marks_follow_an_answer_in_pieces() -> None:
    """Where thinking stands in the midst of an answer, a span over it is marked on both sides."""
    text = "One.<think>x</think>Two."
    answer = Answer(text, "One.Two.", "x", 0, text, pieces=((0, 0), (4, 20)))

    assert marks_of(spans((2, 22, 0)), [answer]) == [[Mark(2, 4, 0, "w"), Mark(4, 6, 0, "w")]]


def test_marks_belong_to_the_last_answer_unless_a_span_names_a_later_one(make_answer: Callable[..., Answer]) -> None:
    """One judged answer is the last of the conversation; with every answer judged, each has its own."""
    answers = [make_answer("first"), make_answer("second")]

    assert marks_of(spans((0, 2, 0)), answers) == [[], [Mark(0, 2, 0, "w")]]
    assert marks_of(spans((0, 2, 0), (0, 3, 1)), answers) == [[Mark(0, 2, 0, "w")], [Mark(0, 3, 0, "w")]]

    every = [verdict | {"every_answer": True} for verdict in spans((0, 2, 0))]
    assert marks_of(every, answers) == [[Mark(0, 2, 0, "w")], []]


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        ("pytest suites/x --eval-plan smoke", ""),
        ("pytest suites/x --eval-adapter 'out/*' -n 4 --eval-quant=nf4 --eval-one-by-one",
         " --eval-adapter 'out/*' --eval-quant=nf4 --eval-one-by-one"),
        ("pytest suites/x --eval-samples 5 --eval-target", " --eval-samples 5 --eval-target ''"),
        ("pytest 'unclosed", ""),
    ],
)  # fmt: skip
def test_the_command_runs_one_trial_on_its_target(command: str, kept: str) -> None:
    """What chose the targets is kept, what chose the probes is not."""
    assert rerun_command("suites/x.yaml::p[t:s1]", command) == f"pytest 'suites/x.yaml::p[t:s1]'{kept}"


def test_texts_stand_once_and_zeros_are_kept(usual: Any, finish: Finish) -> None:
    """Equal texts share a number; a score of zero is a score; only what a trial has is in its facts."""
    (record, own), *others = usual
    data = page_data(finish([(replace(record, score=0.0), own), *others]), baseline=None, labels=())
    first = data["trials"][0]

    assert len(data["texts"]) == len(set(data["texts"]))
    assert first["score"] == 0.0
    assert first["key"] == trial_key(record.trial) == "e7ad2a4bb4e1" or len(first["key"]) == 12
    assert data["texts"][first["expected"]] == "Says that it cannot know."
    assert not {"subcategory", "step", "stored", "asked", "people"} & set(first)
    error = next(trial for trial in data["trials"] if trial["outcome"] == "error")
    assert error["answers"] == []


def test_what_judges_asked_comes_along(usual: Any, finish: Finish, make_verdict: Callable[..., Any]) -> None:
    """Question, reply, model, price and failure of what a judge asked; infinities as text."""
    (record, own), *_ = usual
    asked = [{"target": "grader", "model": "m-1", "identity": "i", "cost_usd": 0.01, "failed": None},
             {"target": "grader", "model": None, "identity": "j", "cost_usd": None, "failed": "no_key"}]  # fmt: skip
    one = replace(record, verdicts=(make_verdict("fail", asked=asked, signals={"x": float("inf")}, score=0.0),))
    data = page_data(finish([(one, replace(own, questions={"i": ("Is it?", "No.")}))]), baseline=None, labels=())
    (verdict,) = data["trials"][0]["verdicts"]
    first, second = verdict["asked"]

    assert (first["of"], first["cost"], first["failed"]) == ("m-1", 0.01, None)
    assert [data["texts"][first[name]] for name in ("question", "reply")] == ["Is it?", "No."]
    assert (second["of"], second["failed"]) == ("grader", "no_key")
    assert verdict["signals"] == {"x": "inf"}
    assert verdict["score"] == 0.0


def test_a_baseline_is_found_under_former_names(usual: Any, finish: Finish) -> None:
    """By the trial's id, by an id that its probe had, and by the probe alone where each run has one target."""
    old = finish(usual[:2], run_id="old")
    (record, own), other = usual[:2]
    renamed = replace(record, probe="new", trial=record.trial.replace("probe-0", "new"), formerly=("probe-0",))
    moved = replace(record, target="other", trial=record.trial.replace(record.target, "other"))

    same = page_data(finish([(renamed, own), other]), baseline=old, labels=())
    alone = page_data(
        finish([(moved, own)], targets=("other",)), baseline=finish(usual[:1], targets=(record.target,)), labels=()
    )
    apart = page_data(finish([(moved, own)], targets=("other",)), baseline=old, labels=())

    assert ["before" in trial for trial in same["trials"]] == [True, True]
    assert ["before" in trial for trial in alone["trials"]] == [True]
    assert ["before" in trial for trial in apart["trials"]] == [False]


def test_a_probe_s_own_assistant_turn_is_no_answer(
    usual: Any, finish: Finish, make_answer: Callable[..., Answer]
) -> None:
    """What a probe puts into the target's mouth stays a message, its answers are linked."""
    (record, own), *_ = usual
    one, two = make_answer("Yes."), make_answer("No.")
    messages = (
        ("user", "a"),
        ("assistant", "Put in."),
        ("user", "b"),
        ("assistant", "Yes."),
        ("user", "c"),
        ("assistant", "No."),
    )
    data = page_data(finish([(record, replace(own, messages=messages, answers=(one, two)))]), baseline=None, labels=())

    assert [message[2] for message in data["trials"][0]["messages"]] == [-1, -1, -1, 0, -1, 1]


def test_the_page_is_the_same_bytes_and_holds_the_data(usual: Any, finish: Finish, page: Callable[..., Path]) -> None:
    """Twice the same run gives twice the same file; its packed data are what page_data says."""
    run = finish(usual)
    first, second = page(run, "a.html", plots=()).read_bytes(), page(run, "b.html", plots=()).read_bytes()
    found = re.search(r'id="data">([^<]*)<', first.decode())
    assert found is not None

    assert first == second
    assert json.loads(gzip.decompress(base64.b64decode(found.group(1)))) == json.loads(
        json.dumps(page_data(run, baseline=None, labels=()))
    )
