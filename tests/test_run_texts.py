"""The texts of a run, read from the store a few hundred trials at a time."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from evalkit.generation import Generation, Request
from evalkit.probe import Message
from evalkit.record import TrialRecord
from evalkit.reviewed import text_of
from evalkit.store.generations import AsOf, GenerationStore
from evalkit.target import Condition, Decoding, Model, Quantisation, Target
from evalkit.trial_texts import RunTexts, trial_texts

TARGET = Target(
    Model("demo", "/demo", True, "demo"), Quantisation("fp32", "fp32"), condition=Condition("c", "Be kind.")
)


def generation(text: str, **facts: object) -> Generation:
    return Generation(text, text, (1, 2), "stop", 3, 2, facts=tuple(facts.items()))


def record(number: int, *generations: str, asked: str | None = None, outcome: str = "pass") -> TrialRecord:
    return TrialRecord(
        f"suites/s/a.yaml::p{number}[t]", "s", "suites/s/a.yaml", number, f"p{number}", "C", "t",
        outcome, "ok", generations=generations, probe_hash="h",  # type: ignore[arg-type]
        verdicts=({"judge": "rubric", "asked": [{"identity": asked}]},) if asked else (),
    )  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Five answers, one of them given twice, to questions that are numbered as they are."""
    file = tmp_path / "store.sqlite3"
    answers = {
        "a": generation("<think>Hm.</think>One.", torch="2.13", device="cpu", near_tie=True),
        "b": generation("Two.", torch="2.13", near_tie=True), "c": generation("Three.", torch="2.14", batch_rows=4),
        "d": generation("Four.", device="cuda"), "q": generation("Yes."),
    }  # fmt: skip
    with closing(GenerationStore.open(file)) as store:
        for name, answer in answers.items():
            asked = Request(TARGET, (Message("user", f"Ask {name}."),), Decoding())
            store.put([(name, asked, answer)], "early")
        store.put([("b", Request(TARGET, (Message("user", "Ask b."),), Decoding()), generation("Two again."))], "late")
    return file


RECORDS = (
    record(1, "a", "b"), record(2, "c", asked="q"), record(3, "b"), record(4, "gone"), record(5, "gone", "d"),
    record(6, "a", outcome="error"), record(7),
)  # fmt: skip


@pytest.mark.parametrize("at_once", [1, 2, 3, 500])
@pytest.mark.parametrize("then", [None, AsOf("early", 0.0)])
def test_parts_come_to_the_same_as_one_by_one(
    at_once: int, then: AsOf | None, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are read at once, as of any run; what engines say counts once for each answer, the last stands."""
    monkeypatch.setattr("evalkit.trial_texts._AT_ONCE", at_once)
    found = RunTexts.of(file, RECORDS, then)

    with closing(GenerationStore.open(file)) as store:
        every = store.said(["a", "b", "c", "d", "gone", "q"], then)
    assert found.by_trial == {one.trial: trial_texts(one, every, every) for one in RECORDS}
    assert [texts.answers[-1].answer if texts.answers else None for texts in found.by_trial.values()] == [
        "Two again." if then is None else "Two.", "Three.", "Two again." if then is None else "Two.", None, "Four.",
        "One.", None,
    ]  # fmt: skip
    assert found.by_trial[RECORDS[1].trial].questions == {"q": ("Ask q.", "Yes.")}
    ties = {"answers with near ties": "1" if then is None else "2"}
    assert found.provenance == {"torch": "2.14", "device": "cuda", **ties}


def test_a_text_is_named_as_labels_name_it(file: Path) -> None:
    """Only a trial with all its answers and no error has one; the condition is among what was asked."""
    found = RunTexts.of(file, RECORDS)

    with closing(GenerationStore.open(file)) as store:
        every = store.conversations(["a", "b", "c", "d"])
    labelled = {one.trial: text_of(one, every) for one in RECORDS}
    assert {trial: texts.text_hash for trial, texts in found.by_trial.items()} == {
        trial: text.text_hash if text else None for trial, text in labelled.items()
    }
    assert [text is not None for text in labelled.values()] == [True, True, True, False, False, False, False]
    assert found.by_trial[RECORDS[2].trial].messages == (
        ("system", "Be kind."), ("user", "Ask b."), ("assistant", "Two again."),
    )  # fmt: skip
