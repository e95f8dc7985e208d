"""``evalkit review RUN``: chooses what is worth a person's minute and writes the sheets."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from tabulate import tabulate

from evalkit.cli.gate_run import gates_about
from evalkit.cli.gate_sources import Gated, gated
from evalkit.cli.places import workspace_at
from evalkit.cli.review_sheets import Sheets, run_of, write
from evalkit.errors import EvalkitError, UsageError
from evalkit.gates import GateResult, evaluate
from evalkit.gating import surroundings
from evalkit.measured import Measured
from evalkit.record import TrialRecord
from evalkit.reporting.phrases import counted
from evalkit.review import Stratum
from evalkit.reviewed import Reviewed, reviewed, texts_of
from evalkit.reviewing import Queue, QueueOptions, build_queue
from evalkit.reviewing.gate_reach import for_each_target
from evalkit.reviewing.queue import meant
from evalkit.store.baselines import baseline_names, read_baseline
from evalkit.store.labels import LabelStore
from evalkit.store.queues import QueueStore
from evalkit.workspace import Workspace

WHY: dict[Stratum, str] = {
    "gate": "their label could flip a gate",
    "regression": "passed in the baseline",
    "dispute": "judges disagree",
    "abstention": "no judge decided",
    "near_threshold": "a score close to its bound",
    "new_kind": "a kind of failure that the baseline has not",
    "failed": "drawn from the other fails",
    "passed": "drawn from the other passes",
    "asked_for": "chosen by an option",
}


def run(arguments: argparse.Namespace) -> int:
    """Exit 0, also where nothing is left to read.

    Raises:
        UsageError: there is no such run, nothing in it can be reviewed, or sheets would be overwritten.
    """
    workspace = workspace_at(Path.cwd())
    name, records = run_of(workspace, arguments.run)
    sheets = Sheets.of(workspace, name, arguments)
    options = _options(arguments, records)
    queue = _queue(workspace, name, records, options, arguments)
    if not queue.items and not queue.already:
        raise UsageError(f"Run {name} has no answer to review{_where(arguments)}.")
    files = write(sheets, queue.items) if queue.items else []
    if files:
        with closing(QueueStore.open(workspace.store_file)) as store:
            store.put(name, asdict(options), queue.population)
    # Reference targets are in no queue without --all, and in no rate.
    answers = sum(record.outcome != "error" for record in meant(records, options))
    if arguments.json:
        print(json.dumps(_plain(name, queue, answers, files)))
    else:
        _print(name, queue, answers, sheets, files)
    return 0


def _options(arguments: argparse.Namespace, records: Sequence[TrialRecord]) -> QueueOptions:
    from evalkit.reading.suggestions import did_you_mean

    if arguments.all and arguments.failures:
        raise UsageError("--all takes failures too. Give one of --all and --failures.")
    known = sorted({record.category for record in records})
    for category in arguments.category:
        if category not in known:
            raise UsageError(f"--category: the run has no category {category!r}. {did_you_mean(category, known)}")
    return QueueOptions(
        arguments.all, arguments.failures, arguments.fraction, tuple(arguments.category), arguments.budget,
        arguments.seed,
    )  # fmt: skip


def _queue(
    workspace: Workspace,
    name: str,
    records: Sequence[TrialRecord],
    options: QueueOptions,
    arguments: argparse.Namespace,
) -> Queue:
    texts = texts_of(workspace.store_file, records, name)
    gone = sum(record.outcome != "error" and record.trial not in texts for record in records)
    if gone:
        is_gone = "1 answer of the run is" if gone == 1 else f"{gone} answers of the run are"
        print(f"note: {is_gone} gone from the store, and can be reviewed no more", file=sys.stderr)
    known: set[str] = set()
    if not arguments.again:
        with closing(LabelStore.open(workspace.store_file)) as labels:
            known = {label.text_hash for label in labels.trail(text.text_hash for text in texts.values())}
    return build_queue(
        records, texts, options, run=name, gates=_gates(workspace, name, arguments.baseline),
        baseline=_baseline(workspace, arguments.baseline), known=known,
    )  # fmt: skip


def _gates(workspace: Workspace, run: str, baseline: str) -> tuple[GateResult, ...]:
    """What today's gates on the corrected rate say of each target of the run; none where they cannot be read."""
    try:
        source = gated(workspace, run)
        gates = for_each_target(gates_about(workspace, source)[0], source.records)
        around = surroundings(
            gates, workspace, baseline, Path.cwd(), source.aliases, lambda: _labels(workspace, source)
        )
        return evaluate(gates, source.records, source.selected, around)
    except EvalkitError as error:
        print(f"note: no answer is chosen for a gate's sake. {error}", file=sys.stderr)
        return ()


def _labels(workspace: Workspace, source: Gated) -> Reviewed | None:
    return reviewed(workspace.store_file, source.run, source.records, everyone=True) if source.run else None


def _baseline(workspace: Workspace, name: str) -> tuple[Measured, ...]:
    """The baseline's trials; that there is none is no mistake unless it was named."""
    if name == "main" and name not in baseline_names(workspace):
        return ()
    return read_baseline(workspace, name)


def _where(arguments: argparse.Namespace) -> str:
    kinds = " that failed" if arguments.failures else ""
    return f"{kinds} in {', '.join(arguments.category)}" if arguments.category else kinds


def _plain(name: str, queue: Queue, answers: int, files: Sequence[Path]) -> dict[str, object]:
    return {
        "run": name, "items": len(queue.items), "already": queue.already, "trials": answers,
        "strata": dict(Counter(item.stratum for item in queue.items)), "files": [str(file) for file in files],
    }  # fmt: skip


def _print(name: str, queue: Queue, answers: int, sheets: Sheets, files: Sequence[Path]) -> None:
    has = "has" if queue.already == 1 else "have"
    already = f"; {queue.already} more of the draw {has} labels" if queue.already else ""
    if not queue.items:
        print(f"run {name}: every answer of the draw ({queue.already}) has a label, nothing is left to read")
        print(f"next: evalkit review report {name}")
        return
    print(f"run {name}: {len(queue.items)} of {counted(answers, 'answer')} to review{already}")
    chosen = Counter(item.stratum for item in queue.items)
    there = {stratum: {t.text_hash for t in queue.population if t.stratum == stratum} for stratum in chosen}
    rows = [
        {"why": why, "to read": chosen[stratum], "of": len(there[stratum])}
        for stratum, why in WHY.items()
        if chosen[stratum]
    ]
    print(tabulate(rows, headers="keys"))
    sheets.say(queue.items, files)
