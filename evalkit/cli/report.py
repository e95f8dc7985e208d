"""``evalkit report``: a stored run as a page, a summary, a model card or tables."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.cli.places import absolute, workspace_at
from evalkit.errors import UsageError
from evalkit.reading.suggestions import did_you_mean
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.exporting.formats import FormatName, Report

NAMES = ("html", "md", "card", "csv", "parquet", "jsonl")
STDOUT = "-"


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("report", help="make a report of a stored run: html, md, card, csv, parquet, jsonl")
    add = parser.add_argument
    add("run", metavar="RUN", nargs="?", default="latest", help="a run of 'evalkit list runs', latest or previous")
    add("--format", action="append", metavar="FORMAT", help=f"{', '.join(NAMES)} (default: html); repeatable")
    add("--out", metavar="PATH", help="a folder, a file, or - for standard output (default: the run's own folder)")
    add("--against", "--baseline", metavar="SIDE", help="show the changes since a run, a baseline or their file")
    add("--target", action="append", default=[], metavar="TARGET", help="only this target: a label or a glob")
    add("--json", action="store_true", help="print what was written as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 when everything was written, whatever the run came to.

    Raises:
        UsageError: there is no such run, format, side or target, or the options do not fit together.
        MissingPackage: a format needs a package that is not installed.
    """
    from evalkit.cli.report_sides import report_of

    formats = _formats(arguments)
    workspace = workspace_at(Path.cwd())
    report = report_of(workspace, arguments.run, arguments.against, arguments.target)
    if "card" in formats and not report.run.is_finished:
        raise UsageError(
            f"Run {report.run.run_id} never finished, and a model card needs a whole run. "
            "Run the same command again first."
        )
    if arguments.out == STDOUT:
        return _print(report, formats[0])
    files = _files(workspace, report, formats, arguments.out)
    _write(workspace, report, files, as_json=arguments.json)
    return 0


def _formats(arguments: argparse.Namespace) -> list[FormatName]:
    from evalkit.exporting.formats import FORMATS

    names: list[FormatName] = []
    for word in dict.fromkeys(arguments.format or ["html"]):
        name: FormatName | None = next((known for known in FORMATS if known == word), None)
        if name is None:
            raise UsageError(f"There is no format {word!r}. {did_you_mean(word, NAMES)}")
        names.append(name)
    if arguments.out == STDOUT:
        if len(names) > 1 or not FORMATS[names[0]].is_text or len(FORMATS[names[0]].files) > 1:
            raise UsageError(f"--out - prints one of html, md, card and jsonl; found {', '.join(names)}.")
        if arguments.json:
            raise UsageError("--out - prints the report itself, so there is nothing to print as JSON. Take one out.")
    if arguments.target and arguments.out is None:
        raise UsageError("--target leaves trials out, which the run's own files must not. Say where with: --out PATH")
    if arguments.against and not any(FORMATS[name].compares for name in names):
        raise UsageError(f"--against changes html and md; found only {', '.join(names)}. Add one of them.")
    return names


def _print(report: Report, name: FormatName) -> int:
    from evalkit.exporting.formats import FORMATS

    ((_, make),) = FORMATS[name].files
    for part in make(report):
        sys.stdout.buffer.write(part)
    return 0


Planned = tuple["FormatName", Path, Any]


def _files(workspace: Workspace, report: Report, formats: Sequence[FormatName], out: str | None) -> list[Planned]:
    """Where each file goes: into a folder under its own name, or one format's main file where PATH names a file."""
    from evalkit.exporting.formats import FORMATS

    planned = [(name, file, make) for name in formats for file, make in FORMATS[name].files]
    path = None if out is None else absolute(Path(out))
    if path is None or path.is_dir() or out is None or out.endswith("/") or not path.suffix:
        folder = path or _own_folder(workspace, report)
        return [(name, folder / file, make) for name, file, make in planned]
    if len(formats) > 1:
        raise UsageError(f"--out {out}: names a file, and {', '.join(formats)} are several. Name a folder.")
    main, *others = planned
    beside = [(name, path.with_name(f"{path.stem}-{file}"), make) for name, file, make in others]
    return [(main[0], path, main[2]), *beside]


def _own_folder(workspace: Workspace, report: Report) -> Path:
    """Where the run wrote its reports."""
    out = report.run.summary.run.out
    return workspace.root / out if out else workspace.out / report.run.run_id


def _write(workspace: Workspace, report: Report, files: Sequence[Planned], *, as_json: bool) -> None:
    from evalkit.exporting.run_files import write_bytes
    from evalkit.plots import missing

    written: list[dict[str, Any]] = []
    for name, path, make in files:
        write_bytes(path, make(report))
        written.append({"format": name, "file": workspace.shown(path), "bytes": path.stat().st_size})
    notes = [sentence for sentence in (missing(),) if sentence and any(name == "html" for name, *_ in files)]
    unfinished = () if report.run.is_finished else report.run.sentences
    if as_json:
        print(json.dumps({"run": report.run.run_id, "written": written, "notes": [*unfinished, *notes]}))
        return
    for item in written:
        print(f"wrote {item['file']} ({_size(item['bytes'])})")
    for sentence in unfinished:
        print(f"note: {sentence}", file=sys.stderr)
    for note in notes:
        print(f"note: the page has no plots: {note}", file=sys.stderr)


def _size(count: int) -> str:
    """``1.2 MB``."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"
