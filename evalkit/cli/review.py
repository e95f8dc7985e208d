"""``evalkit review``: people judge what the judges judged; ``queue`` may be left out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from evalkit.errors import UsageError
from evalkit.reviewing.queue import FRACTION

QUEUE = "queue"
PARTS = (QUEUE, "import", "report", "disputes")
SHEETS = "html,csv"
SEED = 2026


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser(
        "review",
        help="have people judge a run's answers, and say what that does to its rates",
        description="evalkit review RUN writes sheets with the answers that are worth a person's minute; import "
        "takes them back; report sets the judges' rates beside those of people; disputes has a further person decide.",
    )
    parts = parser.add_subparsers(dest="part", required=True, metavar="RUN | import | report | disputes")
    _add_queue(parts.add_parser(QUEUE, help="write sheets of a run: evalkit review RUN"))
    _add_import(parts.add_parser("import", help="take labels from sheets of any format, of several reviewers"))
    _add_report(parts.add_parser("report", help="automated, reviewed and corrected rates, judge errors, agreement"))
    _add_disputes(parts.add_parser("disputes", help="write sheets of the answers on which reviewers differ"))


def spelled_out(words: Sequence[str]) -> list[str]:
    """``review RUN`` as ``review queue RUN``; other commands as they are."""
    if words[:1] != ["review"] or len(words) < 2 or words[1] in (*PARTS, "-h", "--help"):
        return list(words)
    return [words[0], QUEUE, *words[1:]]


def _add_queue(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("run", metavar="RUN", help="a run, latest or previous")
    add("--all", action="store_true", help="every answer")
    add("--failures", action="store_true", help="every answer that failed, and no other: the rate can only rise")
    add("--fraction", type=_share, metavar="SHARE", help=f"of ordinary passes and fails ({FRACTION})")
    add("--category", action="append", default=[], metavar="NAME", help="only this category; again for more")
    add("--budget", type=_count, metavar="N", help="so many answers in all, in place of --fraction")
    add("--seed", type=int, default=SEED, metavar="N", help=f"of the draw ({SEED}); the same for all runs of a project")
    add("--baseline", default="main", metavar="NAME", help="tells regressions and new kinds of failure (main)")
    add("--again", action="store_true", help="also answers that have labels already, for a further reviewer")
    _add_sheets(parser)
    parser.set_defaults(act=_queue)


def _add_sheets(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", metavar="FOLDER", help="where the sheets go (reports/review/RUN)")
    add("--format", type=_formats, default=_formats(SHEETS), metavar="LIST", help=f"html, csv, xlsx, jsonl ({SHEETS})")
    add("--force", action="store_true", help="replace sheets that hold labels")
    add("--json", action="store_true", help="print what was chosen as one line of JSON")


def _add_import(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("files", nargs="+", metavar="FILE", help="labels downloaded from the page, or a filled CSV, XLSX or JSONL")
    add("--reviewer", default="", metavar="NAME", help="who gave the labels of rows that do not say")
    add("--run", default="", metavar="RUN", help="whose answers rows are about that do not say (the last one queued)")
    add("--adjudicates", action="store_true", help="these labels decide where reviewers differ")
    add("--json", action="store_true", help="print the counts as one line of JSON")
    parser.set_defaults(act=_import)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run, latest or previous")
    parser.add_argument("--json", action="store_true", help="print it as one line of JSON")
    parser.set_defaults(act=_report)


def _add_disputes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="a run, latest or previous")
    parser.add_argument("--open", action="store_true", help="only where as many say right as wrong")
    _add_sheets(parser)
    parser.set_defaults(act=_disputes)


def _queue(arguments: argparse.Namespace) -> int:
    from evalkit.cli import review_queue

    if arguments.budget is not None and arguments.fraction is not None:
        raise UsageError("--budget says how many answers are read, whatever --fraction is. Give one of the two.")
    if arguments.fraction is None:
        arguments.fraction = FRACTION
    return review_queue.run(arguments)


def _import(arguments: argparse.Namespace) -> int:
    from evalkit.cli import review_import

    return review_import.run(arguments)


def _report(arguments: argparse.Namespace) -> int:
    from evalkit.cli import review_report

    return review_report.run(arguments)


def _disputes(arguments: argparse.Namespace) -> int:
    from evalkit.cli import review_disputes

    return review_disputes.run(arguments)


def _formats(text: str) -> tuple[str, ...]:
    from evalkit.sheets import SHEET_FORMATS

    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    strange = [name for name in names if name not in SHEET_FORMATS]
    if strange or not names:
        known = ", ".join(SHEET_FORMATS)
        raise argparse.ArgumentTypeError(f"expected some of {known}, joined by commas; found {text!r}")
    return names


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, such as 0.1; found {text!r}")
    return share


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number of answers, such as 60; found {text!r}")
    return int(text)
