"""``evalkit import``: test sets of other tools as a suite."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.cli.new_places import new_suite
from evalkit.cli.places import workspace_at
from evalkit.errors import Problem, UsageError
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.importing.drafts import Drafts
    from evalkit.importing.suite_text import SuiteText

SHOWN = 5
DEFAULT_JUDGE = "behaviour"
MAPPING_FILE = "_data/import.json"


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser(
        "import", help="make a suite of another tool's tests: lem, instrument-trap, promptfoo, csv, jsonl"
    )
    parser.add_argument("format", metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("files", metavar="FILE", nargs="+", help="files of that format")
    parser.add_argument("--suite", required=True, metavar="NAME", help="the suite to make: suites/NAME")
    parser.add_argument(
        "--column", dest="columns", action="append", default=[], metavar="KEY=COLUMN",
        help="csv and jsonl: which column gives a key, such as prompt=question (again for more)",
    )  # fmt: skip
    parser.add_argument(
        "--judge", dest="judges", action="append", default=[], metavar="NAME",
        help="who judges probes that text assertions do not decide (again for more)",
    )  # fmt: skip
    parser.add_argument("--unique", action="store_true", help="leave out copies of a prompt")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 when everything was imported, 2 when some rows were not (the others are), 1 when a probe reads wrongly."""
    from evalkit.importing.suite_text import suite_text

    drafts = _drafts(arguments)
    workspace = workspace_at(Path.cwd())
    folder = new_suite(arguments.suite, workspace)
    judges = _judges(arguments, drafts, workspace)
    named = ", ".join(Path(file).name for file in arguments.files)
    head = f"# Imported from {named} by: evalkit import {arguments.format}".replace("\n", " ")
    made = suite_text(drafts, judges, head=head, unique=arguments.unique)
    if not made.probes:
        raise UsageError("\n".join([*map(str, drafts.left_out), f"{named}: there is nothing to import."]))
    _write(folder, made, drafts, arguments)
    problems = _problems(folder, workspace)
    _report(folder, workspace, made, drafts, problems, as_json=arguments.json)
    return 1 if problems else 2 if drafts.left_out else 0


def _drafts(arguments: argparse.Namespace) -> Drafts:
    from evalkit.importing.columns import column_choice
    from evalkit.reading.suggestions import did_you_mean

    if arguments.format not in FORMATS:
        raise UsageError(f"There is no format {arguments.format!r}. {did_you_mean(arguments.format, FORMATS)}")
    if arguments.columns and arguments.format not in ("csv", "jsonl"):
        raise UsageError("--column is for csv and jsonl; the other formats have fields of their own.")
    return FORMATS[arguments.format]([Path(file) for file in arguments.files], column_choice(arguments.columns))


def _lem(files: Sequence[Path], _: dict[str, str]) -> Drafts:
    from evalkit.importing.lem import read_lem

    return read_lem(files)


def _instrument_trap(files: Sequence[Path], _: dict[str, str]) -> Drafts:
    from evalkit.importing.instrument_trap import read_instrument_trap

    return read_instrument_trap(files)


def _promptfoo(files: Sequence[Path], _: dict[str, str]) -> Drafts:
    from evalkit.importing.promptfoo import read_promptfoo

    return read_promptfoo(files)


def _csv(files: Sequence[Path], chosen: dict[str, str]) -> Drafts:
    from evalkit.importing.columns import read_columns

    return read_columns(files, chosen, is_csv=True)


def _jsonl(files: Sequence[Path], chosen: dict[str, str]) -> Drafts:
    from evalkit.importing.columns import read_columns

    return read_columns(files, chosen, is_csv=False)


FORMATS: dict[str, Callable[[Sequence[Path], dict[str, str]], Drafts]] = {
    "lem": _lem, "instrument-trap": _instrument_trap, "promptfoo": _promptfoo, "csv": _csv, "jsonl": _jsonl,
}  # fmt: skip


