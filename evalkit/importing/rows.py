"""The rows of a JSON, JSONL or CSV file, each with its place."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from evalkit.errors import Problem, UnreadableFile
from evalkit.importing.drafts import Place
from evalkit.reading.yaml_nodes import decoded

Row = tuple[Place, dict[str, Any]]
LIST_KEYS = ("probes", "tests", "cases", "seeds", "items", "data", "examples")
_MAX_CELL = 16 << 20
_DELIMITERS = ",;\t|"


def text_of(path: Path) -> str:
    """The file's UTF-8 text, line ends as they are.

    Raises:
        UnreadableFile: it cannot be opened or is not UTF-8.
    """
    try:
        return decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise UnreadableFile([Problem(str(path), f"cannot be opened: {error.strerror or error}.")]) from None


def json_rows(path: Path) -> Iterator[Row]:
    """The objects of a list, of a list under a usual key such as probes, or of lines of JSON.

    Raises:
        UnreadableFile: with every line that is no JSON object, or because the file holds no list of them.
    """
    text = text_of(path)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        yield from _lines(text, str(path))
        return
    items = whole
    if isinstance(whole, dict):
        key = next((key for key in LIST_KEYS if isinstance(whole.get(key), list)), None)
        items = [whole] if key is None else whole[key]
    if not isinstance(items, list):
        raise UnreadableFile([Problem(str(path), "expected a list of objects, or an object a line.", 1)])
    wrong = [index for index, item in enumerate(items) if not isinstance(item, dict)]
    if wrong:
        message = "expected an object in braces."
        raise UnreadableFile(Problem(str(path), message, path=f"$[{index}]") for index in wrong)
    for index, item in enumerate(items):
        yield Place(str(path), path=f"$[{index}]"), item


def _lines(text: str, shown: str) -> Iterator[Row]:
    problems, rows = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            plain = json.loads(line)
        except (ValueError, RecursionError) as error:
            problems.append(Problem(shown, f"expected a JSON object on this line ({_reason(error)}).", number))
            continue
        if isinstance(plain, dict):
            rows.append((Place(shown, number), plain))
        else:
            problems.append(Problem(shown, "expected a JSON object on this line.", number))
    if problems:
        raise UnreadableFile(problems)
    yield from rows


def csv_rows(path: Path) -> Iterator[Row]:
    """Every row by the names of its header; empty cells are left out. The delimiter is the header's commonest.

    Raises:
        UnreadableFile: there is no header, a column has no or another's name, or a row has more cells than the header.
    """
    text = text_of(path)
    shown = str(path)
    if not text.strip():
        raise UnreadableFile([Problem(shown, "the file is empty.", 1)])
    head = text.splitlines()[0]
    delimiter = "\t" if path.suffix == ".tsv" else max(_DELIMITERS, key=head.count)
    before = csv.field_size_limit(_MAX_CELL)
    try:
        reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
        header = [name.strip() for name in next(reader)]
        _check_header(header, shown)
        start = reader.line_num + 1
        for cells in reader:
            if len(cells) > len(header):
                message = (
                    f"found {len(cells)} cells under a header of {len(header)}. Put quotes around cells with a comma."
                )
                raise UnreadableFile([Problem(shown, message, start)])
            yield Place(shown, start), {name: cell for name, cell in zip(header, cells, strict=False) if cell.strip()}
            start = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile([Problem(shown, f"not valid CSV ({error}).", reader.line_num)]) from None
    finally:
        csv.field_size_limit(before)


def _check_header(header: list[str], shown: str) -> None:
    for number, name in enumerate(header, start=1):
        if not name:
            raise UnreadableFile([Problem(shown, f"column {number} has no name. Give it one.", 1)])
        if name in header[: number - 1]:
            raise UnreadableFile([Problem(shown, f"two columns are named {name!r}. Rename one.", 1)])


def _reason(error: Exception) -> str:
    return getattr(error, "msg", None) or "nested too deep"
