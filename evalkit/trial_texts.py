"""What reports show of a trial: its conversation, its answers, and what its judges asked."""

from __future__ import annotations

from evalkit.generation import Generation
from evalkit.host.plan import answer_of
from evalkit.probe import Message
from evalkit.record import TrialRecord
from evalkit.reporting.exports import TrialTexts
from evalkit.reviewed import text_of

Conversations = dict[str, tuple[tuple[Message, ...], Generation]]
"""Identity → what was asked, and what came."""


def trial_texts(record: TrialRecord, stored: Conversations, asked: Conversations) -> TrialTexts:
    """The conversation of a trial from its last answer's request, all its answers, and what its judges asked."""
    known = [stored[identity] for identity in record.generations if identity in stored]
    questions = {
        identity: _question_and_reply(*asked[identity])
        for item in record.questions
        if (identity := item["identity"]) in asked
    }
    if not known:
        return TrialTexts(questions=questions)
    messages, _ = known[-1]
    answers, text = tuple(answer_of(generation) for _, generation in known), text_of(record, stored)
    return TrialTexts(
        messages=(*((message.role, message.content) for message in messages), ("assistant", answers[-1].text)),
        answers=answers, questions=questions, text_hash=text.text_hash if text else None,
    )  # fmt: skip


def _question_and_reply(messages: tuple[Message, ...], reply: Generation) -> tuple[str, str]:
    """Without the system text, which is the same for all that a judge asks; the store has it."""
    return "\n\n".join(message.content for message in messages if message.role != "system"), reply.text
