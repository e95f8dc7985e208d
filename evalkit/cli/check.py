"""``evalkit check``: reads every suite, target, gate and judge without a model, or writes the schemas for editors."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.cli.files import Selected, problems_of_plans, problems_of_targets, read_selected
from evalkit.cli.places import absolute, is_suite, suites_of, workspace_at
from evalkit.cli.training import TrainingCheck
from evalkit.errors import UsageError
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.authoring.remarks import Remark

DEFAULT_LIST = ""
"""--exclude without a file: one in each suite."""


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("check", help="read suites, targets, gates and judges; print every mistake with its line")
    parser.add_argument("paths", nargs="*", help="suites or files under suites/ (default: the whole workspace)")
    parser.add_argument("--strict", action="store_true", help="exit 1 for warnings too")
    parser.add_argument(
        "--train", dest="training", action="append", default=[], metavar="FILE",
        help="a training file (JSONL, or a text a line): name probes that overlap with it (again for more)",
    )  # fmt: skip
    parser.add_argument(
        "--exclude", nargs="?", const=DEFAULT_LIST, metavar="FILE",
        help="with --train: write the probes that overlap to FILE (default: suites/SUITE/_data/excluded.yaml)",
    )  # fmt: skip
    parser.add_argument("--schema", metavar="FOLDER", help="write the JSON schemas for editors there, and stop")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 when everything reads, 1 when something does not, and with --strict when there is a warning."""
    if arguments.schema:
        return _write_schemas(Path(arguments.schema), as_json=arguments.json)
    if arguments.exclude is not None and not arguments.training:
        raise UsageError("--exclude writes what --train FILE finds. Name a training file.")
    training = TrainingCheck([Path(name) for name in arguments.training])
    paths = [absolute(Path(path)) for path in arguments.paths]
    workspace = _workspace(paths)
    named = [path for path in paths if path not in (workspace.root, workspace.suites)]
    is_whole = len(named) < len(paths) or not paths
    suites = suites_of(workspace) if is_whole else _suites_of_paths(named, workspace)
    selected = read_selected(suites, workspace, () if is_whole else named)
    problems = [*selected.problems, *(problems_of_targets(workspace) if is_whole else ())]
    problems += [] if selected.problems else problems_of_plans(selected.suites)
    from evalkit.cli.warnings_of import remarks_on

    # A list is of a whole suite, also where one file of it was named.
    measured = selected.probes if arguments.exclude is None else [p for suite in selected.suites for p in suite.probes]
    remarks = [*remarks_on(selected, workspace), *training.remarks(measured)]
    written = [] if arguments.exclude is None else training.write(arguments.exclude, selected, workspace)
    result = {
        "suites": len(suites), "probes": len(selected.probes),
        "problems": [asdict(problem) for problem in dict.fromkeys(problems)],
    }  # fmt: skip
    if arguments.json:
        _print_json(result, remarks, selected, training, written)
    else:
        _print([str(problem) for problem in dict.fromkeys(problems)], remarks, result, training, written)
    return 1 if problems or (arguments.strict and remarks) else 0


def _print(
    problems: Sequence[str], remarks: Sequence[Remark], result: dict[str, Any], training: TrainingCheck,
    written: Sequence[str],
) -> None:  # fmt: skip
    for line in (*problems, *remarks):
        print(line)
    for sentence in training.sentences:
        print(sentence)
    for sentence in written:
        print(sentence)
    warnings = [_count(len(remarks), "warning")] if remarks else []
    read = (_count(result["suites"], "suite"), _count(result["probes"], "probe"), _count(len(problems), "problem"))
    print(", ".join([*read, *warnings]))


def _print_json(
    result: dict[str, Any], remarks: Sequence[Remark], selected: Selected, training: TrainingCheck,
    written: Sequence[str],
) -> None:  # fmt: skip
    from evalkit.authoring.figures import category_figures

    result["warnings"] = [remark.to_dict() for remark in remarks]
    result["categories"] = category_figures(selected.probes)
    result["training"] = [asdict(file) for file in training.files]
    result["written"] = list(written)
    print(json.dumps(result))


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
