"""What a run's answers have in common, in a sentence each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evalkit.generation import Generation
from evalkit.probe import Message
from evalkit.reporting.survey_notes import survey_notes

Make = Callable[..., Any]

STOCK = "Every good question deserves a calm and careful answer, so let us begin slowly."


def answered(text: str, prompt: str) -> tuple[tuple[Message, ...], Generation]:
    return (Message("user", prompt),), Generation(text, text, (), "stop", 1, 1)


def test_one_answer_to_unrelated_probes_is_told(make_record: Make) -> None:
    """Three probes of a subject with one answer; reference targets and collapsed answers are left out."""
    prompts = ["What are tides?", "Who wrote this?", "Is glass liquid?", "Where is Lima?"]
    answers = [STOCK, STOCK, STOCK, "Lima is the capital of Peru, on the coast of the Pacific."]
    records = [make_record(probe=f"p{place}", generations=(f"g{place}",)) for place in range(4)]
    stored = {f"g{place}": answered(*pair) for place, pair in enumerate(zip(answers, prompts, strict=True))}
    collapsed = [make_record(probe=f"p{place}", generations=(f"g{place}",), flags=("collapsed",)) for place in range(4)]
    reference = [make_record(probe=f"p{place}", generations=(f"g{place}",), role="reference") for place in range(4)]

    (note, *rest) = survey_notes(records, stored)

    assert note == (
        "survey: demo+steady:fp32:naked:greedy gives the same answer to 3 unrelated probes (75%): "
        "'every good question deserves a calm and…'"
    )
    assert all(line.startswith("survey: ") for line in rest)
    assert survey_notes(collapsed, stored) == survey_notes(reference, stored) == survey_notes([], {}) == ()


def test_different_answers_say_nothing(make_record: Make) -> None:
    """No finding, no sentence."""
    records = [make_record(probe=f"p{place}", generations=(f"g{place}",)) for place in range(3)]
    texts = ["The moon pulls the sea.", "Glass is a solid without order.", "Lima lies in Peru, by the sea."]
    stored = {f"g{place}": answered(text, "Why?") for place, text in enumerate(texts)}

    assert survey_notes(records, stored) == ()
