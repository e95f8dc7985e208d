"""Names the text that a person's label of a trial belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.generation import Generation
from evalkit.host.plan import answer_of
from evalkit.probe import Message
from evalkit.record import TrialRecord
from evalkit.review import text_hash


def labelled_text(record: TrialRecord, messages: Sequence[Message], last: Generation) -> str:
    """The text hash of a trial that ended with ``last``.

    ``messages`` are what the store says was asked for it (``GenerationStore.conversations``), the condition's system
    text first.
    """
    answer = answer_of(last)
    asked = tuple((message.role, message.content) for message in messages)
    return text_hash(record.probe_hash, asked, answer.thinking, answer.answer)
