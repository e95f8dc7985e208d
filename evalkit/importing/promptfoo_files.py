"""What a promptfoo configuration names in other files: prompts and tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from evalkit.errors import UnreadableFile
from evalkit.importing.drafts import Drafts, Place
from evalkit.importing.rows import csv_rows, json_rows, text_of

FILE = "file://"
_BETWEEN_PROMPTS = "\n---\n"
_PLAIN_FILES = (".txt", ".md", ".j2", ".json", ".yaml", ".yml")
_EXPECTED = "__expected"
_CELL = re.compile(r"\s*([A-Za-z_-]+)(?:\(([^()]*)\))?\s*:(.*)", re.DOTALL)
_CELL_WITHOUT_VALUE = re.compile(
    r"((?:not-)?(?:(?:is|contains)-(?:json|xml|sql|html|refusal)|latency|cost|perplexity))(?:\(([^()]*)\))?"
)
_OTHER_NAMES = {"grade": "llm-rubric", "fn": "javascript", "eval": "javascript"}


@dataclass(frozen=True, slots=True)
class PromptFile:
    """One prompt with its placeholders; ``shown`` names it in messages."""

    text: str
    shown: str


def prompts_of(written: Any, config: Path, drafts: Drafts) -> list[PromptFile]:
    """The prompts that can be read as text; the others are left out by name."""
    if written is None:
        return [PromptFile("{{prompt}}", "{{prompt}}")]
    found: list[PromptFile] = []
    for index, item in enumerate(written if isinstance(written, list) else [written]):
        place = Place(str(config), path=f"$.prompts[{index}]")
        raw = item.get("raw", item.get("id")) if isinstance(item, dict) else item
        if isinstance(raw, list):
            raw = yaml.safe_dump(raw, allow_unicode=True, sort_keys=False)
        if not isinstance(raw, str):
            drafts.leave_out(place, "expected a prompt as text.")
            continue
        is_file = raw.startswith(FILE) or (not raw.strip().count(" ") and Path(raw).suffix in _PLAIN_FILES)
        if not is_file:
            found.append(PromptFile(raw, f"$.prompts[{index}]"))
            continue
        path = config.parent / raw.removeprefix(FILE)
        if path.suffix not in _PLAIN_FILES:
            drafts.leave_out(place, f"{raw} is a program or a pattern of names, which is not read. Write its text.")
            continue
        try:
            text = text_of(path)
        except UnreadableFile as error:
            drafts.leave_out(place, f"{raw}: {error.problems[0].message}")
            continue
        parts = text.split(_BETWEEN_PROMPTS) if path.suffix == ".txt" else [text]
        found += (PromptFile(part.strip("\n"), raw) for part in parts if part.strip())
    return found


def tests_of(written: Any, config: Path, drafts: Drafts) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every test, those of files it names included."""
    for index, item in enumerate(written if isinstance(written, list) else [written] if written is not None else []):
        place = Place(str(config), path=f"$.tests[{index}]")
        if isinstance(item, dict):
            yield place, item
        elif isinstance(item, str):
            yield from _tests_of_file(item, config, place, drafts)
        else:
            drafts.leave_out(place, "expected a test as a mapping, or the name of a file.")


def default_of(written: Any, config: Path, drafts: Drafts) -> dict[str, Any]:
    """What holds for every test, that of a file it names included; what is no mapping is left out."""
    if written is None or isinstance(written, dict):
        return written or {}
    place = Place(str(config), path="$.defaultTest")
    if not isinstance(written, str):
        drafts.leave_out(place, "expected a test as a mapping, or the name of a file.")
        return {}
    before = len(drafts.left_out)
    found = [test for _, test in _tests_of_file(written, config, place, drafts)]
    if len(found) == 1:
        return found[0]
    if len(drafts.left_out) == before:
        drafts.leave_out(place, f"{written}: expected one test as a mapping, found {len(found)}.")
    return {}


def _tests_of_file(name: str, config: Path, place: Place, drafts: Drafts) -> Iterator[tuple[Place, dict[str, Any]]]:
    path = config.parent / name.removeprefix(FILE)
    try:
        if path.suffix in (".csv", ".tsv"):
            for row_place, cells in csv_rows(path):
                yield row_place, _test_of_cells(cells, drafts)
        elif path.suffix in (".json", ".jsonl"):
            yield from json_rows(path)
        elif path.suffix in (".yaml", ".yml"):
            plain = yaml.safe_load(text_of(path))
            yield from tests_of(plain if isinstance(plain, list) else [plain], path, drafts)
        else:
            drafts.leave_out(place, f"{name} is no file of tests that is read here: .yaml, .json, .jsonl or .csv.")
    except (UnreadableFile, yaml.YAMLError, RecursionError) as error:
        reason = error.problems[0].message if isinstance(error, UnreadableFile) else "not valid YAML. Correct it."
        drafts.leave_out(place, f"{name}: {reason}")


def _test_of_cells(cells: dict[str, Any], drafts: Drafts) -> dict[str, Any]:
    """A row of a CSV file: variables, and what is expected under __expected, KIND: VALUE or a text to equal."""
    test: dict[str, Any] = {
        "vars": {name: cell for name, cell in cells.items() if not name.startswith("__")}, "assert": [],
    }  # fmt: skip
    for name, cell in cells.items():
        if name == "__description":
            test["description"] = cell
        elif name.startswith(_EXPECTED):
            test["assert"].append(_assertion_of_cell(cell))
        elif name.startswith("__"):
            drafts.unknown[f"column {name}"] += 1
    return test


def _assertion_of_cell(cell: str) -> dict[str, Any]:
    """KIND: VALUE or KIND(THRESHOLD): VALUE, a kind that needs no value, or a text to equal."""
    bare = _CELL_WITHOUT_VALUE.fullmatch(cell.strip())
    found = bare or _CELL.fullmatch(cell)
    if found is None:
        return {"type": "equals", "value": cell}
    kind, threshold = found.group(1), found.group(2)
    kind = _OTHER_NAMES.get(kind, kind)
    text = "" if bare else found.group(3).strip()
    is_list = kind.endswith(("-any", "-all"))
    assertion = {"type": kind, "value": [part.strip() for part in text.split(",")] if is_list else text or None}
    return assertion if threshold is None else {**assertion, "threshold": threshold}
