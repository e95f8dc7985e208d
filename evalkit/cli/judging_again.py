"""What the verbs that judge stored answers share: the judges named, what runs them, and where verdicts go."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from evalkit.cli.batch_news import BatchScreen
from evalkit.cli.places import suites_of
from evalkit.errors import UsageError
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.probe import JudgeUse, Probe
    from evalkit.rejudging import Judged, Rejudging, StoredTrial

STANDARD_INPUT = "-"


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


def probes_of(name: str, workspace: Workspace) -> dict[str, Probe]:
    """A suite's probes by id; the workspace's own suite of that name, else the built-in one."""
    from evalkit.reading.build import read_suite
    from evalkit.reading.judge_files import judge_names
    from evalkit.workspace import builtin_root

    for owner in (workspace, Workspace(builtin_root())):
        for suite in suites_of(owner) if owner.suites.is_dir() else ():
            if suite.stem == name:
                reading = read_suite(suite, owner, judge_names(owner))
                return {probe.id: probe for file in reading.files for probe in file.probes}
    raise UsageError(f"There is no suite {name!r}. See: evalkit list suites")


def usd(text: str) -> float:
    """An amount of the command line."""
    try:
        amount = float(text.removeprefix("$"))
    except ValueError:
        amount = -1.0
    if not 0 <= amount < float("inf"):
        raise argparse.ArgumentTypeError(f"expected an amount in US dollars, such as 2.50; found {text!r}")
    return amount


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
