"""What only shows across a run's answers: one answer to many questions, samples that do not differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalkit.generation import Generation
from evalkit.judging.survey import SameAnswer, survey
from evalkit.judging.thinking import segments
from evalkit.probe import Expectation, Generate, Message, Probe, Turn
from evalkit.record import TrialRecord
from evalkit.transcript import Answer, Case, Transcript

MAX_NOTES = 4
SHOWN_CHARS = 40


def survey_notes(
    records: Sequence[TrialRecord], stored: Mapping[str, tuple[tuple[Message, ...], Generation]]
) -> tuple[str, ...]:
    """A sentence for each finding about a subject, the widest first; what collapsed is left out, it is told already."""
    cases = [
        _case(record, *stored[record.generations[-1]])
        for record in records
        if record.role != "reference" and not record.is_collapsed
        if record.generations and record.generations[-1] in stored
    ]
    if not cases:
        return ()
    found = survey(cases)
    same = sorted((group for group in found.same_answers if group.kind == "same"), key=lambda group: -len(group.probes))
    alike = [item for item in found.samples if item.is_alike]
    said = [_same(group) for group in same]
    if alike:
        said.append(f"survey: the samples of {len(alike)} probes hardly differ, {alike[0].probe} among them")
    more = len(said) - MAX_NOTES
    return (*said[:MAX_NOTES], *([f"survey: {more} more findings of this kind"] if more > 0 else []))


def _same(group: SameAnswer) -> str:
    words = group.words if len(group.words) <= SHOWN_CHARS else group.words[: SHOWN_CHARS - 1] + "…"
    return (
        f"survey: {group.target} gives the same {group.part} to {len(group.probes)} unrelated probes "
        f"({group.share:.0%}): {words!r}"
    )


def _case(record: TrialRecord, messages: tuple[Message, ...], generation: Generation) -> Case:
    said = segments(generation.text)
    turns: tuple[Turn, ...] = (*(message for message in messages if message.role == "user"), Generate())
    probe = Probe(
        record.probe, record.suite, record.file, record.line, record.category, turns, Expectation(), (),
        cluster=record.cluster,
    )  # fmt: skip
    return Case(probe, record.target, Transcript(messages, (Answer(generation.text, said.answer),)))
