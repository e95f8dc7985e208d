"""What a run's answers have in common, in a sentence each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evalkit.reporting.exports import TrialTexts
from evalkit.reporting.survey_notes import survey_notes
from evalkit.transcript import Answer

Make = Callable[..., Any]

STOCK = "Every good question deserves a calm and careful answer, so let us begin slowly."


def answered(text: str, prompt: str, identity: str) -> TrialTexts:
    return TrialTexts((("user", prompt), ("assistant", text)), (Answer(text, text, identity=identity),))


def texts_of(records: list[Any], answers: list[str], prompts: list[str]) -> dict[str, TrialTexts]:
    triples = zip(records, answers, prompts, strict=True)
    return {record.trial: answered(answer, prompt, record.generations[-1]) for record, answer, prompt in triples}


def test_one_answer_to_unrelated_probes_is_told(make_record: Make) -> None:
    """Three probes of a subject with one answer; reference targets and collapsed answers are left out."""
    prompts = ["What are tides?", "Who wrote this?", "Is glass liquid?", "Where is Lima?"]
    answers = [STOCK, STOCK, STOCK, "Lima is the capital of Peru, on the coast of the Pacific."]
    records = [make_record(probe=f"p{place}", generations=(f"g{place}",)) for place in range(4)]
    texts = texts_of(records, answers, prompts)
    collapsed = [make_record(probe=f"p{place}", generations=(f"g{place}",), flags=("collapsed",)) for place in range(4)]
    reference = [make_record(probe=f"p{place}", generations=(f"g{place}",), role="reference") for place in range(4)]

    (note, *rest) = survey_notes(records, texts)

    assert note == (
        "survey: demo+steady:fp32:naked:greedy gives the same answer to 3 unrelated probes (75%): "
        "'every good question deserves a calm and…'"
    )
    assert all(line.startswith("survey: ") for line in rest)
    assert survey_notes(collapsed, texts) == survey_notes(reference, texts) == survey_notes([], {}) == ()


def test_an_answer_that_is_gone_is_not_looked_at(make_record: Make) -> None:
    """Of two answers the last one is what counts; where only the first is left the trial says nothing."""
    records = [make_record(probe=f"p{place}", generations=(f"g{place}", f"h{place}")) for place in range(3)]
    first = {record.trial: answered(STOCK, "Why?", record.generations[0]) for record in records}

    assert survey_notes(records, first) == survey_notes(records, {}) == ()
    assert survey_notes(records, texts_of(records, [STOCK] * 3, ["Why?"] * 3)) != ()


def test_different_answers_say_nothing(make_record: Make) -> None:
    """No finding, no sentence."""
    records = [make_record(probe=f"p{place}", generations=(f"g{place}",)) for place in range(3)]
    answers = ["The moon pulls the sea.", "Glass is a solid without order.", "Lima lies in Peru, by the sea."]

    assert survey_notes(records, texts_of(records, answers, ["Why?"] * 3)) == ()
