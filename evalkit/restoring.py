"""A stored run as it ended: its numbers, its texts, its gates, as every report needs them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from evalkit.calibration import Calibration
from evalkit.errors import EvalkitError, UsageError
from evalkit.record import TrialRecord
from evalkit.reporting.exports import TrialTexts
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.kept import restored_facts, restored_results
from evalkit.reporting.summary import RunFacts, summarise
from evalkit.reviewed import Reviewed, rates_of, review_sentence, reviewed
from evalkit.store.calibrations import read_calibrations
from evalkit.store.generations import GenerationStore
from evalkit.store.labels import LabelStore
from evalkit.store.runs import RunStore, as_of
from evalkit.trial_texts import RunTexts
from evalkit.workspace import Workspace

RestoredRun = FinishedRun
OLDER = (
    "an older evalkit stored this run: its gates, plans, adapters and times are not known, only its trials; "
    "run the same command again to have them, stored answers are kept"
)
UNFINISHED = (
    "this run never finished: it was stopped, or still goes on. The report holds the trials that had ended, and no "
    "gate decided. Run the same command again to finish it, stored answers are kept"
)
StoredRun = tuple[str, float, float | None, int | None, dict[str, Any]]


def restored_run(workspace: Workspace, run_id: str) -> FinishedRun:
    """The run of this name, its people's labels and calibrations as they are today; of an unfinished one what there is.

    Raises:
        UsageError: there is no such run.
        StoreError: the store cannot be read.
    """
    with closing(RunStore.open(workspace.store_file)) as store:
        stored = next((run for run in store.runs() if run[0] == run_id), None)
        if stored is None:
            raise UsageError(f"There is no run {run_id!r}. See: evalkit list runs")
        records = store.records(run_id)
    kept = stored[4].get("report", {})
    facts = restored_facts(kept) or _older_facts(workspace, stored, records)
    calibrations, notes = _calibrations(workspace)
    said = _reviewed(workspace.store_file, run_id, records)
    facts = replace(facts, notes=(*facts.notes, *notes), reviewed=review_sentence(said, records))
    is_finished = stored[3] is not None
    sentences = tuple(kept.get("sentences", ())) if is_finished else (UNFINISHED,)
    return FinishedRun(
        summarise(records, run=facts, calibrations=calibrations),
        StoredTexts(workspace.store_file, run_id, records),
        restored_results(kept), stored[3], sentences,
        said.labels if said else (), rates_of(said, records), is_finished,
    )  # fmt: skip


class StoredTexts(Mapping[str, TrialTexts]):
    """The texts of a run's trials by trial id, all read from the store when the first is asked for."""

    def __init__(self, store_file: Path, run_id: str, records: Sequence[TrialRecord]) -> None:
        self._store_file = store_file
        self._run_id = run_id
        self._records = {record.trial: record for record in records}

    def __getitem__(self, trial: str) -> TrialTexts:
        return self._texts[trial]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    @cached_property
    def _texts(self) -> dict[str, TrialTexts]:
        then = as_of(self._store_file, self._run_id)
        return RunTexts.of(self._store_file, tuple(self._records.values()), then).by_trial


def _older_facts(workspace: Workspace, stored: StoredRun, records: Sequence[TrialRecord]) -> RunFacts:
    """What can be told of a run whose facts nobody kept."""
    run_id, begun, ended, _, facts = stored
    ordered = sorted(records, key=lambda record: (record.suite, record.file, record.line))
    return RunFacts(
        run_id=run_id, started_at=begun, wall_s=0.0 if ended is None else ended - begun,
        targets=tuple(sorted({record.target for record in records})),
        categories=tuple(dict.fromkeys(record.category for record in ordered)),
        is_demo=any(record.is_demo for record in records),
        provenance=_provenance(workspace.store_file, records),
        command=shlex.join(["pytest", *facts.get("argv", ())]), notes=() if stored[3] is None else (OLDER,),
    )  # fmt: skip


def _provenance(store_file: Path, records: Sequence[TrialRecord]) -> tuple[tuple[str, str], ...]:
    """What the engines of one answer of each target say of themselves."""
    first = {record.target: record.generations[0] for record in records if record.generations}
    with closing(GenerationStore.open(store_file)) as store:
        found = store.facts(list(first.values()))
    return tuple(sorted({name: value for facts in found for name, value in facts.items()}.items()))


def _calibrations(workspace: Workspace) -> tuple[tuple[Calibration, ...], tuple[str, ...]]:
    try:
        return read_calibrations(workspace), ()
    except EvalkitError as error:
        return (), (str(error),)


def _reviewed(store_file: Path, run_id: str, records: Sequence[TrialRecord]) -> Reviewed | None:
    """The run with what people say of it today; None where nobody labelled anything."""
    with closing(LabelStore.open(store_file)) as labels:
        if not labels.reviewers():
            return None
    found = reviewed(store_file, run_id, records, everyone=True)
    return found if found.labels else None