def _judges(arguments: argparse.Namespace, drafts: Drafts, workspace: Workspace) -> list[Any]:
    """The judges that hold for all probes; where only some need one, those get it themselves.

    Raises:
        UsageError: a judge that was named is not there.
    """
    from evalkit.importing.lem import JUDGE
    from evalkit.probe import MEANING_ASSERTIONS
    from evalkit.reading.judge_files import judge_names
    from evalkit.reading.suggestions import did_you_mean

    names = judge_names(workspace)
    for name in arguments.judges:
        if name not in names:
            raise UsageError(f"--judge {name}: there is no such judge. {did_you_mean(name, sorted(names))}")
    if arguments.format == "lem":
        return arguments.judges or [JUDGE]
    judges: list[Any] = arguments.judges or [DEFAULT_JUDGE]
    silent = [draft for draft in drafts.probes if not draft.keys.get("expect")]
    if silent and not arguments.judges:
        drafts.remark(
            f"nothing is expected in {_count(len(silent), 'probe')}: the judge {DEFAULT_JUDGE} leaves unscored what "
            "their category does not tell. Write expect, or name another with --judge"
        )
    needing = [
        draft
        for draft in drafts.probes
        if not draft.keys.get("expect") or set(draft.keys["expect"]) & set(MEANING_ASSERTIONS)
    ]
    for draft in drafts.probes:
        draft.keys.pop("judges", None)
    if len(needing) == len(drafts.probes):
        return judges
    for draft in needing:
        draft.keys["judges"] = judges
    return []


def _write(folder: Path, made: SuiteText, drafts: Drafts, arguments: argparse.Namespace) -> None:
    from evalkit.reading.yaml_writing import mapping_lines

    digests = {name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in arguments.files}
    described = {
        "format": arguments.format, "sources": digests, "probes": made.probes, **_mapping(made),
        "fields_not_imported": dict(drafts.unknown), "left_out": [str(problem) for problem in drafts.left_out],
    }  # fmt: skip
    files = ", ".join(Path(name).name for name in arguments.files)
    suite = {"title": arguments.suite, "description": f"Imported from {files} ({arguments.format})."}
    texts = {
        "suite.yaml": "\n".join(mapping_lines(suite)) + "\n",
        MAPPING_FILE: json.dumps(described, indent=1, ensure_ascii=False) + "\n",
    }
    for name, text in {**made.files, **texts}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")


def _mapping(made: SuiteText) -> dict[str, list[dict[str, str]]]:
    """What changed on the way, for programs."""
    return {
        "ids": [{"at": at, "was": was, "is": name} for at, was, name in made.ids],
        "categories": [{"was": was, "is": name} for was, name in made.categories.items()],
        "tags": [{"was": was, "is": name} for was, name in made.tags.items()],
        "copies": [{"probe": name, "of": first} for name, first in made.copies],
    }


def _problems(folder: Path, workspace: Workspace) -> list[Problem]:
    """What is wrong with the suite as it reads now: expectations of the source that say nothing, and such."""
    from evalkit.reading.build import read_suite
    from evalkit.reading.judge_files import judge_names

    return [
        problem for file in read_suite(folder, workspace, judge_names(workspace)).files for problem in file.problems
    ]


def _report(
    folder: Path, workspace: Workspace, made: SuiteText, drafts: Drafts, problems: list[Problem], *, as_json: bool
) -> None:
    shown = workspace.shown(folder)
    if as_json:
        print(json.dumps({
            "suite": shown, "files": list(made.files), "probes": made.probes, "mapping": f"{shown}/{MAPPING_FILE}",
            **_mapping(made),
            "fields_not_imported": dict(drafts.unknown), "remarks": drafts.remarks,
            "left_out": [asdict(problem) for problem in drafts.left_out],
            "problems": [asdict(problem) for problem in problems], "next": _next(shown),
        }))  # fmt: skip
        return
    print(f"{shown}: {_count(made.probes, 'probe')} in {_count(len(made.files), 'file')}")
    if made.ids:
        print(f"{_count(len(made.ids), 'id')} changed: {_some([f'{was!r} is {name}' for _, was, name in made.ids])}")
    for changed, noun, plural in ((made.categories, "category", "categories"), (made.tags, "tag", "tags")):
        if changed:
            names = [f"{was!r} is {name}" if name else f"{was!r} is left out" for was, name in changed.items()]
            print(f"{_count(len(changed), noun, plural)} changed: {_some(names)}")
    if made.copies:
        copies = _some([f"{name} of {first}" for name, first in made.copies])
        print(f"{_count(len(made.copies), 'copy', 'copies')} of a prompt: {copies}")
    if drafts.unknown:
        counts = [f"{name} ({count})" for name, count in drafts.unknown.most_common()]
        print(f"not imported: {_some(counts, 20)}")
    for remark in drafts.remarks:
        print(f"note: {remark}")
    for problem in drafts.left_out:
        print(f"left out: {problem}")
    for problem in problems:
        print(problem)
    print(f"The mapping is in {shown}/{MAPPING_FILE}. Now run: {_next(shown)}")


def _next(shown: str) -> str:
    return f"evalkit check {shown} && pytest {shown}"


def _some(items: Sequence[str], shown: int = SHOWN) -> str:
    more = len(items) - shown
    return ", ".join(items[:shown]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"
