"""``evalkit judge``: judges answers that are stored already, in a file or in a run, without generating any."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.cli.judging_again import STANDARD_INPUT, judged_all, named_judges, probes_of, rejudging_of, usd, written
from evalkit.cli.places import absolute
from evalkit.cli.verdict_lines import report, write_verdicts
from evalkit.errors import Problem, UsageError
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.probe import JudgeUse, Probe
    from evalkit.reading.answer_rows import AnswerRow
    from evalkit.rejudging import StoredTrial


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser(
        "judge",
        help="judge the stored answers of a FILE.jsonl or of a RUN",
        description="Lines of FILE: {id, response, prompt, category, system, language, expect, metadata}; id and "
        "response are needed. Every line and judge gives one line of the output.",
    )
    parser.add_argument("source", metavar="FILE|RUN", help="a JSONL file, - for standard input, a run, or latest")
    parser.add_argument(
        "--judge", dest="judges", action="append", default=[], metavar="NAME",
        help="a judge (again for more); left out on a RUN: the judges its probes name",
    )  # fmt: skip
    parser.add_argument("--suite", metavar="NAME", help="take what is expected from the probes of this suite, by id")
    parser.add_argument("--out", metavar="FILE", help="where the verdicts go, a JSON line each (default: printed)")
    parser.add_argument("--max-usd", type=usd, default=5.0, metavar="USD", help="most to spend on judge models (5)")
    parser.add_argument(
        "--batch", action="store_true",
        help="ask Anthropic models in batches: half the price, within a day; run again to come back to them",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 when every answer was judged, 1 when a judge broke on one, 2 when a line cannot be read."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        if getattr(arguments, "screen", None) is not None:
            arguments.screen.interrupted()
        raise


def _run(arguments: argparse.Namespace) -> int:
    source = Path(arguments.source)
    if arguments.source == STANDARD_INPUT or source.is_file():
        return _judge_file(arguments)
    if source.suffix in (".jsonl", ".json") or len(source.parts) > 1:
        raise UsageError(f"{source}: there is no such file.")
    from evalkit.cli import judge_run

    return judge_run.run(arguments)


def _judge_file(arguments: argparse.Namespace) -> int:
    workspace = Workspace(absolute(Path.cwd()))
    uses = named_judges(arguments.judges, workspace)
    if not uses:
        raise UsageError("Name a judge: evalkit judge FILE --judge NAME. See: evalkit list judges")
    rejudging = rejudging_of(arguments, workspace, uses)
    known = probes_of(arguments.suite, workspace) if arguments.suite else {}
    problems: list[Problem] = []
    with _opened(arguments.source) as lines, written(arguments.out, arguments.source) as out:
        trials = _trials(lines, arguments.source, known, uses, problems)
        judged = judged_all(rejudging, uses, trials)
        written_lines = write_verdicts(judged, out, show_progress=bool(arguments.out))
    return report(written_lines, problems, arguments, rejudging.questions)


def _trials(
    lines: Iterable[bytes], shown: str, known: dict[str, Probe], uses: tuple[JudgeUse, ...], problems: list[Problem]
) -> Iterator[StoredTrial]:
    """The file's rows as trials; what cannot be read goes to ``problems``."""
    from evalkit.reading.answer_rows import read_rows
    from evalkit.rejudging import stored_trial

    unknown = 0
    row: AnswerRow | Problem
    for number, row in enumerate(read_rows(lines, shown, known)):
        if isinstance(row, Problem):
            problems.append(row)
            continue
        unknown += bool(known) and row.id not in known
        yield stored_trial(row, uses, number)
    if unknown:
        suite = next(iter(known.values())).suite
        which = "line has an id" if unknown == 1 else "lines have ids"
        print(f"{shown}: {unknown} {which} that suite {suite} does not hold", file=sys.stderr)


@contextmanager
def _opened(source: str) -> Iterator[Iterable[bytes]]:
    if source == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with Path(source).open("rb") as stream:
        yield stream
