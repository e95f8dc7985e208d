"""``evalkit judge``: judges answers that are stored already, in a file or in a run, without generating any."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from evalkit.cli.batch_news import BatchScreen
from evalkit.cli.places import absolute, suites_of
from evalkit.cli.verdict_lines import report, write_verdicts
from evalkit.errors import Problem, UsageError
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.probe import JudgeUse, Probe
    from evalkit.reading.answer_rows import AnswerRow
    from evalkit.rejudging import Judged, Rejudging, StoredTrial

STANDARD_INPUT = "-"


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


def judged_all(
    rejudging: Rejudging, uses: Iterable[JudgeUse], trials: Iterable[StoredTrial]
) -> Iterator[tuple[StoredTrial, tuple[Judged, ...]]]:
    """The verdicts, one trial at a time where nobody asks a model."""
    if rejudging.asks(uses):
        return rejudging.judged_with_questions(list(trials))
    return rejudging.judged(trials)


def named_judges(names: Iterable[str], workspace: Workspace) -> tuple[JudgeUse, ...]:
    """The judges with the models they ask.

    Raises:
        JudgeError, UnreadableFile, UsageError: one of them cannot be made.
    """
    from evalkit.probe import JudgeUse

    return resolved((JudgeUse(name) for name in dict.fromkeys(names)), workspace)


def resolved(uses: Iterable[JudgeUse], workspace: Workspace) -> tuple[JudgeUse, ...]:
    """These uses with the models they ask; raises as ``named_judges``."""
    from evalkit.reading.judge_targets import with_targets
    from evalkit.reading.targets import read_targets

    return tuple(with_targets(use, workspace, lambda: read_targets(workspace)) for use in uses)


def rejudging_of(arguments: argparse.Namespace, workspace: Workspace, uses: Iterable[JudgeUse]) -> Rejudging:
    """What judges ``uses``, in batches where the command line says so.

    Raises:
        UsageError: batches are of no use to these judges.
    """
    from evalkit.host.messages import Run, Status
    from evalkit.rejudging import Rejudging, check_batched
    from evalkit.status_text import status_text

    def say(status: Status) -> None:
        if status.note:
            print(status.note, file=sys.stderr)
        if sys.stderr.isatty() and not is_batched:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[2K{status_text(status, width=width)}", end="", file=sys.stderr, flush=True)

    is_batched = bool(getattr(arguments, "batch", False))
    screen = arguments.screen = BatchScreen()
    run = Run(f"judge-{os.getpid()}", str(workspace.root), max_usd=arguments.max_usd, max_usd_option="--max-usd")
    rejudging = Rejudging(workspace, run, say, screen.take if is_batched else None)
    if is_batched:
        check_batched(uses, lambda use: rejudging.asks([use]))
    return rejudging


def usd(text: str) -> float:
    """An amount of the command line."""
    try:
        amount = float(text.removeprefix("$"))
    except ValueError:
        amount = -1.0
    if not 0 <= amount < float("inf"):
        raise argparse.ArgumentTypeError(f"expected an amount in US dollars, such as 2.50; found {text!r}")
    return amount


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


def probes_of(name: str, workspace: Workspace) -> dict[str, Probe]:
    """A suite's probes by id; the workspace's own suite of that name, else the built-in one."""
    from evalkit.reading.build import read_suite
    from evalkit.reading.judges import judge_names
    from evalkit.workspace import builtin_root

    for owner in (workspace, Workspace(builtin_root())):
        for suite in suites_of(owner) if owner.suites.is_dir() else ():
            if suite.stem == name:
                reading = read_suite(suite, owner, judge_names(owner))
                return {probe.id: probe for file in reading.files for probe in file.probes}
    raise UsageError(f"There is no suite {name!r}. See: evalkit list suites")


@contextmanager
def _opened(source: str) -> Iterator[Iterable[bytes]]:
    if source == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with Path(source).open("rb") as stream:
        yield stream


@contextmanager
def written(out: str | None, source: str) -> Iterator[IO[str]]:
    """Where verdicts go: FILE, or standard output.

    Raises:
        UsageError: FILE is the file that is read.
    """
    if out is None:
        yield sys.stdout
        return
    file = Path(out)
    if file.exists() and source != STANDARD_INPUT and Path(source).exists() and file.samefile(source):
        raise UsageError(f"{out}: is the file that is read. Write to another one.")
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="ascii") as stream:
        yield stream
