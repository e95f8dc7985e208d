"""``evalkit list``: what there is to run, and what was run."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from tabulate import tabulate

from evalkit.errors import UsageError
from evalkit.workspace import Workspace

Row = dict[str, object]


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("list", help="list targets, suites, judges or runs")
    parser.add_argument("what", choices=["targets", "suites", "judges", "runs"])
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    workspace = Workspace(Path.cwd())
    if not workspace.suites.is_dir():
        raise UsageError(f"{workspace.root}: there is no folder suites/ here. Make a workspace with: evalkit init")
    rows = {"targets": _targets, "suites": _suites, "judges": _judges, "runs": _runs}[arguments.what](workspace)
    if arguments.json:
        print(json.dumps(rows))
    else:
        print(tabulate([list(row.values()) for row in rows], headers=list(rows[0])) if rows else f"no {arguments.what}")
    return 0


def _targets(workspace: Workspace) -> list[Row]:
    from evalkit.reading.targets import TargetChoice, read_targets

    targets = read_targets(workspace).resolve(TargetChoice())
    return [{"target": item.label, "role": item.role, "model": item.model.shown} for item in targets]


def _suites(workspace: Workspace) -> list[Row]:
    from evalkit.reading.build import read_suite

    rows: list[Row] = []
    for entry in sorted(workspace.suites.iterdir()):
        if workspace.probe_files(entry):
            reading = read_suite(entry, workspace)
            probes = sum(len(file.probes) for file in reading.files)
            problems = sum(len(file.problems) for file in reading.files)
            rows.append({"suite": reading.name, "probes": probes, "problems": problems, "title": reading.settings.title})
    return rows


def _judges(workspace: Workspace) -> list[Row]:
    from evalkit.reading.judges import judge_names

    return [{"judge": name} for name in sorted(judge_names(workspace))]


def _runs(workspace: Workspace) -> list[Row]:
    from evalkit.store.database import open_database
    from evalkit.store.runs import RunStore

    if not workspace.store_file.exists():
        return []
    connection = open_database(workspace.store_file).connection
    try:
        store = RunStore(connection)
        return [
            {
                "run": name,
                "started": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(started)),
                "trials": len(store.records(name)),
                "status": "unfinished" if status is None else status,
                "command": " ".join(["pytest", *facts.get("argv", [])]),
            }
            for name, started, _, status, facts in store.runs()
        ]
    finally:
        connection.close()
