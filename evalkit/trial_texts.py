"""What reports show of a trial: its conversation, its answers, and what its judges asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from evalkit.generation import ROW_FACTS
from evalkit.host.plan import answer_of
from evalkit.record import TrialRecord
from evalkit.reporting.exports import TrialTexts
from evalkit.review import text_hash
from evalkit.store.generations import AsOf, GenerationStore, Said

_AT_ONCE = 500
"""Trials whose answers are in memory whole while their texts are taken out of them."""


@dataclass(slots=True)
class RunTexts:
    """The texts of a run by trial; ``engines`` is what the engines of its answers say of themselves.

    ``near_ties`` counts the answers that hung on one.
    """

    by_trial: dict[str, TrialTexts] = field(default_factory=dict)
    engines: dict[str, str] = field(default_factory=dict)
    near_ties: int = 0

    @classmethod
    def of(cls, store_file: Path, records: Sequence[TrialRecord], then: AsOf | None = None) -> RunTexts:
        """What the store has of these trials: the newest answers of all, or ``then`` those that a run saw.

        Raises:
            StoreError: the store cannot be read.
        """
        found = cls()
        seen: set[str] = set()
        with closing(GenerationStore.open(store_file)) as store:
            for start in range(0, len(records), _AT_ONCE):
                part = records[start : start + _AT_ONCE]
                stored = store.said(_once(name for record in part for name in record.generations), then)
                questions = _once(item["identity"] for record in part for item in record.questions)
                asked = store.said(questions, then)
                found.by_trial.update((record.trial, trial_texts(record, stored, asked)) for record in part)
                found._hear(said for name, said in stored.items() if name not in seen)
                seen.update(stored)
        return found

    @property
    def provenance(self) -> dict[str, str]:
        """What a report says of where the answers come from."""
        return {**self.engines, **({"answers with near ties": str(self.near_ties)} if self.near_ties else {})}

    def _hear(self, answers: Iterable[Said]) -> None:
        for said in answers:
            facts = dict(said.facts)
            self.engines |= {name: str(value) for name, value in facts.items() if name not in ROW_FACTS}
            self.near_ties += bool(facts.get("near_tie"))


def _once(identities: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(identities))


def trial_texts(record: TrialRecord, stored: Mapping[str, Said], asked: Mapping[str, Said]) -> TrialTexts:
    """The conversation of a trial from its last answer's request, all its answers, and what its judges asked."""
    known = [stored[identity] for identity in record.generations if identity in stored]
    questions = {
        identity: _question_and_reply(asked[identity])
        for item in (record.questions if asked else ())
        if (identity := item["identity"]) in asked
    }
    if not known:
        return TrialTexts(questions=questions)
    messages = known[-1].messages
    answers = tuple([answer_of(said) for said in known])
    last = answers[-1]
    is_whole = record.outcome != "error" and len(known) == len(record.generations)
    return TrialTexts(
        messages=(*messages, ("assistant", last.text)), answers=answers, questions=questions,
        text_hash=text_hash(record.probe_hash, messages, last.thinking, last.answer) if is_whole else None,
    )  # fmt: skip


def _question_and_reply(said: Said) -> tuple[str, str]:
    """Without the system text, which is the same for all that a judge asks; the store has it."""
    return "\n\n".join(content for role, content in said.messages if role != "system"), said.text
