"""Where people and judges disagree, in both directions and in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evalkit.calibration import EVERY_CATEGORY
from evalkit.review import Label
from evalkit.reviewing.population import PopulationTrial, settled


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One category's reviewed trials: of ``fails`` failures ``overturned`` are right, of ``passes`` ``wrong`` are not.

    ``unscored`` were decided by nobody but the reviewers, ``unscored_right`` of them are right. Counts are of trials.
    """

    category: str
    fails: int = 0
    overturned: int = 0
    passes: int = 0
    wrong: int = 0
    unscored: int = 0
    unscored_right: int = 0
    is_every_fail: bool = False
    is_every_pass: bool = False


def judge_errors(population: Sequence[PopulationTrial], labels: Iterable[Label]) -> tuple[ErrorRow, ...]:
    """A row for each category with a reviewed trial, in order of appearance, and last the row ``all``."""
    truths = {text: said.truth for text, said in settled(labels).items() if said.truth is not None}
    groups: dict[str, list[PopulationTrial]] = {}
    for trial in population:
        groups.setdefault(trial.category, []).append(trial)
    rows = [_row(category, trials, truths) for category, trials in groups.items()]
    rows = [row for row in rows if row.fails or row.passes or row.unscored]
    return (*rows, _row(EVERY_CATEGORY, population, truths))


def _row(category: str, trials: Sequence[PopulationTrial], truths: dict[str, bool]) -> ErrorRow:
    def of(outcome: str) -> list[bool]:
        return [truths[t.text_hash] for t in trials if t.outcome == outcome and t.text_hash in truths]

    fails, passes, unscored = of("fail"), of("pass"), of("unscored")
    outcomes = [trial.outcome for trial in trials]
    return ErrorRow(
        category, len(fails), sum(fails), len(passes), passes.count(False), len(unscored), sum(unscored),
        len(fails) == outcomes.count("fail"), len(passes) == outcomes.count("pass"),
    )  # fmt: skip


def error_sentences(rows: Sequence[ErrorRow]) -> tuple[str, ...]:
    """One sentence a row: ``all: 7 of 11 failures overturned; 1 of 29 sampled passes was wrong``."""
    return tuple(f"{row.category}: {'; '.join(_parts(row))}" for row in rows)


def _parts(row: ErrorRow) -> list[str]:
    parts = [_failures(row), _passes(row)]
    if row.unscored:
        parts.append(f"{_was(row.unscored_right, row.unscored, 'reviewed that no judge decided')} right")
    return parts


def _failures(row: ErrorRow) -> str:
    if not row.fails:
        return "there was no failure" if row.is_every_fail else "no failure was reviewed"
    sampled = "" if row.is_every_fail else "sampled "
    return f"{row.overturned} of {row.fails} {sampled}{'failure' if row.fails == 1 else 'failures'} overturned"


def _passes(row: ErrorRow) -> str:
    if not row.passes:
        return "there was no pass" if row.is_every_pass else "no pass was reviewed"
    sampled = "" if row.is_every_pass else "sampled "
    return f"{_was(row.wrong, row.passes, sampled + ('pass' if row.passes == 1 else 'passes'))} wrong"


def _was(part: int, whole: int, what: str) -> str:
    return f"{part} of {whole} {what} {'was' if 1 in (part, whole) else 'were'}"
