"""``evalkit list``: what there is to run, and what was run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tabulate import tabulate

from evalkit.cli import prune_options
from evalkit.cli.places import workspace_at
from evalkit.cli.suite_rows import Row, suite_details, suite_rows
from evalkit.errors import UsageError
from evalkit.workspace import Workspace

UNREADABLE = "?"
BUILT_IN = "built in"
MAX_COUNTED = 4
"""Counts by name that still fit a column; more are for --json and for a suite by itself."""


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("list", help="list suites, judges, targets or runs")
    parser.add_argument("what", metavar="WHAT", nargs="?", help=", ".join(WHAT) + " (default: the first three)")
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help="with suites: the categories of these; with runs: these alone"
    )
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--sort", metavar="KEY", help="with runs: started (default), size or trials, most first")
    prune_options.add_to(parser)
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    from evalkit.reading.suggestions import did_you_mean

    what = arguments.what
    if what is not None and what not in WHAT:
        raise UsageError(f"There is no list of {what!r}. {did_you_mean(what, WHAT)}")
    if arguments.names and what not in ("suites", "runs"):
        raise UsageError(f"list {what} takes no names. Only list suites and list runs do.")
    _check_options(arguments)
    workspace = workspace_at(Path.cwd())
    if what == "runs":
        return _pruned(arguments, workspace) if arguments.prune else _runs(arguments, workspace)
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
    from evalkit.reading.judge_files import judge_names

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
    from evalkit.reading.judge_files import asks_nobody
    from evalkit.reading.judges import judge_models

    use = JudgeUse(judge)
    try:
        if _origin(judge, workspace) == BUILT_IN and asks_nobody(use, workspace):
            return ""  # and its policy, which is ours and right, need not be read
        return ", ".join(judge_models(use, workspace))
    except EvalkitError:
        return UNREADABLE


def _origin(judge: str, workspace: Workspace) -> str:
    own = (f"judges/{judge}{suffix}" for suffix in (".yaml", ".py"))
    return next((name for name in own if (workspace.root / name).is_file()), BUILT_IN)


def _pruned(arguments: argparse.Namespace, workspace: Workspace) -> int:
    from evalkit.cli import prune

    return prune.run(arguments, workspace)


def _runs(arguments: argparse.Namespace, workspace: Workspace) -> int:
    from evalkit.cli.run_rows import SORTS, chosen, mib, run_list, table, terminal_width

    found = run_list(workspace)
    rows = chosen(found.rows, arguments.names) if arguments.names else found.rows
    rows = tuple(sorted(rows, key=SORTS[arguments.sort or "started"], reverse=True))
    if arguments.json:
        print(json.dumps([row.plain for row in rows]))
        return 0
    print(table(rows, terminal_width()) if rows else "no runs")
    if rows and not arguments.names:
        reports = sum(row.reports for row in rows)
        print(f"\nstore {mib(workspace.store_file.stat().st_size)}, reports and logs {mib(reports)}")
        if found.of_no_run:
            print(f"{mib(found.of_no_run)} of answers belong to no run, such as those to evalkit judge")
    return 0


def _check_options(arguments: argparse.Namespace) -> None:
    """Whether those of runs stand where they mean something."""
    from evalkit.cli.run_rows import SORTS
    from evalkit.reading.suggestions import did_you_mean

    of_prune = {"--newest": arguments.newest, "--days": arguments.days, "--keep": arguments.keep or None}
    given = [name for name, value in of_prune.items() if value is not None] + ["--yes"] * arguments.yes
    if arguments.what != "runs":
        given += ["--prune"] * arguments.prune + ["--sort"] * (arguments.sort is not None)
        if given:
            raise UsageError(f"{given[0]} is for list runs alone.")
    elif given and not arguments.prune:
        raise UsageError(f"{given[0]} is for list runs --prune alone.")
    if arguments.sort is not None and arguments.sort not in SORTS:
        raise UsageError(f"Runs cannot be sorted by {arguments.sort!r}. {did_you_mean(arguments.sort, SORTS)}")


LISTS: dict[str, Callable[[Workspace], list[Row]]] = {
    "suites": suite_rows,
    "judges": _judges,
    "targets": _targets,
}
OVERVIEW = ("suites", "judges", "targets")
WHAT = (*LISTS, "runs")
