"""``evalkit list runs --prune``: which runs may go, what that frees, and doing it."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.cli.prune_options import Kept, kept_by
from evalkit.cli.run_rows import RunRow, chosen, mib, rows_of, table, terminal_width
from evalkit.errors import UsageError
from evalkit.host.folders import runtime_base
from evalkit.host.state import live_hosts
from evalkit.reporting.phrases import counted
from evalkit.reporting.safe_text import for_terminal
from evalkit.store.calibrations import read_calibrations
from evalkit.store.database import open_database
from evalkit.store.holdings import Holdings, holdings, stray_labels
from evalkit.store.in_use import HeldConnection, StoreInUse
from evalkit.store.pruning import Doomed, NoRoom, compact, doom, remove, settle
from evalkit.store.runs import RunStore
from evalkit.workspace import Workspace

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """``going`` are in the order in which they go; ``staying`` says why of each run."""

    going: tuple[tuple[RunRow, Doomed], ...]
    staying: Mapping[str, tuple[str, ...]]
    answers: int
    records: int
    reports: int

    @property
    def frees(self) -> int:
        return self.answers + self.records + self.reports


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Exit 0, also where there is nothing to do.

    Raises:
        UsageError: a run that is named does not exist, or the store is in use.
        UnreadableFile: it is not known which runs a baseline or a calibration needs.
        StoreError: the store cannot be read or written.
    """
    if not workspace.store_file.exists():
        raise UsageError(f"{workspace.root}: nothing was run here yet, so there is nothing to prune.")
    _check_references(workspace)
    labelled = _labelled_elsewhere(workspace)
    with closing(open_database(workspace.store_file).connection) as connection:
        if arguments.yes:
            _take_alone(connection, workspace)
        held = holdings(connection)
        plan = plan_of(held, rows_of(workspace, held), kept_by(arguments), labelled, time.time())
        before = settle(connection, workspace.store_file) if arguments.yes else 0
        lacking = _act(connection, plan, workspace) if arguments.yes else None
        smaller = before - settle(connection, workspace.store_file) if arguments.yes else 0
    if arguments.json:
        print(json.dumps(_plain(plan, is_done=arguments.yes, file_smaller=smaller)))
    else:
        _print(plan, is_done=arguments.yes, smaller=smaller)
    if lacking is not None:
        print(_no_room(lacking, workspace), file=sys.stderr)
    return 0


def plan_of(held: Holdings, rows: Sequence[RunRow], kept: Kept, labelled: Mapping[str, str], now: float) -> Plan:
    """Which runs go and which stay; ``labelled`` are those that hold the answer of a label of another place."""
    named = {row.run for row in chosen(rows, kept.names)}
    keep = {row.run for row in chosen(rows, kept.keep)}
    staying: dict[str, tuple[str, ...]] = {}
    for place, row in enumerate(rows):
        reasons = [*row.needed_by, *([labelled[row.run]] if row.run in labelled else [])]
        reasons += ["--keep"] if row.run in keep else []
        if kept.names and row.run not in named:
            reasons.append("not named")
        if kept.newest is not None and place < kept.newest:
            reasons.append(f"one of the {kept.newest} newest")
        if kept.days is not None and now - row.held.started_at < kept.days * DAY_S:
            reasons.append(f"younger than {kept.days:g} days")
        if reasons:
            staying[row.run] = tuple(reasons)
    going = [row for row in rows if row.run not in staying][::-1]
    doomed = doom(held, [row.held for row in going])
    return Plan(
        tuple(zip(going, doomed, strict=True)), staying, held.size(number for one in doomed for number in one.answers),
        sum(row.held.records_bytes for row in going), sum(row.reports for row in going),
    )  # fmt: skip


def _act(connection: HeldConnection, plan: Plan, workspace: Workspace) -> NoRoom | None:
    """Each run's files first: one that is still listed can be pruned again, files of one that is not are forgotten."""
    for row, doomed in plan.going:
        for path in row.files:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        remove(connection, doomed)
    return compact(connection, workspace.store_file)


def _take_alone(connection: HeldConnection, workspace: Workspace) -> None:
    try:
        connection.take_alone()
    except StoreInUse:
        hosts = [state for state in live_hosts(runtime_base()) if Path(state.workspace) == workspace.root]
        who = f"run {hosts[0].run} (process {hosts[0].process})" if hosts else "a run or another command of evalkit"
        file = workspace.shown(workspace.store_file)
        raise UsageError(f"{file}: is in use by {who}. Nothing was removed; try again when that has ended.") from None


def _check_references(workspace: Workspace) -> None:
    """Whoever cannot say which run they need must not lose it."""
    read_calibrations(workspace)
    for file in sorted((workspace.root / "reports" / "baselines").glob("*.json")):
        try:
            json.loads(file.read_bytes())["run"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            raise UsageError(
                f"{workspace.shown(file)}: is no baseline that can be read, so nobody knows which run it needs. "
                "Restore it from version control, or remove it; nothing was pruned."
            ) from None


def _labelled_elsewhere(workspace: Workspace) -> dict[str, str]:
    """The newest run that holds the answer of each label that was given in a run which is not here any more."""
    from evalkit.reviewed import texts_of

    found: dict[str, str] = {}
    with closing(open_database(workspace.store_file).connection) as connection:
        store, stray = RunStore(connection), set(stray_labels(connection))
        for name, *_ in store.runs() if stray else ():
            texts = {text.text_hash for text in texts_of(workspace.store_file, store.records(name), name).values()}
            if texts & stray:
                found[name] = "labels of equal answers"
                stray -= texts
    return found


def _print(plan: Plan, *, is_done: bool, smaller: int) -> None:
    if plan.going:
        print(table([row for row, _ in plan.going], terminal_width()))
        print()
    total, goes = len(plan.going) + len(plan.staying), len(plan.going)
    if not goes:
        print(f"nothing {'was' if is_done else 'would be'} removed, of {counted(total, 'run')}")
    else:
        print(
            f"{goes} of {counted(total, 'run')} {'removed, freed' if is_done else 'would be removed, freeing'} "
            f"{mib(plan.frees)}: answers {mib(plan.answers)}, records {mib(plan.records)}, "
            f"reports and logs {mib(plan.reports)}"
        )
    for reason, names in _by_reason(plan.staying).items():
        print(f"  stays: {for_terminal(reason)}: {', '.join(names) if len(names) <= 3 else f'{len(names)} runs'}")
    if is_done and smaller > 0:
        print(f"the store's file is {mib(smaller)} smaller")
    elif goes and not is_done:
        print("Nothing was changed. --yes removes them.")


def _by_reason(staying: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for run_id, reasons in staying.items():
        for reason in reasons:
            found.setdefault(reason, []).append(run_id)
    return found


def _no_room(lacking: NoRoom, workspace: Workspace) -> str:
    return (
        f"{workspace.shown(workspace.store_file)}: the file keeps its size, because making it smaller takes "
        f"{mib(lacking.needed)} in {lacking.folder}, where {mib(lacking.free)} are free. The next runs write into the "
        "room within it. Free some and run the same command again to give it back to the disk."
    )


def _plain(plan: Plan, *, is_done: bool, file_smaller: int) -> dict[str, Any]:
    return {
        "done": is_done, "going": [row.plain for row, _ in plan.going],
        "staying": {name: list(reasons) for name, reasons in plan.staying.items()},
        "frees_bytes": plan.frees, "answers_bytes": plan.answers, "records_bytes": plan.records,
        "reports_bytes": plan.reports, "file_smaller_bytes": file_smaller if is_done else None,
    }  # fmt: skip
