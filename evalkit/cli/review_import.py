"""``evalkit review import``: labels from sheets into the store, each row checked, good rows kept."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from evalkit.cli.places import workspace_at
from evalkit.cli.review_sheets import run_of
from evalkit.cli.sides import LATEST
from evalkit.errors import Problem
from evalkit.label_intake import OUTCOMES, Given, Intake, KnownTrials, located, taken
from evalkit.reporting.phrases import counted
from evalkit.reporting.review_words import names_words
from evalkit.review import Label
from evalkit.reviewed import population_of, reviewed, texts_of
from evalkit.reviewing import PopulationTrial
from evalkit.sheets import read_sheet
from evalkit.store.labels import LabelStore
from evalkit.store.queues import QueueStore
from evalkit.store.runs import RunStore
from evalkit.workspace import Workspace

MAX_SHOWN = 30
Known = Callable[[str], KnownTrials | None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of one file."""

    file: str
    intake: Intake
    by: tuple[str, ...]
    problems: tuple[Problem, ...]


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 when every row was taken, 2 when one was not (the others are stored all the same).

    Raises:
        UsageError: there is no run yet, or not the one that is named.
    """
    workspace = workspace_at(Path.cwd())
    default = _default_run(workspace, arguments.run)
    known = cache(lambda name: known_trials(workspace, name))
    files = list(dict.fromkeys(arguments.files))
    done = []
    for file in files:
        done.append(_import(workspace, file, default, known, arguments))
        _print(done[-1], silent=arguments.json)
    labels = [label for one in done for label in one.intake.labels]
    runs = tuple(dict.fromkeys(label.run for label in labels)) or (default,)
    if arguments.json:
        print(json.dumps({"files": [_plain(one) for one in done], "runs": list(runs)}))
    if not arguments.json:
        _print_state(workspace, runs)
    return 2 if any(one.problems for one in done) else 0


def known_trials(workspace: Workspace, run: str) -> KnownTrials | None:
    """The trials of a run with every text that a queue knew of them, the newest first; None where there is no run."""
    if run not in _runs(workspace):
        return None
    with closing(QueueStore.open(workspace.store_file)) as queues:
        populations = [queue.population for queue in queues.of_run(run)]
    if not populations:
        _, records = run_of(workspace, run)
        populations = [population_of(records, texts_of(workspace.store_file, records, run))]
    found: dict[str, dict[str, PopulationTrial]] = {}
    for population in populations:
        for trial in population:
            texts = found.setdefault(trial.trial, {})
            if trial.text_hash not in texts or texts[trial.text_hash].inclusion is None:
                texts[trial.text_hash] = trial
    return found


def _runs(workspace: Workspace) -> set[str]:
    with closing(RunStore.open(workspace.store_file)) as store:
        return {name for name, *_ in store.runs()}


def _default_run(workspace: Workspace, wanted: str) -> str:
    """The run that is named, else the one that was queued last, else the latest."""
    if wanted:
        return run_of(workspace, wanted)[0]
    if workspace.store_file.exists():
        with closing(QueueStore.open(workspace.store_file)) as queues:
            newest = queues.newest_run()
        if newest is not None:
            return newest
    return run_of(workspace, LATEST)[0]


def _import(workspace: Workspace, file: str, default: str, known: Known, arguments: argparse.Namespace) -> Imported:
    path = Path(file)
    rows, problems = read_sheet(path, file)
    given = Given(arguments.reviewer, _written_at(path), arguments.adjudicates)
    folder = path.absolute().parent.name
    own = default if arguments.run or known(folder) is None else folder
    found = [located(row, given, own, known) for row in rows]
    labels = [one for one in found if isinstance(one, Label)]
    undated = {one for row, one in zip(rows, found, strict=True) if row.at is None and isinstance(one, Label)}
    wrong = (*problems, *(one for one in found if isinstance(one, Problem)))
    with closing(LabelStore.open(workspace.store_file)) as store:
        trail = store.trail(label.text_hash for label in labels)
        intake = taken(labels, trail, store.reviewers(), undated)
        store.put(intake.labels)
    by = tuple(dict.fromkeys(label.reviewer for label in labels))
    return Imported(file, intake, by, tuple(sorted(wrong, key=lambda problem: problem.line or 0)))


def _written_at(path: Path) -> float:
    """When a sheet that says no times was last saved: an old copy does not take back what was said since."""
    now = time.time()
    return min(now, path.stat().st_mtime) if path.is_file() else now


def _plain(one: Imported) -> dict[str, object]:
    return {
        "file": one.file, "by": list(one.by), **{name: one.intake.counts[name] for name in OUTCOMES},
        "refused": len(one.problems), "problems": [str(problem) for problem in one.problems],
    }  # fmt: skip


def _print(one: Imported, *, silent: bool) -> None:
    for problem in one.problems[:MAX_SHOWN]:
        print(problem, file=sys.stderr)
    if len(one.problems) > MAX_SHOWN:
        print(f"… and {len(one.problems) - MAX_SHOWN} more in {one.file}", file=sys.stderr)
    if not one.problems and not one.intake.counts:
        print(f"{one.file}: no row has a label. Fill in the column label, save, and import it again.", file=sys.stderr)
    if not silent:
        print(f"{one.file}: {_counts(one)}")


def _counts(one: Imported) -> str:
    counts: Counter[str] = one.intake.counts
    total = sum(counts.values())
    by = f" by {names_words(one.by)}" if one.by else ""
    parts = [f"{counts['stored']} stored", f"{counts['superseded']} superseded", f"{counts['unchanged']} unchanged"]
    if counts["older"]:
        parts.append(f"{counts['older']} older than what is known (kept, changes nothing)")
    return f"{counted(total, 'label')}{by}: {', '.join([*parts, f'{len(one.problems)} refused'])}"


def _print_state(workspace: Workspace, runs: Sequence[str]) -> None:
    """How far the review of each run is, and the next command."""
    for name in _there(workspace, runs):
        state = reviewed(workspace.store_file, name, run_of(workspace, name)[1])
        if state.labels:
            carry = f"{state.labelled} of {len(state.population)} answers carry labels of {names_words(state.names)}"
            print(f"run {name}: {carry}")
            print(f"next: evalkit review report {name}")


def _there(workspace: Workspace, runs: Iterable[str]) -> list[str]:
    finished = _runs(workspace)
    return [name for name in runs if name in finished]
