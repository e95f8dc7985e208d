"""The rows of ``evalkit list runs``: what each run was, what came of it, what it takes on the disk."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tabulate import tabulate

from evalkit.errors import UnreadableFile, UsageError
from evalkit.reading.suggestions import did_you_mean
from evalkit.reporting.safe_text import for_terminal
from evalkit.status_text import cut
from evalkit.store.calibrations import read_calibrations
from evalkit.store.database import open_database
from evalkit.store.holdings import HeldRun, Holdings, holdings
from evalkit.workspace import Workspace

VERDICTS = {None: "unfinished", 0: "passed", 1: "failed", 2: "interrupted"}
PLACES = ("latest", "previous")
UNKNOWN = "-"
LEAST_COMMAND = 20
"""Columns of a command that are shown however narrow the terminal is."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run with what it takes in bytes; ``alone`` is what would be free without it, ``shared`` is needed by others.

    ``needed_by`` is what of the workspace refers to it. ``files`` are its reports and its host's log.
    """

    held: HeldRun
    own: int
    shared: int
    reports: int
    files: tuple[Path, ...]
    needed_by: tuple[str, ...]

    @property
    def run(self) -> str:
        return self.held.run

    @property
    def trials(self) -> int:
        return sum(self.held.outcomes.values())

    @property
    def alone(self) -> int:
        return self.own + self.held.records_bytes + self.reports

    @property
    def verdict(self) -> str:
        return VERDICTS.get(self.held.status, f"status {self.held.status}")

    @property
    def command(self) -> str:
        return shlex.join(["pytest", *self.held.facts["argv"]]) if "argv" in self.held.facts else ""

    @property
    def started(self) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.held.started_at))

    @property
    def plain(self) -> dict[str, Any]:
        """What ``--json`` prints."""
        ended = self.held.ended_at
        return {
            "run": self.run, "started": self.started, "took_s": ended and round(ended - self.held.started_at, 1),
            "trials": self.trials, "outcomes": dict(self.held.outcomes),
            "status": "unfinished" if self.held.status is None else self.held.status, "verdict": self.verdict,
            "targets": list(self.held.targets), "reviewed": self.held.labels, "needed_by": list(self.needed_by),
            "answers_bytes": self.own, "shared_bytes": self.shared, "records_bytes": self.held.records_bytes,
            "reports_bytes": self.reports, "total_bytes": self.alone, "command": self.command,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunList:
    """The rows, newest first, and the bytes of answers that belong to no run."""

    rows: tuple[RunRow, ...]
    of_no_run: int = 0


def run_list(workspace: Workspace) -> RunList:
    """Every run of the workspace.

    Raises:
        StoreError: the store cannot be read.
    """
    if not workspace.store_file.exists():
        return RunList(())
    opened = open_database(workspace.store_file)
    if opened.note is not None:
        print(opened.note, file=sys.stderr)
    with closing(opened.connection) as connection:
        held = holdings(connection)
    return RunList(rows_of(workspace, held), held.of_no_run)


def rows_of(workspace: Workspace, held: Holdings) -> tuple[RunRow, ...]:
    """The rows of what the store holds."""
    needed, references = held.needed_by(), references_in(workspace)
    found = []
    for run in held.runs:
        own = held.size(number for number in run.answers if needed[number] == 1)
        files = files_of(workspace, run)
        reports = sum(map(size_on_disk, files))
        reasons = (*references.get(run.run, ()), *_in_store(run))
        found.append(RunRow(run, own, held.size(run.answers) - own, reports, files, reasons))
    return tuple(found)


def references_in(workspace: Workspace) -> Mapping[str, tuple[str, ...]]:
    """What files of the workspace refer to a run: baselines, and calibrations on its labels.

    A file that cannot be read refers to nothing here; pruning asks for it.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((workspace.root / "reports" / "baselines").glob("*.json")):
        try:
            found[str(json.loads(file.read_bytes())["run"])].append(f"baseline {file.stem}")
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            continue
    try:
        calibrations = read_calibrations(workspace)
    except UnreadableFile:
        calibrations = ()
    for item in calibrations:
        kind, _, run = item.source.file.partition(" ")
        reason = f"calibration of {item.judge}"
        if kind == "run" and reason not in found[run]:
            found[run].append(reason)
    return {run: tuple(reasons) for run, reasons in found.items()}


