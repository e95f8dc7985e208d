"""The two formats of a dataset's files, each with what it reads back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from evalkit.datasets.rows import Row
from evalkit.errors import MissingPackage

FormatName = Literal["chat", "parquet"]


@dataclass(frozen=True, slots=True)
class Format:
    """How rows become a file named with ``suffix``, and a file rows again."""

    suffix: str
    write: Callable[[Path, Sequence[Row]], None]
    read: Callable[[Path], list[Row]]


def format_of(name: FormatName) -> Format:
    """The format of this name.

    Raises:
        MissingPackage: it needs one that is not installed.
    """
    if name == "parquet" and find_spec("pyarrow") is None:
        raise MissingPackage("evalkit dataset --format parquet", "pyarrow", "dataset")
    return FORMATS[name]


def _write_jsonl(file: Path, rows: Sequence[Row]) -> None:
    """One ASCII line a row, so that no reader's locale matters."""
    with file.open("w", encoding="ascii", newline="\n") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=True, allow_nan=False) + "\n" for row in rows)


def _read_jsonl(file: Path) -> list[Row]:
    return [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()]


def _write_parquet(file: Path, rows: Sequence[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    kinds = {"messages": pa.list_(message), "score": pa.float64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in rows[0]])
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), file)


def _read_parquet(file: Path) -> list[Row]:
    import pyarrow.parquet as pq

    found: list[Row] = pq.read_table(file).to_pylist()
    return found


FORMATS: dict[FormatName, Format] = {
    "chat": Format(".jsonl", _write_jsonl, _read_jsonl),
    "parquet": Format(".parquet", _write_parquet, _read_parquet),
}
