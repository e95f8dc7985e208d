"""What ``evalkit report`` is given: a stored run, the targets of it that are wanted, and an earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from evalkit.calibration import Calibration
from evalkit.cli.gate_sources import gated
from evalkit.cli.sides import run_named
from evalkit.earlier import earlier_run
from evalkit.errors import EvalkitError, UsageError
from evalkit.exporting.formats import Report
from evalkit.reporting.figure_deltas import Earlier
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.run_figures import run_figures
from evalkit.reporting.summary import summarise
from evalkit.restoring import restored_run
from evalkit.store.calibrations import read_calibrations
from evalkit.workspace import Workspace


def report_of(workspace: Workspace, word: str, against: str | None, targets: Sequence[str]) -> Report:
    """The run that is meant, with its figures.

    Raises:
        UsageError: there is no such run, side or target.
        UnreadableFile: the side's file cannot be read.
    """
    name = run_named(workspace, word, is_finished=False)
    if name is None:
        raise UsageError(f"There is no run {word!r}. See: evalkit list runs")
    whole = restored_run(workspace, name)
    if not whole.summary.records and not whole.is_finished:
        raise UsageError(f"Run {name} never finished, and no trial of it had ended. Run the same command again first.")
    run = _only(workspace, whole, targets)
    before = None if against is None else Earlier(_earlier(workspace, against), run.summary)
    return Report(run, run_figures(run.summary), before)


def _only(workspace: Workspace, run: FinishedRun, patterns: Sequence[str]) -> FinishedRun:
    """The run's trials on the wanted targets; what its gates and its status say stays."""
    if not patterns:
        return run
    labels = [target.label for target in run.summary.targets]
    kept = {label for label in labels if any(label == one or fnmatchcase(label, one) for one in patterns)}
    if not kept:
        raise UsageError(f"Run {run.run_id} has no target {', '.join(patterns)}. It has: {', '.join(labels)}.")
    records = [record for record in run.summary.records if record.target in kept]
    summary = summarise(records, run=run.summary.run, calibrations=_calibrations(workspace))
    return replace(run, summary=summary)


def _calibrations(workspace: Workspace) -> tuple[Calibration, ...]:
    try:
        return read_calibrations(workspace)
    except EvalkitError:
        return ()  # restoring the run has said so


def _earlier(workspace: Workspace, word: str) -> FinishedRun:
    """A stored run, or a baseline or file: its texts are then those that the store has of the same answers."""
    found = gated(workspace, word)
    if found.run:
        run = restored_run(workspace, found.run)
        return replace(run, summary=replace(run.summary, run=replace(run.summary.run, run_id=found.title)))
    return earlier_run(workspace, found.title, found.records, found.answers_of)
