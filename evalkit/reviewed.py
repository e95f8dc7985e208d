"""What people said of a run: its texts, the trials that a review speaks for, and every label of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from evalkit.generation import Generation
from evalkit.host.plan import answer_of
from evalkit.labelled_text import labelled_text
from evalkit.probe import Message
from evalkit.record import TrialRecord
from evalkit.reporting.review_words import reviewed_sentence
from evalkit.review import Label
from evalkit.reviewing import (
    CorrectedRates,
    PopulationTrial,
    RateRow,
    ReviewedRates,
    TrialText,
    corrected_rates,
    settled,
)
from evalkit.reviewing.draws import Draw
from evalkit.reviewing.queue import LOST, family_of
from evalkit.reviewing.weights import shares_read, why_no_weights
from evalkit.store.generations import GenerationStore
from evalkit.store.labels import LabelStore
from evalkit.store.queues import QueueStore
from evalkit.store.runs import as_of
from evalkit.workspace import Workspace

Conversations = Mapping[str, tuple[tuple[Message, ...], Generation]]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A run's answered trials, and every label that one of their texts ever had, in the order in which they came."""

    population: tuple[PopulationTrial, ...]
    labels: tuple[Label, ...]
    draws: tuple[Draw, ...] = ()
    run: str = "latest"

    def rates(self, trials: Iterable[str] | None = None) -> CorrectedRates:
        """The three rates of all these trials, or of some of them."""
        wanted = None if trials is None else set(trials)
        chosen = [trial for trial in self.population if wanted is None or trial.trial in wanted]
        if len({trial.target for trial in chosen}) > 1:
            # What several targets answer to one probe is no better known than one probe is.
            chosen = [replace(one, family=one.family.removesuffix(f"/{one.target}")) for one in chosen]
        return corrected_rates(chosen, self.labels, self.draws, self.run)

    def shares(self) -> dict[str, float]:
        """How much of its stratum was read with each text that has a label which decides: 1 / its weight."""
        return shares_read(self.population, self.labels, self.draws)

    def why_no_shares(self) -> str:
        """Why the labels do not stand for all trials, passes and failures; empty where they do."""
        return why_no_weights(self.population, self.labels, self.draws)

    def of(self, trials: Collection[str]) -> Reviewed:
        """Some of these trials, with their labels."""
        own = tuple(trial for trial in self.population if trial.trial in trials)
        texts = {trial.text_hash for trial in own}
        labels = tuple(label for label in self.labels if label.text_hash in texts)
        return replace(self, population=own, labels=labels)

    def table(self) -> ReviewedRates:
        """The three rates by target and category."""
        targets = sorted({trial.target for trial in self.population})
        groups = [*targets, None] if len(targets) > 1 else targets
        rows = tuple(row for target in groups for row in self._rows(target))
        return ReviewedRates(self.run, self.labelled, len(self.population), self.names, rows)

    def _rows(self, target: str | None) -> list[RateRow]:
        own = [trial for trial in self.population if target in (None, trial.target)]
        categories = sorted({trial.category for trial in own})
        groups = [None, *categories] if len(categories) > 1 else [None]
        return [
            RateRow(target, name, self.rates(trial.trial for trial in own if name in (None, trial.category)))
            for name in groups
        ]

    @property
    def names(self) -> tuple[str, ...]:
        """Whose labels count, sorted."""
        return tuple(sorted({label.reviewer for said in settled(self.labels).values() for label in said.labels}))

    @property
    def labelled(self) -> int:
        """How many trials gave a text that has a label, be it one that does not decide."""
        texts = {label.text_hash for label in self.labels}
        return sum(trial.text_hash in texts for trial in self.population)


def texts_of(store_file: Path, records: Sequence[TrialRecord], run: str) -> dict[str, TrialText]:
    """What each answered trial of the run was asked and said then; a trial whose answers are gone has none."""
    found = {}
    then = as_of(store_file, run)
    with closing(GenerationStore.open(store_file)) as store:
        for record in records:
            text = text_of(record, store.conversations(record.generations, then))
            if text is not None:
                found[record.trial] = text
    return found