def files_of(workspace: Workspace, run: HeldRun) -> tuple[Path, ...]:
    """The folder of a run's reports and its host's log, as far as they are there."""
    told = run.facts.get("report", {}).get("facts", {}).get("out")
    folder = workspace.root / told if told and Path(told).name == run.run else workspace.out / run.run
    log = workspace.state / f"host-{run.run}.log"
    return tuple(path for path in (folder, log) if path.exists() and not path.is_symlink())


def size_on_disk(path: Path) -> int:
    """The bytes of a file, or of all files in a folder; what another process takes away meanwhile counts nothing."""
    names = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names] or [str(path)]
    total = 0
    for name in names:
        with suppress(FileNotFoundError):
            status = os.lstat(name)
            total += 0 if stat.S_ISDIR(status.st_mode) else status.st_size
    return total


def chosen(rows: Sequence[RunRow], names: Iterable[str]) -> tuple[RunRow, ...]:
    """The rows that are meant: by name, by a pattern such as ``202609*``, ``latest`` or ``previous``.

    Raises:
        UsageError: one names no run.
    """
    found: dict[str, RunRow] = {}
    for name in names:
        if name in PLACES:
            wanted = rows[PLACES.index(name) :][:1]
        else:
            wanted = [row for row in rows if fnmatchcase(row.run, name)]
        if not wanted:
            hint = did_you_mean(name, [row.run for row in rows]) if rows else "Nothing was run here yet."
            raise UsageError(f"There is no run {name!r}. {hint}")
        found.update((row.run, row) for row in wanted)
    return tuple(found.values())


SORTS: dict[str, Callable[[RunRow], Any]] = {
    "started": lambda row: (row.held.started_at, row.run),
    "size": lambda row: row.alone,
    "trials": lambda row: row.trials,
}


def table(rows: Sequence[RunRow], width: int | None = None) -> str:
    """The rows for people, all columns unless a ``width`` leaves no room; then the rest of the command is cut."""
    shown = [_cells(row) for row in rows]
    names = [name for name in shown[0] if any(row[name] for row in shown)]
    text = _tabulated(shown, names)
    if width is None:
        return text
    for name in _FIRST_TO_GO:
        if text.index("command") + LEAST_COMMAND <= width:
            break
        names = [other for other in names if other != name]
        text = _tabulated(shown, names)
    return "\n".join(cut(line, width) for line in text.splitlines())


def terminal_width() -> int | None:
    """Of the terminal that is written to, None where it is a file or another command."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _tabulated(shown: Sequence[Mapping[str, str]], names: Sequence[str]) -> str:
    return tabulate(
        [[row[name] for name in names] for row in shown], headers=names, disable_numparse=True,
        colalign=["right" if name in _RIGHT else "left" for name in names],
    )  # fmt: skip


_FIRST_TO_GO = ("records", "reports", "started", "answers", "shared", "target", "reviewed", "needed by")
_RIGHT = ("trials", "pass", "reviewed", "answers", "shared", "records", "reports", "total")


def _cells(row: RunRow) -> dict[str, str]:
    targets = row.held.targets
    return {
        "run": row.run,
        "started": row.started,
        "trials": str(row.trials),
        "pass": str(row.held.outcomes.get("pass", 0)),
        "verdict": row.verdict,
        "target": for_terminal(targets[0]) if len(targets) == 1 else f"{len(targets)} targets" if targets else "",
        "reviewed": str(row.held.labels or ""),
        "answers": mib(row.own),
        "shared": mib(row.shared),
        "records": mib(row.held.records_bytes),
        "reports": mib(row.reports),
        "total": mib(row.alone),
        "needed by": for_terminal(", ".join(row.needed_by)),
        "command": for_terminal(row.command) or UNKNOWN,
    }


def mib(size: int) -> str:
    """A number of bytes as people read it, always in MiB, so that columns can be compared."""
    return f"{size / 2**20:,.1f} MiB"


def _in_store(run: HeldRun) -> list[str]:
    counts = Counter({"label": run.labels, "review queue": run.queues})
    return [f"{number} {noun}{'' if number == 1 else 's'}" for noun, number in counts.items() if number]
