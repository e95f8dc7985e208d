"""Asks a part of a finished run again, at another batch size and in another order, to see what flips by itself."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing

from evalkit.errors import EvalkitError, HostLost
from evalkit.generation import Generation
from evalkit.matrix import Trial
from evalkit.noise import NoiseFloor, Repeat
from evalkit.record import TrialRecord
from evalkit.session import Session
from evalkit.store.generations import GenerationStore

BATCH_ROWS = 5
"""No divisor of the usual batch sizes, so that rows get other neighbours."""

Key = tuple[str, str]


def remeasure(session: Session, records: Sequence[TrialRecord], probes: int, seed: int) -> NoiseFloor:
    """Asks up to ``probes`` probes again on every target they ran on; the session's run must be a repetition.

    The probes are drawn by ``seed``, category by category. Errors of the first time and tests written in Python are
    left out.

    Raises:
        HostLost, StoreError: the host cannot answer at all.
    """
    chosen = _drawn(_repeatable(session, records), probes, seed)
    wanted = {record.trial: record for record in chosen}
    files = dict.fromkeys(session.workspace.root / record.file for record in chosen)
    trials = [trial for file in files for trial in session.trials(file) if trial.id in wanted]
    session.submit(trials, backwards=True)
    texts = _texts(session, chosen)
    repeats, broken = [], 0
    for trial in trials:
        repeat = _repeat(session, trial, wanted[trial.id], texts)
        if repeat is None:
            broken += 1
        else:
            repeats.append(repeat)
    return NoiseFloor.of(repeats, probes=len({_key(record) for record in chosen}), rows=BATCH_ROWS, broken=broken)


def _key(record: TrialRecord) -> Key:
    return record.suite, record.probe


def _repeatable(session: Session, records: Sequence[TrialRecord]) -> list[TrialRecord]:
    is_probe_file = session.workspace.is_probe_file
    return [
        record
        for record in records
        if record.outcome != "error" and record.sample == 0 and is_probe_file(session.workspace.root / record.file)
    ]


def _drawn(records: Sequence[TrialRecord], count: int, seed: int) -> list[TrialRecord]:
    """The records of ``count`` probes, one of each category in turn."""
    by_category: dict[str, list[Key]] = defaultdict(list)
    for record in sorted(records, key=lambda record: (record.category, record.trial)):
        if _key(record) not in by_category[record.category]:
            by_category[record.category].append(_key(record))
    draw = random.Random(seed)
    for keys in by_category.values():
        draw.shuffle(keys)
    ranked = sorted((place, category, key) for category, keys in by_category.items() for place, key in enumerate(keys))
    kept = {key for _, _, key in ranked[:count]}
    return [record for record in records if _key(record) in kept]


def _texts(session: Session, records: Sequence[TrialRecord]) -> dict[str, str]:
    identities = dict.fromkeys(identity for record in records for identity in record.generations)
    with closing(GenerationStore.open(session.workspace.store_file)) as store:
        return {name: answer.text for name, (_, answer) in store.conversations(list(identities)).items()}


def _repeat(session: Session, trial: Trial, record: TrialRecord, texts: dict[str, str]) -> Repeat | None:
    """The trial asked again; None where it broke this time."""
    try:
        judged = session.judged(trial)
    except HostLost:
        raise
    except EvalkitError:
        return None
    again = [reply.text for reply in session.replies(trial).replies if isinstance(reply, Generation)]
    return Repeat(
        trial.id,
        is_same_text=again == list(_known(record, texts)),
        before=record.outcome,
        after=judged.record.outcome,
        is_replayed=trial.target.engine.kind == "replay",
        is_asked=bool(judged.record.questions),
    )


def _known(record: TrialRecord, texts: dict[str, str]) -> Iterator[str | None]:
    return (texts.get(identity) for identity in record.generations)