def text_of(record: TrialRecord, stored: Conversations) -> TrialText | None:
    """The text of one trial, None where one of its answers is not there."""
    if record.outcome == "error" or not record.generations or any(name not in stored for name in record.generations):
        return None
    messages, last = stored[record.generations[-1]]
    answer = answer_of(last)
    return TrialText(
        labelled_text(record, messages, last), tuple((message.role, message.content) for message in messages),
        answer.answer, answer.thinking,
    )  # fmt: skip


def population_of(records: Iterable[TrialRecord], texts: Mapping[str, TrialText]) -> tuple[PopulationTrial, ...]:
    """The answered trials of a run that nobody made a queue of."""
    return _population(records, {trial: text.text_hash for trial, text in texts.items()})


def _population(records: Iterable[TrialRecord], hashes: Mapping[str, str]) -> tuple[PopulationTrial, ...]:
    return tuple(
        PopulationTrial(
            record.trial, hashes.get(record.trial, f"{LOST}{record.trial}"), record.outcome, record.category,
            family_of(record), record.suite, record.target,
        )
        for record in records
        if record.outcome != "error"
    )  # fmt: skip


def reviewed(store_file: Path, run: str, records: Sequence[TrialRecord], *, everyone: bool = False) -> Reviewed:
    """A stored run with its labels: its subjects, unless it has none or ``everyone`` is asked for."""
    with closing(QueueStore.open(store_file)) as queues:
        stored = queues.of_run(run)
    population = stored[0].population if stored else population_of(records, texts_of(store_file, records, run))
    found = with_labels(store_file, population, run)
    return found if everyone else found.of(_subjects(records))


def reviewed_rates(workspace: Workspace, run: str, records: Sequence[TrialRecord]) -> ReviewedRates | None:
    """The run's automated, reviewed and corrected rates, by target and category; None where none of it has a label.

    ``records`` are all of the run; it may be one that has not ended.
    """
    with closing(LabelStore.open(workspace.store_file)) as labels:
        if not labels.reviewers():
            return None
    return rates_of(reviewed(workspace.store_file, run, records), records)


def with_labels(store_file: Path, population: tuple[PopulationTrial, ...], run: str = "latest") -> Reviewed:
    """These trials with every label that the store has of their texts, and how those were drawn."""
    with closing(LabelStore.open(store_file)) as labels:
        trail = labels.trail(trial.text_hash for trial in population)
    with closing(QueueStore.open(store_file)) as queues:
        draws = queues.draws({trial.text_hash for trial in population}, {label.text_hash for label in trail})
    return Reviewed(population, trail, draws, run)


def inherited(
    store_file: Path, records: Sequence[TrialRecord], hashes: Mapping[str, str], run: str = "latest"
) -> Reviewed | None:
    """The trials of a run that ends now with the labels of earlier ones; None where nobody labelled anything.

    ``hashes`` name the texts that labels belong to, by trial.
    """
    with closing(LabelStore.open(store_file)) as labels:
        if not labels.reviewers():
            return None
    found = with_labels(store_file, _population(records, hashes), run)
    return found if found.labels else None


def review_sentence(state: Reviewed | None, records: Sequence[TrialRecord]) -> str:
    """How many answers of subjects carry labels, and the rate that follows; nothing where none does."""
    own = None if state is None else state.of(_subjects(records))
    if own is None or not own.labels:
        return ""
    return reviewed_sentence(own.labelled, len(own.population), own.names, own.rates())


def rates_of(state: Reviewed | None, records: Sequence[TrialRecord]) -> ReviewedRates | None:
    """The three rates of the subjects, by target and category; None where none of their answers has a label."""
    own = None if state is None else state.of(_subjects(records))
    return own.table() if own is not None and own.labels else None


def _subjects(records: Sequence[TrialRecord]) -> set[str]:
    """The trials of subjects, or all where there is none."""
    found = {record.trial for record in records if record.role != "reference"}
    return found or {record.trial for record in records}
