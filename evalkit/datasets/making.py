"""From a run's trials to a dataset: what is asked for is checked, then chosen, then split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from evalkit.datasets.candidate import Candidate
from evalkit.datasets.manifest import Made, Origin
from evalkit.datasets.selecting import Wanted, select
from evalkit.datasets.splitting import split
from evalkit.errors import UsageError
from evalkit.measured import Measured
from evalkit.reading.suggestions import did_you_mean
from evalkit.reporting.phrases import counted
from evalkit.review import Label


class Labels(Protocol):
    """Where people's labels are read from."""

    def labels_for(self, text_hashes: Iterable[str]) -> Mapping[str, Label]:
        """The latest label of each text that has one."""
        ...

    def tied(self, text_hashes: Iterable[str]) -> frozenset[str]:
        """The texts of which as many reviewers say right as wrong."""
        ...


def make(
    origin: Origin, candidates: tuple[Candidate, ...], source: Labels, wanted: Wanted, share: float, seed: int
) -> Made:
    """The dataset, not yet written.

    Raises:
        UsageError: a judge that is named gave no score, or nothing is kept.
    """
    _check_judges(origin.run, candidates, wanted)
    wanted = replace(wanted, only_judge=_only_judge(candidates))
    texts = sorted({item.text_hash for item in candidates if item.text_hash})
    labels = source.labels_for(texts)
    selection = select(candidates, labels, wanted, source.tied(texts))
    if not selection.kept:
        why = ", ".join(f"{reason} ({count})" for reason, count in _by_count(selection.left_out))
        raise UsageError(
            f"Nothing is kept of {counted(len(candidates), 'answer')} of run {origin.run}, nothing written. "
            f"Left out: {why}."
        )
    return Made(origin, candidates, labels, wanted, selection, split(selection.kept, share, seed), share, seed)


def _check_judges(run: str, candidates: Iterable[Candidate], wanted: Wanted) -> None:
    known: set[str] = set()
    scoring: set[str] = set()
    for candidate in candidates:
        measured = Measured.of(candidate.record)
        known |= {*measured.judges, *measured.optional_judges}
        scoring |= set(candidate.scores)
    for judge, _ in wanted.min_scores:
        if judge not in known:
            raise UsageError(
                f"--min-score {judge}: no such judge gave a verdict in run {run}. "
                + (did_you_mean(judge, sorted(known)) if known else "No judge did.")
            )
        if judge not in scoring:
            others = f"Judges that gave one: {', '.join(sorted(scoring))}." if scoring else "No judge of it gave one."
            raise UsageError(f"--min-score {judge}: it gave no score in run {run}. {others}")


def _only_judge(candidates: Iterable[Candidate]) -> str | None:
    """The judge whose score each decision has, where it is the same one everywhere."""
    found = set()
    for candidate in candidates:
        measured = Measured.of(candidate.record)
        scoring = (judge for judge in measured.scores if judge in measured.judges)
        found.add(next(scoring, None))
    found.discard(None)
    return found.pop() if len(found) == 1 else None


def _by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
