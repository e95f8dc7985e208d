"""``evalkit check``: reads every suite, target and judge without a model, and writes editor schemas."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from evalkit.errors import EvalkitError, Problem, UnreadableFile, UsageError
from evalkit.workspace import Workspace


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("check", help="read suites, targets and judges; print every mistake with its line")
    parser.add_argument("paths", nargs="*", help="suites or files under suites/ (default: all)")
    parser.add_argument("--schema", metavar="FOLDER", help="write the JSON schemas for editors there, and stop")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 when everything reads, 1 when something does not."""
    if arguments.schema:
        return _write_schemas(Path(arguments.schema), as_json=arguments.json)
    workspace, suites = _suites([Path(path) for path in arguments.paths])
    probes, problems = 0, []
    for suite in suites:
        count, found = _read(suite, workspace)
        probes += count
        problems += found
    problems += _target_problems(workspace)
    if arguments.json:
        print(json.dumps({"suites": len(suites), "probes": probes, "problems": [str(item) for item in problems]}))
    else:
        for problem in problems:
            print(problem)
        print(f"{_count(len(suites), 'suite')}, {_count(probes, 'probe')}, {_count(len(problems), 'problem')}")
    return 1 if problems else 0


def _write_schemas(folder: Path, *, as_json: bool) -> int:
    from evalkit.reading.schema_files import write_schemas

    files = [str(file) for file in write_schemas(folder)]
    print(json.dumps({"written": files}) if as_json else "\n".join(f"wrote {file}" for file in files))
    return 0


def _suites(paths: list[Path]) -> tuple[Workspace, list[Path]]:
    workspace = (Workspace.of(paths[0]) if paths else None) or Workspace(Path.cwd())
    if not workspace.suites.is_dir():
        raise UsageError(f"{workspace.root}: there is no folder suites/ here. Make a workspace with: evalkit init")
    for path in paths:
        if not path.exists() or Workspace.of(path) != workspace:
            raise UsageError(f"{path}: is not a file or folder under {workspace.suites}")
    if paths and workspace.suites.resolve() not in [path.resolve() for path in paths]:
        return workspace, list(dict.fromkeys(workspace.suite_of(path) for path in paths))
    entries = sorted(workspace.suites.iterdir())
    return workspace, [entry for entry in entries if workspace.probe_files(entry)] if entries else []


def _read(suite: Path, workspace: Workspace) -> tuple[int, list[Problem]]:
    from evalkit.reading.build import read_suite
    from evalkit.reading.judges import build_judge, judge_names

    reading = read_suite(suite, workspace, judge_names(workspace))
    problems = [problem for file in reading.files for problem in file.problems]
    checked = set()
    for probe in (probe for file in reading.files for probe in file.probes):
        for use in probe.judges:
            if use not in checked:
                checked.add(use)
                try:
                    build_judge(use, workspace)
                except UnreadableFile as error:
                    problems += error.problems
                except EvalkitError as error:
                    problems.append(Problem(probe.file, str(error), probe.line))
    return sum(len(file.probes) for file in reading.files), problems


def _target_problems(workspace: Workspace) -> list[Problem]:
    from evalkit.reading.targets import TargetChoice, read_targets

    try:
        read_targets(workspace).resolve(TargetChoice())
    except UnreadableFile as error:
        return list(error.problems)
    except EvalkitError as error:
        return [Problem("fixtures/targets.yaml", str(error))]
    return []


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
