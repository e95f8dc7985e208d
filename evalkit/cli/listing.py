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

from evalkit.cli.places import workspace_at
from evalkit.cli.suite_rows import Row, suite_details, suite_rows
from evalkit.errors import UsageError
from evalkit.workspace import Workspace

UNREADABLE = "?"
MAX_COUNTED = 4
"""Counts by name that still fit a column; more are for --json and for a suite by itself."""


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("list", help="list suites, judges, targets or runs")
    parser.add_argument("what", metavar="WHAT", nargs="?", help=", ".join(LISTS) + " (default: the first three)")
    parser.add_argument("names", metavar="SUITE", nargs="*", help="with suites: the categories of these")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    from evalkit.reading.suggestions import did_you_mean

    what = arguments.what
    if what is not None and what not in LISTS:
        raise UsageError(f"There is no list of {what!r}. {did_you_mean(what, LISTS)}")
    if arguments.names and what != "suites":
        raise UsageError(f"list {what} takes no names. Only list suites does.")
    workspace = workspace_at(Path.cwd())
    if what is None:
        _print_all({name: LISTS[name](workspace) for name in OVERVIEW}, as_json=arguments.json)
        return 0
    if arguments.names:
        rows, title = suite_details(arguments.names, workspace), "categories"
    else:
        rows, title = LISTS[what](workspace), what
    print(json.dumps(rows) if arguments.json else _table(title, rows))
    return 0


def _print_all(lists: dict[str, list[Row]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(lists))
    else:
        print("\n\n".join(_table(name, rows) for name, rows in lists.items()))


def _table(what: str, rows: list[Row]) -> str:
    """The rows as a table; what holds several values is joined, and columns in which nothing stands are left out."""
    if not rows:
        return f"no {what}"
    shown = [{name: _cell(value, is_brief=what == "suites") for name, value in row.items()} for row in rows]
    names = [name for name in shown[0] if any(row[name] != "" for row in shown)]
    return tabulate([[row[name] for name in names] for row in shown], headers=names)


def _cell(value: object, *, is_brief: bool) -> object:
    """Counts by name as far as they fit: of many, ``is_brief`` tells how many, else the commonest."""
    if isinstance(value, dict):
        counts = [f"{name} {count}" for name, count in value.items()]
        more = len(counts) - MAX_COUNTED
        if more > 0:
            return f"{len(counts)} kinds" if is_brief else ", ".join(counts[:MAX_COUNTED]) + f" and {more} more"
        return ", ".join(counts)
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _targets(workspace: Workspace) -> list[Row]:
    from evalkit.reading.targets import TargetChoice, read_targets

    targets = read_targets(workspace).resolve(TargetChoice())
    return [{"target": item.label, "role": item.role, "model": item.model.shown} for item in targets]


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
    "suites": suite_rows,
    "judges": _judges,
    "targets": _targets,
    "runs": _runs,
}
OVERVIEW = ("suites", "judges", "targets")
