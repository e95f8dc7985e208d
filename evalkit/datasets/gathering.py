"""A run's trials with their words, out of the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from evalkit.datasets.candidate import Candidate
from evalkit.generation import Generation
from evalkit.host.plan import answer_of
from evalkit.labelled_text import labelled_text
from evalkit.measured import Measured
from evalkit.probe import Message
from evalkit.record import TrialRecord
from evalkit.store.generations import GenerationStore
from evalkit.store.requests import RequestStore, StoredRequest
from evalkit.store.runs import as_of


def gather(store_file: Path, records: Iterable[TrialRecord], run: str) -> tuple[Candidate, ...]:
    """Every trial of the run with the answers that it saw, sorted by suite, file, line, target and sample.

    One whose answers are gone has none.

    Raises:
        StoreError: the store cannot be read.
    """
    found = []
    then = as_of(store_file, run)
    with closing(GenerationStore.open(store_file)) as answers, closing(RequestStore.open(store_file)) as requests:
        for record in sorted(records, key=_order):
            replies = answers.find(tuple(set(record.generations)), as_of=then)
            asked = requests.requests(record.generations, then)
            if record.outcome == "error" or not record.generations or len(replies) < len(set(record.generations)):
                found.append(Candidate.without_answer(record))
                continue
            stored = [(asked[identity], replies[identity]) for identity in record.generations]
            found.append(candidate_of(record, stored))
    return tuple(found)


def candidate_of(record: TrialRecord, stored: Sequence[tuple[StoredRequest, Generation]]) -> Candidate:
    """The trial whose answers, each with what was asked for it, are ``stored``."""
    request, last = stored[-1]
    system = () if request.condition is None else (Message("system", request.condition),)
    return Candidate(
        record, request.messages, tuple(answer_of(generation) for _, generation in stored),
        tuple(len(earlier.messages) for earlier, _ in stored[:-1]),
        Measured.of(record).scores, request.condition, labelled_text(record, (*system, *request.messages), last),
    )  # fmt: skip


def _order(record: TrialRecord) -> tuple[str, str, int, str, str, int]:
    return (record.suite, record.file, record.line, record.probe, record.target, record.sample)
