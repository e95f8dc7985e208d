"""``evalkit check``: reads every suite, target, gate and judge without a model, or writes the schemas for editors."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evalkit.cli.files import problems_of_targets, read_selected
from evalkit.cli.places import absolute, is_suite, suites_of, workspace_at
from evalkit.errors import Problem, UsageError
from evalkit.workspace import Workspace


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("check", help="read suites, targets, gates and judges; print every mistake with its line")
    parser.add_argument("paths", nargs="*", help="suites or files under suites/ (default: the whole workspace)")
    parser.add_argument("--schema", metavar="FOLDER", help="write the JSON schemas for editors there, and stop")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 when everything reads, 1 when something does not."""
    if arguments.schema:
        return _write_schemas(Path(arguments.schema), as_json=arguments.json)
    paths = [absolute(Path(path)) for path in arguments.paths]
    workspace = _workspace(paths)
    named = [path for path in paths if path not in (workspace.root, workspace.suites)]
    is_whole = len(named) < len(paths) or not paths
    suites = suites_of(workspace) if is_whole else _suites_of_paths(named, workspace)
    probes, problems = read_selected(suites, workspace, () if is_whole else named)
    if is_whole:
        problems += problems_of_targets(workspace)
    _print(len(suites), probes, list(dict.fromkeys(problems)), as_json=arguments.json)
    return 1 if problems else 0


def _print(suites: int, probes: int, problems: list[Problem], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"suites": suites, "probes": probes, "problems": [asdict(problem) for problem in problems]}))
        return
    for problem in problems:
        print(problem)
    print(f"{_count(suites, 'suite')}, {_count(probes, 'probe')}, {_count(len(problems), 'problem')}")


def _write_schemas(folder: Path, *, as_json: bool) -> int:
    from evalkit.reading.schema_files import write_schemas

    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: is a file. Name a folder.")
    files = [str(file) for file in write_schemas(folder)]
    print(json.dumps({"written": files}) if as_json else "\n".join(f"wrote {file}" for file in files))
    return 0


def _workspace(paths: list[Path]) -> Workspace:
    """The workspace that the first path is in, or is the root of; without paths the one here."""
    if not paths:
        return workspace_at(Path.cwd())
    found = Workspace.of(paths[0])
    if found is None and not (paths[0] / "suites").is_dir():
        raise UsageError(f"{paths[0]}: is in no folder suites/, and holds none")
    return found or workspace_at(paths[0])


def _suites_of_paths(paths: list[Path], workspace: Workspace) -> list[Path]:
    suites = []
    for path in paths:
        if not path.exists() or not path.is_relative_to(workspace.suites):
            raise UsageError(f"{path}: is not a file or folder under {workspace.suites}")
        suite = workspace.suite_of(path)
        if not is_suite(suite, workspace):
            raise UsageError(f"{path}: holds no probes; they are YAML files, in no folder named _… or .…")
        suites.append(suite)
    return list(dict.fromkeys(suites))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
