"""``evalkit baseline``: one run as a committed file that later runs can be compared with."""

from __future__ import annotations

import argparse
import json
import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from evalkit.cli.places import workspace_at
from evalkit.errors import UsageError
from evalkit.record import TrialRecord
from evalkit.reporting.summary import DEMO_STAMP
from evalkit.store.runs import RunStore
from evalkit.workspace import Workspace

FORMAT = 1
LATEST = "latest"


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("baseline", help="write a finished run to reports/baselines/NAME.json, to be committed")
    parser.add_argument("run", metavar="RUN", help="a run of 'evalkit list runs', or latest")
    parser.add_argument("name", metavar="NAME", nargs="?", default="main", help="the file's name (default: main)")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the file whole or not at all.

    Raises:
        UsageError: there is no such run, it never finished, it has errors, or it used the demo model.
    """
    workspace = workspace_at(Path.cwd())
    name, facts, records = _finished_run(workspace, arguments.run)
    if any(record.is_demo for record in records):
        raise UsageError(f"Run {name} cannot be a baseline. {DEMO_STAMP}. Run your own model first.")
    broken = sum(record.outcome == "error" for record in records)
    if broken or not records:
        what = f"{broken} of {len(records)} trials are errors" if broken else "it has no trials"
        raise UsageError(f"Run {name} cannot be a baseline: {what}. Run the same command again first.")
    file = workspace.root / "reports" / "baselines" / f"{arguments.name}.json"
    _write(file, _baseline(name, facts, records))
    shown = workspace.shown(file)
    if arguments.json:
        print(json.dumps({"written": shown, "run": name, "trials": len(records)}))
    else:
        print(f"wrote {shown}: run {name}, {len(records)} trials. Commit it.")
    return 0


def _finished_run(workspace: Workspace, wanted: str) -> tuple[str, dict[str, Any], tuple[TrialRecord, ...]]:
    if not workspace.store_file.exists():
        raise UsageError(f"{workspace.root}: nothing was run here yet. Run pytest on a suite first.")
    with closing(RunStore.open(workspace.store_file)) as store:
        for name, _, _, status, facts in store.runs():
            if wanted in (LATEST, name):
                if status is None:
                    raise UsageError(f"Run {name} never finished. Run the same command again first.")
                return name, facts, store.records(name)
    raise UsageError(f"There is no run {wanted!r}. See: evalkit list runs")


def _baseline(name: str, facts: dict[str, Any], records: tuple[TrialRecord, ...]) -> dict[str, Any]:
    """What a comparison needs: outcome, score, flags, judges and answers of every trial; no texts."""
    return {
        "format": FORMAT,
        "run": name,
        "written_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "command": ["pytest", *facts.get("argv", [])],
        "trials": [
            {
                "trial": record.trial,
                "suite": record.suite,
                "category": record.category,
                "cluster": record.cluster,
                "target": record.target,
                "outcome": record.outcome,
                "score": record.score,
                "flags": list(record.flags),
                "judges": {verdict["judge"]: verdict["judge_hash"] for verdict in record.verdicts},
                "generations": list(record.generations),
            }
            for record in records
        ],
    }


def _write(file: Path, data: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    os.replace(unfinished, file)
