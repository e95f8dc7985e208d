"""``evalkit dataset``: a run's approved transcripts as training data."""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing
from fnmatch import fnmatchcase
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from evalkit.cli.places import absolute, workspace_at
from evalkit.cli.sides import engines_of, run_named
from evalkit.datasets.formats import FormatName
from evalkit.datasets.selecting import DEDUPS, Wanted
from evalkit.errors import UsageError
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.datasets.manifest import Made, Origin
    from evalkit.datasets.weights import Found
    from evalkit.datasets.writing import Files
    from evalkit.record import TrialRecord

VALIDATION, SEED = 0.1, 0


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("dataset", help="write a run's approved transcripts as training data, split by cluster")
    add = parser.add_argument
    add("run", metavar="RUN[@TARGET]", help="a run, latest or previous; of these targets (a label or a glob)")
    add("--out", metavar="FOLDER", required=True, help="where train, valid and manifest.json go")
    add("--format", choices=get_args(FormatName), default="chat", help="chat: JSONL with messages (default); parquet")
    add("--reviewed", choices=("correct",), help="only what a person labelled correct")
    add("--min-score", action="append", default=[], metavar="JUDGE=N", help="the least score by a judge; repeatable")
    add("--keep", choices=DEDUPS, default="best", help="of each probe the best answer (default), the first, or all")
    add("--with-system", action="store_true", help="keep the condition's system prompt; it is left out otherwise")
    add("--thinking", choices=("drop", "keep"), default="drop", help="keep: between <think> and </think> (drop)")
    add("--validation", type=_share, default=VALIDATION, metavar="SHARE", help=f"share held out ({VALIDATION:g})")
    add("--seed", type=int, default=SEED, metavar="N", help=f"which clusters are held out ({SEED})")
    add("--force", action="store_true", help="replace the dataset that is in FOLDER")
    add("--json", action="store_true", help="print the manifest as one line of JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 when it is written, whole; 2 when nothing is.

    Raises:
        UsageError: there is no such run, target or judge, nothing is kept, or something would be overwritten.
        MissingPackage: the format needs a package that is not installed.
    """
    from evalkit.datasets.formats import format_of
    from evalkit.datasets.manifest import manifest
    from evalkit.datasets.rows import rows
    from evalkit.datasets.writing import TRAIN, VALID, refuse_existing, write_dataset

    workspace = workspace_at(Path.cwd())
    made_of = format_of(arguments.format)
    folder = absolute(Path(arguments.out))
    refuse_existing(folder, shown=arguments.out, force=arguments.force)
    made = _made(arguments, workspace)
    train, valid = rows(made.split, made.wanted, made.origin.run)
    files = write_dataset(folder, {TRAIN: train, VALID: valid}, made_of, lambda files: manifest(made, files))
    if arguments.json:
        print(json.dumps({"out": arguments.out, **manifest(made, files)}))
    else:
        _print(arguments.out, made, files)
    return 0


def _made(arguments: argparse.Namespace, workspace: Workspace) -> Made:
    from evalkit.datasets.gathering import gather
    from evalkit.datasets.making import make
    from evalkit.datasets.special_tokens import special_tokens
    from evalkit.datasets.weights import targets_of
    from evalkit.store.labels import LabelStore

    min_scores = tuple(map(_min_score, arguments.min_score))
    name, records = _records(workspace, arguments)
    targets = targets_of(workspace, sorted({record.target for record in records}))
    origin = _origin(workspace, arguments, name, records, targets)
    wanted = Wanted(
        min_scores, arguments.reviewed is not None, arguments.keep, arguments.with_system,
        arguments.thinking == "keep", is_picked=bool(arguments.run.partition("@")[2]),
        special_tokens=special_tokens(targets.values()),
    )  # fmt: skip
    candidates = gather(workspace.store_file, records, name)
    with closing(LabelStore.open(workspace.store_file)) as labels:
        return make(origin, candidates, labels, wanted, arguments.validation, arguments.seed)


def _records(workspace: Workspace, arguments: argparse.Namespace) -> tuple[str, tuple[TrialRecord, ...]]:
    """The finished run that is meant, and its records of the targets that are."""
    from evalkit.store.runs import RunStore

    if not workspace.store_file.exists():
        raise UsageError(f"{workspace.root}: nothing was run here yet. Run pytest on a suite first.")
    wanted, _, pattern = arguments.run.partition("@")
    name = run_named(workspace, wanted)
    if name is None:
        raise UsageError(f"There is no run {wanted!r}. See: evalkit list runs")
    with closing(RunStore.open(workspace.store_file)) as store:
        records = store.records(name)
    if not records:
        raise UsageError(f"Run {name} has no trials.")
    return name, _of_targets(records, pattern, name) if pattern else records


def _origin(
    workspace: Workspace, arguments: argparse.Namespace, name: str, records: tuple[TrialRecord, ...], targets: Found
) -> Origin:
    from evalkit.datasets.manifest import Origin
    from evalkit.datasets.weights import weights_of
    from evalkit.measured import Measured
    from evalkit.store.runs import RunStore

    with closing(RunStore.open(workspace.store_file)) as store:
        begun, facts = next((begun, facts) for run, begun, _, _, facts in store.runs() if run == name)
    return Origin(
        run=name, started=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begun)),
        command=("pytest", *facts.get("argv", ())), made_by=_command(arguments, name),
        engines=engines_of(workspace, map(Measured.of, records)), weights=weights_of(workspace, records, targets),
    )  # fmt: skip


def _command(arguments: argparse.Namespace, run: str) -> tuple[str, ...]:
    """The command that makes the same dataset whichever run is the latest by then, without where it goes."""
    _, at, pattern = arguments.run.partition("@")
    words = ["evalkit", "dataset", f"{run}{at}{pattern}", "--format", arguments.format, "--keep", arguments.keep]
    words += ["--reviewed", arguments.reviewed] if arguments.reviewed else []
    for least in arguments.min_score:
        words += ["--min-score", least]
    words += ["--with-system"] if arguments.with_system else []
    words += ["--thinking", arguments.thinking, "--validation", f"{arguments.validation:g}"]
    return (*words, "--seed", str(arguments.seed))


def _of_targets(records: tuple[TrialRecord, ...], pattern: str, run: str) -> tuple[TrialRecord, ...]:
    from evalkit.reading.suggestions import did_you_mean

    labels = sorted({record.target for record in records})
    fitting = {label for label in labels if label == pattern or fnmatchcase(label, pattern)}
    if not fitting:
        raise UsageError(f"Run {run} has no target {pattern!r}. {did_you_mean(pattern, labels)}")
    return tuple(record for record in records if record.target in fitting)


def _min_score(text: str) -> tuple[str, float]:
    judge, _, number = text.rpartition("=")
    try:
        least = float(number)
    except ValueError:
        least = float("nan")
    if not judge or not isfinite(least):
        raise UsageError(f"--min-score: expected JUDGE=NUMBER, such as heuristic_v2=24; found {text!r}.")
    return judge, least


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 up to 1, such as 0.1; found {text!r}")
    return share


def _print(out: str, made: Made, files: Files) -> None:
    from evalkit.datasets.telling import sentences

    for line in sentences(out, made, files):
        print(line)
