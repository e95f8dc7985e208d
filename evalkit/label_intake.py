"""Rows of sheets as labels: what they belong to is known, and nothing is taken twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from evalkit.errors import Problem
from evalkit.reading.suggestions import did_you_mean, nearest
from evalkit.review import Label, Stratum
from evalkit.reviewing import PopulationTrial
from evalkit.reviewing.queue import LOST
from evalkit.sheets import SheetRow

Outcome = str
OUTCOMES: tuple[Outcome, ...] = ("stored", "superseded", "older", "unchanged")
KnownTrials = Mapping[str, Mapping[str, PopulationTrial]]
"""Trial → text hash → the trial as a queue of its run knew it."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says of all rows of a file: who, when and why, where a row does not."""

    reviewer: str
    at: float
    adjudicates: bool = False


@dataclass(slots=True)
class Intake:
    """Labels to be stored, in their order, and how many rows came to what.

    ``superseded`` are of somebody who had said otherwise, ``older`` than what the same person said since (kept in the
    trail, where they change nothing), ``unchanged`` known already and not stored again.
    """

    labels: list[Label] = field(default_factory=list)
    counts: Counter[Outcome] = field(default_factory=Counter)


def located(row: SheetRow, given: Given, run: str, known: Callable[[str], KnownTrials | None]) -> Label | Problem:
    """The row's label with the text that it belongs to, or why it belongs to none; ``run`` where the row names none."""
    run = row.run or run
    trials = known(run)
    if trials is None:
        return _wrong(row, f"there is no run {run!r} here. Import its labels in the workspace where it was run.")
    if not (row.reviewer or given.reviewer):
        return _wrong(row, "nothing says who gave the label. Import the file with: --reviewer NAME")
    trial = row.trial or next((name for name, texts in trials.items() if row.text_hash in texts), "")
    if not trial:
        return _wrong(row, f"no answer of run {run} has the text {row.text_hash[:8]}…. Import the sheet as it was.")
    if trial not in trials:
        near = nearest(trial, list(trials))
        hint = did_you_mean(trial, list(trials)) if near else "See results.jsonl of the run."
        return _wrong(row, f"run {run} has no trial {trial!r}. {hint}")
    texts = {text: own for text, own in trials[trial].items() if not text.startswith(LOST)}
    if not texts:
        return _wrong(
            row,
            f"the answer of {trial} is no longer in the store, so nothing says what the label is of. Run the probe "
            "again and judge its new answer: evalkit review latest",
        )
    text = row.text_hash or next(iter(texts))
    if text not in texts:
        return _wrong(
            row,
            f"the answer of {trial} is another one than in this row: its text is {next(iter(texts))[:8]}…, and the row "
            f"is of {text[:8]}…. Judge it again in a new sheet: evalkit review {run}",
        )
    own = texts[text]
    label = replace(row.label(reviewer=given.reviewer, at=given.at), text_hash=text, trial=trial, run=run)
    return replace(
        label,
        reviewer=" ".join(label.reviewer.split()),
        stratum=row.stratum or cast("Stratum | None", own.stratum) or "asked_for",
        inclusion=row.inclusion or own.inclusion or 1.0,
        adjudicates=given.adjudicates,
    )


def taken(
    labels: Iterable[Label], trail: Sequence[Label], names: Iterable[str] = (), undated: Container[Label] = ()
) -> Intake:
    """What is new in ``labels`` beside the ``trail`` of their texts; of those given at one time the last counts.

    ``undated`` are those whose row gives no time, so that theirs is when the file was saved. Such a row is news only
    where it differs from what its file said before, or, of a file that is new, from all that its reviewer ever said.

    Reviewers whose names differ in capitals alone are one person, called as in ``names`` or at first.
    """
    spelled = {name.casefold(): name for name in names}
    by_reviewer: dict[tuple[str, str], list[Label]] = {}
    for label in trail:
        by_reviewer.setdefault(_key(label), []).append(label)
    found = Intake()
    for given in labels:
        label = replace(given, reviewer=spelled.setdefault(given.reviewer.casefold(), given.reviewer))
        said = by_reviewer.setdefault(_key(label), [])
        outcome = "unchanged" if given in undated and _is_known(label, said) else _outcome(label, said)
        found.counts[outcome] += 1
        if outcome != "unchanged":
            said.append(label)
            found.labels.append(label)
    return found


def _outcome(label: Label, said: Sequence[Label]) -> Outcome:
    if not said:
        return "stored"
    newest = max(reversed(said), key=_rank)
    same = [one for one in said if _content(one) == _content(label)]
    is_older = _rank(label) < _rank(newest)
    if newest in same or (is_older and any(one.at == label.at for one in same)):
        return "unchanged"
    return "older" if is_older else "superseded"


def _is_known(label: Label, said: Sequence[Label]) -> bool:
    before = [one for one in said if one.source == label.source][-1:] or said
    return any(_content(one) == _content(label) for one in before)


def _key(label: Label) -> tuple[str, str]:
    return (label.text_hash, label.reviewer.casefold())


def _rank(label: Label) -> tuple[bool, float]:
    return (label.adjudicates, label.at)


def _content(label: Label) -> tuple[object, ...]:
    return (label.value, label.failure_kind, label.note, label.adjudicates)


def _wrong(row: SheetRow, message: str) -> Problem:
    return Problem(row.file, message, row.line)
