"""Where the sheets of a review go, how long they may take, and what comes after."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from evalkit.cli.places import absolute
from evalkit.cli.sides import run_named
from evalkit.errors import UsageError
from evalkit.record import TrialRecord
from evalkit.reporting.phrases import counted
from evalkit.review import ReviewItem
from evalkit.sheets import SheetFormat, read_sheet, write_sheets
from evalkit.sheets.html import queue_digest
from evalkit.sheets.writing import INSTRUCTIONS_FILE
from evalkit.store.runs import RunStore
from evalkit.workspace import Workspace

WORDS_A_SECOND, DECIDING_S = 4.0, 8.0
"""Reading aloud in the head, and choosing a label."""
QUEUE = re.compile(rb'"queue":"([0-9a-f]{32})"')
"""Where a page names its queue."""


@dataclass(frozen=True, slots=True)
class Sheets:
    """The folder and formats of one queue; ``shown`` is how the folder is called in print."""

    folder: Path
    shown: str
    title: str
    formats: tuple[SheetFormat, ...]
    command: str

    @classmethod
    def of(
        cls, workspace: Workspace, run: str, arguments: argparse.Namespace, *, part: str = "", options: str = ""
    ) -> Sheets:
        """Those that the command line asks for.

        Raises:
            UsageError: there are sheets with labels in the folder.
        """
        folder = absolute(Path(arguments.out)) if arguments.out else workspace.root / "reports" / "review" / run / part
        shown = arguments.out or workspace.shown(folder)
        formats: tuple[SheetFormat, ...] = arguments.format
        if not arguments.force:
            _refuse_filled(folder, shown, formats)
        title = f"Run {run}" + (f", {part}" if part else "")
        return cls(folder, shown, title, formats, f"evalkit review import{options}")

    def say(self, items: Sequence[ReviewItem], files: Sequence[Path]) -> None:
        """Prints where the sheets are, how long they may take and what to type afterwards."""
        print(f"sheets: {', '.join(file.name for file in files)} in {self.shown}")
        print(f"time: {minutes(items)} to read and judge {counted(len(items), 'answer')}")
        if "html" in self.formats:
            print(f"open {self.shown}/review.html in a browser, judge, and download the labels with D; then")
        else:
            how = f" ({self.shown}/{INSTRUCTIONS_FILE} says how)" if "csv" in self.formats else ""
            print(f"fill in the columns label and reviewer{how}; then")
        name = "labels-….jsonl" if "html" in self.formats else f"{self.shown}/review.{self.formats[0]}"
        print(f"next: {self.command} {name}")


def run_of(workspace: Workspace, wanted: str) -> tuple[str, tuple[TrialRecord, ...]]:
    """The finished run that is meant, and its records.

    Raises:
        UsageError: there is none, or it has no trials.
    """
    name = run_named(workspace, wanted)
    if name is None:
        raise UsageError(f"There is no run {wanted!r}. See: evalkit list runs")
    with closing(RunStore.open(workspace.store_file)) as store:
        records = store.records(name)
    if not records:
        raise UsageError(f"Run {name} has no trials.")
    return name, records


def write(sheets: Sheets, items: Sequence[ReviewItem]) -> list[Path]:
    """The written files, in order of the formats; the page of another queue that was there is kept, and that said."""
    if "html" in sheets.formats:
        _keep_other_page(sheets, queue_digest(items))
    return write_sheets(sheets.folder, items, title=sheets.title, formats=sheets.formats)


def minutes(items: Sequence[ReviewItem]) -> str:
    """How long a person may take: ``about 12 min``."""
    words = sum(len(f"{item.messages[-1][1] if item.messages else ''} {item.answer}".split()) for item in items)
    seconds = words / WORDS_A_SECOND + DECIDING_S * len(items)
    return f"about {round(seconds / 60)} min" if seconds >= 90 else "about a minute"


def _keep_other_page(sheets: Sheets, digest: str) -> None:
    """Labels that only a browser holds can be downloaded by their own page alone."""
    page = sheets.folder / "review.html"
    found = QUEUE.search(page.read_bytes()) if page.is_file() else None
    if found is None or found[1].decode() == digest:
        return
    kept = page.with_name(f"review-{found[1][:8].decode()}.html")
    page.replace(kept)
    print(
        f"note: {sheets.shown}/review.html is of another queue, and a browser may hold labels of it. It is kept as "
        f"{sheets.shown}/{kept.name}: open it there and download them with D.",
        file=sys.stderr,
    )


def _refuse_filled(folder: Path, shown: str, formats: Sequence[SheetFormat]) -> None:
    """A sheet that somebody has filled in may be the only copy of an hour's work."""
    for form in formats:
        file = folder / f"review.{form}"
        if form == "html" or not file.is_file():
            continue
        rows, _ = read_sheet(file)
        if rows:
            raise UsageError(
                f"{shown}/{file.name} holds {counted(len(rows), 'label')}, and would be overwritten. Import it first "
                f"(evalkit review import {shown}/{file.name}), then give --force or another --out FOLDER."
            )
