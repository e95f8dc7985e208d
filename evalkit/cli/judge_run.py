"""``evalkit judge RUN``: judges a run's stored transcripts again and shows old against new."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from evalkit.cli import judging_again as judging
from evalkit.cli.places import workspace_at
from evalkit.cli.verdict_lines import report, write_verdicts
from evalkit.errors import UsageError
from evalkit.record import TrialRecord
from evalkit.reporting.safe_text import for_terminal
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.probe import JudgeUse
    from evalkit.rejudging import Judged, StoredTrial

LATEST = "latest"
MAX_CHANGES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Change:
    """One judge's verdict of then and of now on one trial."""

    trial: str
    judge: str
    old: str
    new: str
    reason: str


def run(arguments: argparse.Namespace) -> int:
    """Exit status as for a file; what changed is shown after the counts."""
    workspace = workspace_at(Path.cwd())
    if arguments.suite:
        raise UsageError("--suite is for files; a run knows its probes. Take it out.")
    name, records = records_of(workspace, arguments.source)
    uses = judging.named_judges(arguments.judges, workspace)
    trials = stored_trials(workspace, name, records, uses)
    every = dict.fromkeys(use for trial in trials for use in trial.trial.probe.judges)
    rejudging = judging.rejudging_of(arguments, workspace, every)
    changes: list[Change] = []
    old = {record.trial: {item["judge"]: item["outcome"] for item in record.verdicts} for record in records}
    with judging.written(arguments.out, arguments.source) as out:
        judged = _compared(judging.judged_all(rejudging, every, trials), old, changes)
        lines = write_verdicts(judged, out, show_progress=bool(arguments.out))
    status = report(lines, [], arguments, rejudging.questions)
    if not arguments.json:
        _print_changes(changes, sys.stdout if arguments.out else sys.stderr)
    return status


def records_of(workspace: Workspace, wanted: str) -> tuple[str, tuple[TrialRecord, ...]]:
    """The name and the records of a finished or unfinished run.

    Raises:
        UsageError: there is no such run.
    """
    from evalkit.store.runs import RunStore

    if not workspace.store_file.exists():
        raise UsageError(f"{workspace.root}: nothing was run here yet, and there is no file {wanted}.")
    with closing(RunStore.open(workspace.store_file)) as store:
        for name, *_ in store.runs():
            if wanted in (LATEST, name):
                return name, store.records(name)
    raise UsageError(f"There is no file and no run {wanted!r}. See: evalkit list runs")


def stored_trials(
    workspace: Workspace, run: str, records: Sequence[TrialRecord], uses: tuple[JudgeUse, ...]
) -> list[StoredTrial]:
    """Each record's transcript as the run saw it, for ``uses``, or for the judges that its probe names today.

    Trials without an answer, and those whose probe is gone, are counted on standard error and left out.
    """
    from evalkit.store.generations import GenerationStore
    from evalkit.store.runs import as_of
    from evalkit.transcripts import ProbesOfToday, transcript_of

    today, then = ProbesOfToday(workspace), as_of(workspace.store_file, run)
    found: list[StoredTrial] = []
    edited: set[str] = set()
    without: Counter[str] = Counter()
    with closing(GenerationStore.open(workspace.store_file)) as store:
        for record in records:
            probe = today.probe(record)
            stored = store.conversations(record.generations, then)
            if probe is None:
                without["the probe is gone"] += 1
            elif not record.generations or len(stored) < len(record.generations):
                without["there is no stored answer"] += 1
            else:
                answers = [stored[identity] for identity in record.generations]
                trial, is_edited = transcript_of(
                    record, probe, answers, uses or judging.resolved(probe.judges, workspace)
                )
                found.append(trial)
                edited |= {probe.id} if is_edited else set()
    for why, count in without.items():
        print(f"{count} of {len(records)} trials are not judged: {why}", file=sys.stderr)
    if edited:
        which = "1 probe was edited since: judged as it was asked, by what it expects today"
        several = f"{len(edited)} probes were edited since: judged as they were asked, by what they expect today"
        print(which if len(edited) == 1 else several, file=sys.stderr)
    return found


def _compared(
    judged: Iterator[tuple[StoredTrial, tuple[Judged, ...]]], old: dict[str, dict[str, str]], changes: list[Change]
) -> Iterator[tuple[StoredTrial, tuple[Judged, ...]]]:
    for stored, verdicts in judged:
        name = stored.trial.id
        for each in verdicts:
            before = old.get(name, {}).get(each.use.use, "-")
            after = each.verdict.outcome if each.verdict is not None else "error"
            reason = each.verdict.reason if each.verdict is not None else each.broke
            changes.append(Change(name, each.use.use, before, after, reason))
        yield stored, verdicts


def _print_changes(changes: Sequence[Change], stream: Any) -> None:
    """Old outcome against new, judge by judge, and the trials that changed."""
    counts = Counter((change.judge, change.old, change.new) for change in changes)
    rows: list[dict[str, Any]] = [
        {"judge": judge, "then": old, "now": new, "trials": count}
        for (judge, old, new), count in sorted(counts.items())
        if old != "-"
    ]
    if not rows:
        return
    print(tabulate(rows, headers="keys"), file=stream)
    changed = [change for change in changes if change.old not in ("-", change.new)]
    print(f"changed: {len(changed)} of {sum(row['trials'] for row in rows)} verdicts", file=stream)
    for change in changed[:MAX_CHANGES_SHOWN]:
        line = f"{change.judge}: {change.old} → {change.new}  {change.trial} — {change.reason}"
        print(for_terminal(line), file=stream)
    if len(changed) > MAX_CHANGES_SHOWN:
        print(f"… and {len(changed) - MAX_CHANGES_SHOWN} more", file=stream)
