"""``evalkit list``: what there is to run, and what was run."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tabulate import tabulate

from evalkit.cli.places import suites_of, workspace_at
from evalkit.errors import UsageError
from evalkit.workspace import Workspace

Row = dict[str, object]
UNREADABLE = "?"


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("list", help="list targets, suites, judges or runs")
    parser.add_argument("what", metavar="WHAT", help=", ".join(LISTS))
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    from evalkit.reading.suggestions import did_you_mean

    what = arguments.what
    if what not in LISTS:
        raise UsageError(f"There is no list of {what!r}. {did_you_mean(what, LISTS)}")
    rows = LISTS[what](workspace_at(Path.cwd()))
    if arguments.json:
        print(json.dumps(rows))
    else:
        print(tabulate([list(row.values()) for row in rows], headers=list(rows[0])) if rows else f"no {what}")
    return 0


def _targets(workspace: Workspace) -> list[Row]:
    from evalkit.reading.targets import TargetChoice, read_targets

    targets = read_targets(workspace).resolve(TargetChoice())
    return [{"target": item.label, "role": item.role, "model": item.model.shown} for item in targets]


def _suites(workspace: Workspace) -> list[Row]:
    from evalkit.reading.build import read_suite
    from evalkit.reading.judges import judge_names

    names = judge_names(workspace)
    readings = [read_suite(suite, workspace, names) for suite in suites_of(workspace)]
    return [
        {
            "suite": reading.name,
            "probes": sum(len(file.probes) for file in reading.files),
            "problems": sum(len(file.problems) for file in reading.files),
            "title": reading.settings.title,
        }
        for reading in readings
    ]


def _judges(workspace: Workspace) -> list[Row]:
    from evalkit.reading.judges import judge_names

    return [
        {
            "judge": name,
            "kind": _kind(name, workspace),
            "model": _model(name, workspace),
            "from": _origin(name, workspace),
        }
        for name in sorted(judge_names(workspace))
    ]


def _kind(judge: str, workspace: Workspace) -> str:
    """The kind its policy names; a judge without one is code."""
    from evalkit.errors import UnreadableFile
    from evalkit.reading.yaml_nodes import read_yaml

    policy = workspace.locate(f"judges/{judge}.yaml")
    if policy is None:
        return "python" if workspace.locate(f"judges/{judge}.py") else judge
    try:
        data = read_yaml(policy, workspace.shown(policy)).data
    except UnreadableFile:
        return UNREADABLE
    return str(data.get("kind", UNREADABLE)) if isinstance(data, dict) else UNREADABLE


def _model(judge: str, workspace: Workspace) -> str:
    """The models that it and its members ask; a judge in Python gets its own from the probe."""
    from evalkit.errors import EvalkitError
    from evalkit.probe import JudgeUse
    from evalkit.reading.judges import judge_models

    try:
        return ", ".join(judge_models(JudgeUse(judge), workspace))
    except EvalkitError:
        return UNREADABLE


def _origin(judge: str, workspace: Workspace) -> str:
    own = (f"judges/{judge}{suffix}" for suffix in (".yaml", ".py"))
    return next((name for name in own if (workspace.root / name).is_file()), "built in")


def _runs(workspace: Workspace) -> list[Row]:
    from evalkit.store.database import open_database
    from evalkit.store.runs import RunStore

    if not workspace.store_file.exists():
        return []
    opened = open_database(workspace.store_file)
    if opened.note is not None:
        print(opened.note, file=sys.stderr)
    try:
        store = RunStore(opened.connection)
        return [
            {
                "run": name,
                "started": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(started)),
                "trials": len(store.records(name)),
                "status": "unfinished" if status is None else status,
                "command": shlex.join(["pytest", *facts.get("argv", [])]),
            }
            for name, started, _, status, facts in store.runs()
        ]
    finally:
        opened.connection.close()


LISTS: dict[str, Callable[[Workspace], list[Row]]] = {
    "targets": _targets,
    "suites": _suites,
    "judges": _judges,
    "runs": _runs,
}
