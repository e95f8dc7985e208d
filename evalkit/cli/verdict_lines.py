"""The lines that ``evalkit judge`` writes, and the counts that it prints after them."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from tabulate import tabulate

from evalkit.errors import Problem

if TYPE_CHECKING:
    from evalkit.rejudging import Judged, StoredTrial

MAX_PROBLEMS_SHOWN = 20
_COUNTED = ("pass", "fail", "unscored", "error", "collapsed")


@dataclass(slots=True)
class Written:
    """What was written: how often each (judge, outcome), with (judge, collapsed), and the replies none could read."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    unreadable: int = 0


def write_verdicts(
    judged: Iterable[tuple[StoredTrial, tuple[Judged, ...]]], out: IO[str], *, show_progress: bool
) -> Written:
    """Writes a line each as it comes, and counts them."""
    from evalkit.rejudging import verdict_line
    from evalkit.report_text import reason_text
    from evalkit.reporting.money import is_unreadable

    done = Written()
    for number, (trial, verdicts) in enumerate(judged, start=1):
        for each in verdicts:
            line = verdict_line(trial.trial.probe.id, each, trial.case)
            out.write(json.dumps(line, ensure_ascii=True, default=str) + "\n")
            done.counts[each.use.use, "error" if each.verdict is None else line["outcome"]] += 1
            done.counts[each.use.use, "collapsed"] += "collapsed" in line["flags"]
            done.unreadable += is_unreadable(line["reason"])
            if each.verdict is None:
                where = f"{trial.trial.probe.file}:{trial.trial.probe.line}"
                print(f"{where}: {reason_text(each.broke)}", file=sys.stderr)
        if show_progress and number % 500 == 0 and sys.stderr.isatty():
            print(f"\rjudged {number:,}", end="", file=sys.stderr, flush=True)
    return done


def report(
    written: Written, problems: list[Problem], arguments: argparse.Namespace, questions: Sequence[dict[str, Any]]
) -> int:
    """Prints the counts, what judges asked of models, and what could not be read; gives the exit status."""
    from evalkit.reporting.money import asked_sentence, spent_usd

    judges = dict.fromkeys(judge for judge, _ in written.counts)
    rows: list[dict[str, Any]] = [
        {"judge": judge, **{name: written.counts[judge, name] for name in _COUNTED}} for judge in judges
    ]
    stream = sys.stdout if arguments.out else sys.stderr
    if arguments.json:
        plain = {"judges": rows, "problems": [str(problem) for problem in problems]}
        asked = {"questions": len(questions), "usd": float(spent_usd(questions))} if questions else {}
        print(json.dumps({**plain, **asked}), file=stream)
    else:
        kept = [row if any(other["error"] for other in rows) else _without_errors(row) for row in rows]
        print(tabulate(kept, headers="keys") if kept else "no answer was judged", file=stream)
        if questions:
            print(f"judges  {asked_sentence(questions, written.unreadable, arguments.max_usd)}", file=stream)
        if arguments.out:
            print(f"wrote {arguments.out}")
    for problem in problems[:MAX_PROBLEMS_SHOWN]:
        print(problem, file=sys.stderr)
    if len(problems) > MAX_PROBLEMS_SHOWN:
        print(f"… and {len(problems) - MAX_PROBLEMS_SHOWN} more lines that cannot be read", file=sys.stderr)
    if problems:
        return 2
    return 1 if any(row["error"] for row in rows) else 0


def _without_errors(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "error"}
