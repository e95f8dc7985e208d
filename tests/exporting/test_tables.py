"""The flat tables: typed, finite, harmless, and documented column by column."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from math import inf, nan
from pathlib import Path

import pyarrow.parquet
import pytest

from evalkit.errors import MissingPackage
from evalkit.exporting.columns import schema_lines
from evalkit.exporting.csv_file import csv_text
from evalkit.exporting.figures import FIGURE_COLUMNS
from evalkit.exporting.parquet_file import parquet_bytes
from evalkit.exporting.trials import TRIAL_COLUMNS, trial_table
from evalkit.record import TrialRecord
from evalkit.reporting.exports import TrialTexts
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.summary import RunFacts, summarise
from evalkit.review import Label
from evalkit.transcript import Answer

MakeRecord = Callable[..., TrialRecord]
MakeRun = Callable[..., RunFacts]
DOCS = Path(__file__).parents[2] / "docs" / "reports.md"


def row_of(text: str) -> dict[str, str]:
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    return row


def test_the_documented_schema_is_the_one_that_is_written() -> None:
    """docs/reports.md holds both tables of columns as they are."""
    text = DOCS.read_text(encoding="utf-8")

    assert "\n".join(schema_lines(TRIAL_COLUMNS)) in text
    assert "\n".join(schema_lines(FIGURE_COLUMNS)) in text


def test_numbers_are_finite_or_not_there(make_record: MakeRecord, make_run: MakeRun) -> None:
    """NaN and infinities have no place in a column of numbers; results.jsonl has them as text."""
    records = [make_record(probe=f"p{n}", score=score) for n, score in enumerate((nan, inf, 0.1 + 0.2, None))]

    table = trial_table(FinishedRun(summarise(records, run=make_run())))
    columns = pyarrow.parquet.read_table(io.BytesIO(parquet_bytes(table, {}))).to_pydict()

    assert columns["score"] == [None, None, 0.1 + 0.2, None]
    cells = [row["score"] for row in csv.DictReader(io.StringIO(csv_text(table), newline=""))]
    assert cells == ["", "", "0.30000000000000004", ""]


def test_types_and_meanings_are_in_the_parquet_schema(make_record: MakeRecord, make_run: MakeRun) -> None:
    """The file documents itself, also where every cell of a column is empty."""
    table = trial_table(FinishedRun(summarise([make_record()], run=make_run())))

    schema = pyarrow.parquet.read_schema(io.BytesIO(parquet_bytes(table, {"run": "r1"})))

    assert schema.metadata[b"run"] == b"r1"
    types = {"text": "string", "integer": "int64", "number": "double", "truth": "bool"}
    for column in TRIAL_COLUMNS:
        field = schema.field(column.name)
        assert (str(field.type), field.metadata[b"meaning"].decode()) == (types[column.type], column.meaning)


def test_hostile_text_does_no_harm(hostile: str, make_record: MakeRecord, make_run: MakeRun) -> None:
    """No cell of the CSV is a formula or breaks its row; Parquet holds the text, lone surrogates replaced."""
    record = make_record(reason=hostile, category=hostile)
    texts = {record.trial: TrialTexts((("user", hostile),), (Answer(hostile, hostile, hostile),))}
    run = FinishedRun(summarise([record], run=make_run(run_id="r")), texts)

    table = trial_table(run)
    row = row_of(csv_text(table))
    whole = pyarrow.parquet.read_table(io.BytesIO(parquet_bytes(table, {}))).to_pylist()[0]

    for name in ("reason", "category", "prompt", "answer", "thinking"):
        assert (
            not row[name].lstrip("\u200b\u2060\ufeff\u00ad \"'").startswith(("=", "+", "-", "@")) or row[name][0] == "'"
        )
        assert not any(character in row[name] for character in "\x00\x1b\x9b\u202e")
        expected = hostile.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        assert whole[name] == (expected or None if name == "thinking" else expected)


def test_what_is_not_there_is_null(make_record: MakeRecord, make_run: MakeRun) -> None:
    """No tag, flag, thinking or reviewer is no text of no characters: ``isna()`` finds it."""
    table = trial_table(FinishedRun(summarise([make_record()], run=make_run())))

    row = dict(zip((column.name for column in TRIAL_COLUMNS), table.rows[0], strict=True))
    assert [row[name] for name in ("tags", "flags", "thinking", "reviewers", "label", "step")] == [None] * 6


def test_people_s_labels_stand_beside_the_outcome(make_record: MakeRecord, make_run: MakeRun) -> None:
    """What they say where they agree, by whom; nothing where they are divided or nobody read it."""
    records = [make_record(probe=name) for name in ("agreed", "divided", "unread")]
    texts = {record.trial: TrialTexts(text_hash=f"hash of {record.probe}") for record in records}
    said = (
        ("agreed", "wrong", "ben"),
        ("agreed", "wrong", "anna"),
        ("divided", "wrong", "ben"),
        ("divided", "correct", "a"),
    )
    labels = tuple(Label(f"hash of {name}", "t", "r", value, by, 1.0) for name, value, by in said)  # type: ignore[arg-type]

    rows = trial_table(FinishedRun(summarise(records, run=make_run()), texts, labels=labels)).rows

    places = [
        next(n for n, column in enumerate(TRIAL_COLUMNS) if column.name == name) for name in ("label", "reviewers")
    ]
    found = {row[6]: tuple(row[place] for place in places) for row in rows}
    assert found == {"agreed": ("wrong", "anna ben"), "divided": (None, "a ben"), "unread": (None, None)}


def test_without_pyarrow_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, rich_run: FinishedRun) -> None:
    """Nothing else needs it."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    empty = replace(trial_table(rich_run), rows=())

    with pytest.raises(MissingPackage) as caught:
        parquet_bytes(empty, {})

    assert str(caught.value) == (
        "evalkit report --format parquet needs the package 'pyarrow'. "
        "Install it with: pip install 'pytest-evalkit[dataset]'"
    )
