"""What only shows across a run's answers: one answer to many questions, samples that do not differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalkit.judging.survey import Said, SameAnswer, SampleSurvey, repeats
from evalkit.record import TrialRecord
from evalkit.reporting.exports import TrialTexts

MAX_NOTES = 4
SHOWN_CHARS = 40


def survey_notes(records: Sequence[TrialRecord], texts: Mapping[str, TrialTexts]) -> tuple[str, ...]:
    """A sentence for each finding about a subject, the widest first; what collapsed is left out, it is told already.

    ``texts`` are by trial id.
    """
    said = [
        _said(record, own)
        for record in records
        if record.role != "reference" and not record.is_collapsed and record.generations
        if (own := texts.get(record.trial)) and own.answers and own.answers[-1].identity == record.generations[-1]
    ]
    if not said:
        return ()
    found = repeats(said)
    same = [item for item in found if isinstance(item, SameAnswer) and item.kind == "same"]
    alike = [item for item in found if isinstance(item, SampleSurvey) and item.is_alike]
    sentences = [_same(group) for group in sorted(same, key=lambda group: -len(group.probes))]
    if alike:
        sentences.append(f"survey: the samples of {len(alike)} probes hardly differ, {alike[0].probe} among them")
    more = len(sentences) - MAX_NOTES
    return (*sentences[:MAX_NOTES], *([f"survey: {more} more findings of this kind"] if more > 0 else []))


def _same(group: SameAnswer) -> str:
    words = group.words if len(group.words) <= SHOWN_CHARS else group.words[: SHOWN_CHARS - 1] + "…"
    return (
        f"survey: {group.target} gives the same {group.part} to {len(group.probes)} unrelated probes "
        f"({group.share:.0%}): {words!r}"
    )


def _said(record: TrialRecord, texts: TrialTexts) -> Said:
    asked = "\n\n".join(content for role, content in texts.messages if role == "user")
    return Said(record.target, record.probe, record.cluster, asked, texts.answers[-1].answer)
