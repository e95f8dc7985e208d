"""``evalkit baseline``: one run as a committed file that later runs can be compared with."""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from evalkit.cli.places import workspace_at
from evalkit.cli.sides import engines_of, run_named
from evalkit.errors import UsageError
from evalkit.measured import Measured
from evalkit.reporting.summary import DEMO_STAMP
from evalkit.store.baselines import Baseline, baseline_file, write_baseline
from evalkit.store.runs import RunStore
from evalkit.workspace import Workspace


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("baseline", help="write a finished run to reports/baselines/NAME.json, to be committed")
    parser.add_argument("run", metavar="RUN", help="a run of 'evalkit list runs', latest or previous")
    parser.add_argument("name", metavar="NAME", nargs="?", default="main", help="the file's name (default: main)")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the file whole or not at all; the same run gives the same bytes.

    Raises:
        UsageError: there is no such run, it never finished, it has errors, it used the demo model, or the name is none.
    """
    workspace = workspace_at(Path.cwd())
    baseline_file(workspace, arguments.name)
    name, begun, facts, trials = _finished_run(workspace, arguments.run)
    if any(trial.is_demo for trial in trials):
        raise UsageError(f"Run {name} cannot be a baseline. {DEMO_STAMP}. Run your own model first.")
    broken = sum(trial.outcome == "error" for trial in trials)
    if broken or not trials:
        what = f"{broken} of {len(trials)} trials are errors" if broken else "it has no trials"
        raise UsageError(f"Run {name} cannot be a baseline: {what}. Run the same command again first.")
    started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begun))
    command = ("pytest", *facts.get("argv", ()))
    made = Baseline(name, started, command, engines_of(workspace, trials), trials)
    shown = workspace.shown(write_baseline(workspace, arguments.name, made))
    if arguments.json:
        print(json.dumps({"written": shown, "run": name, "trials": len(trials)}))
    else:
        print(f"wrote {shown}: run {name}, {len(trials)} trials. Commit it.")
    return 0


def _finished_run(workspace: Workspace, wanted: str) -> tuple[str, float, dict[str, Any], tuple[Measured, ...]]:
    """Name, begin, facts and trials of the run that is meant."""
    if not workspace.store_file.exists():
        raise UsageError(f"{workspace.root}: nothing was run here yet. Run pytest on a suite first.")
    name = run_named(workspace, wanted)
    if name is None:
        raise UsageError(f"There is no run {wanted!r}. See: evalkit list runs")
    with closing(RunStore.open(workspace.store_file)) as store:
        begun, facts = next((begun, facts) for run, begun, _, _, facts in store.runs() if run == name)
        return name, begun, facts, store.measured(name)
