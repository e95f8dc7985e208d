"""A dataset is written whole or not at all, and what is written reads back."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.datasets.candidate import Candidate
from evalkit.datasets.formats import FORMATS, Format, format_of
from evalkit.datasets.rows import TRAINERS_OWN, rows
from evalkit.datasets.selecting import Wanted
from evalkit.datasets.splitting import split
from evalkit.datasets.writing import refuse_existing, write_dataset
from evalkit.errors import EvalkitError, MissingPackage, UsageError

Make = Callable[..., Candidate]
ROWS = [
    {"messages": [{"role": "user", "content": f"Gezeiten {n}? 潮"}, {"role": "assistant", "content": "Ja.\n\n„Ebbe“"}],
     "trial": f"t{n}", "score": n + 0.5, "stamp": ""}
    for n in range(5)
]  # fmt: skip


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("kind", ["chat", "parquet"])
def test_what_is_written_reads_back(tmp_path: Path, kind: Any) -> None:
    """Each format gives the same rows again, types and characters included; the manifest knows the files' digests."""
    pytest.importorskip("pyarrow")
    made_of = format_of(kind)
    files = write_dataset(tmp_path / "d", {"train": ROWS[:4], "valid": ROWS[4:]}, made_of, lambda files: files)

    assert names(tmp_path / "d") == sorted(["manifest.json", f"train{made_of.suffix}", f"valid{made_of.suffix}"])
    assert made_of.read(tmp_path / "d" / f"train{made_of.suffix}") == ROWS[:4]
    assert made_of.read(tmp_path / "d" / f"valid{made_of.suffix}") == ROWS[4:]
    assert json.loads((tmp_path / "d/manifest.json").read_text()) == files
    assert [item["transcripts"] for item in files.values()] == [4, 1]
    assert names(tmp_path) == ["d"]


def test_chat_lines_are_ascii(tmp_path: Path) -> None:
    """So that a trainer that opens files in its locale's encoding reads them all the same."""
    write_dataset(tmp_path / "d", {"train": ROWS}, FORMATS["chat"], lambda files: files)

    assert (tmp_path / "d/train.jsonl").read_bytes().isascii()


def test_parquet_without_pyarrow_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra that brings it."""
    monkeypatch.setattr("evalkit.datasets.formats.find_spec", lambda name: None)
    with pytest.raises(MissingPackage) as caught:
        format_of("parquet")

    assert str(caught.value) == (
        "evalkit dataset --format parquet needs the package 'pyarrow'. "
        "Install it with: pip install 'pytest-evalkit[dataset]'"
    )


def test_nothing_there_is_overwritten(tmp_path: Path) -> None:
    """A dataset of either format counts, other files do not; a file is no folder."""
    folder = tmp_path / "d"
    refuse_existing(folder, shown="d", force=False)
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    refuse_existing(folder, shown="d", force=False)
    (folder / "valid.parquet").write_text("old")
    with pytest.raises(UsageError) as caught:
        refuse_existing(folder, shown="d", force=False)
    assert str(caught.value) == (
        "d: a dataset is there already: valid.parquet. Name another folder, or replace it: --force."
    )
    refuse_existing(folder, shown="d", force=True)
    with pytest.raises(UsageError) as caught:
        refuse_existing(folder / "notes.txt", shown="d/notes.txt", force=True)
    assert str(caught.value) == "d/notes.txt: is a file. Name a folder with --out."


def test_a_new_dataset_leaves_nothing_of_the_old_one(tmp_path: Path) -> None:
    """An old valid.jsonl beside a new train.jsonl would leak; files of others stay."""
    folder = tmp_path / "d"
    write_dataset(folder, {"train": ROWS[:4], "valid": ROWS[4:]}, FORMATS["chat"], lambda files: files)
    (folder / "notes.txt").write_text("mine")
    write_dataset(folder, {"train": ROWS, "valid": []}, FORMATS["chat"], lambda files: files)

    assert names(folder) == ["manifest.json", "notes.txt", "train.jsonl"]
    assert FORMATS["chat"].read(folder / "train.jsonl") == ROWS


@pytest.mark.parametrize("is_there", [False, True])
def test_a_failure_leaves_what_was_there(tmp_path: Path, is_there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it fails while writing or while the files are put in place."""
    folder = tmp_path / "d"
    if is_there:
        write_dataset(folder, {"train": ROWS[:1]}, FORMATS["chat"], lambda files: files)

    def full(files: Any) -> dict[str, Any]:
        raise OSError(28, "No space left on device")

    def kept() -> object:
        return folder.exists() and (names(folder), FORMATS["chat"].read(folder / "train.jsonl"))

    before = kept()
    with pytest.raises(OSError, match="No space left"):
        write_dataset(folder, {"train": ROWS}, FORMATS["chat"], full)
    assert kept() == before

    real = os.replace

    def no_manifest(source: Any, goal: Any) -> None:
        if Path(goal).name == "d" or (Path(goal) == folder / "manifest.json" and Path(source).parent.name != "old"):
            raise OSError(28, "No space left on device")
        real(source, goal)

    monkeypatch.setattr("evalkit.datasets.writing.os.replace", no_manifest)
    with pytest.raises(OSError, match="No space left"):
        write_dataset(folder, {"train": ROWS[:4], "valid": ROWS[4:]}, FORMATS["chat"], lambda files: files)
    assert kept() == before
    assert names(tmp_path) == (["d"] if is_there else [])


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda found: found[:-1], "train.jsonl: 4 of 5 rows read back. Nothing was written. Check the disk."),
        (
            lambda found: [*found[:2], {**found[2], "score": 9.0}, *found[3:]],
            "train.jsonl: row 3 reads back otherwise. Nothing was written. Check the disk.",
        ),
        (
            lambda found: json.loads("["),
            "train.jsonl: cannot be read back: Expecting value: line 1 column 2 (char 1). Nothing was written. "
            "Check the disk.",
        ),
    ],
)
def test_what_does_not_read_back_is_not_kept(tmp_path: Path, damage: Any, sentence: str) -> None:
    """A disk that lies is found out before a trainer finds it."""
    plain = FORMATS["chat"]
    damaged = Format(".jsonl", plain.write, lambda file: damage(plain.read(file)))
    with pytest.raises(EvalkitError) as caught:
        write_dataset(tmp_path / "d", {"train": ROWS}, damaged, lambda files: files)

    assert str(caught.value) == sentence
    assert names(tmp_path) == []


def test_a_row_is_a_conversation_that_an_answer_ends(tmp_path: Path) -> None:
    """A trainer would learn to be silent, or to ask."""
    broken = {**ROWS[0], "messages": ROWS[0]["messages"][:1]}
    with pytest.raises(EvalkitError) as caught:
        write_dataset(tmp_path / "d", {"train": [broken]}, FORMATS["chat"], lambda files: files)

    assert str(caught.value) == (
        "train.jsonl: row 1 (t0) is no conversation that an answer ends. Nothing was written. Please report this."
    )


def test_rows_have_the_same_columns_without_nulls(candidate: Make) -> None:
    """Scores only where all have one; no column is one that a trainer takes for its own."""
    every = [candidate(f"p{number}", scores=[("lek", float(number))]) for number in range(10)]
    train, valid = rows(split(every, 0.2, 0), Wanted(only_judge="lek"), "run-1")
    mixed, _ = rows(split([*every, candidate("q")], 0.0, 0), Wanted(), "run-1")

    assert {tuple(row) for row in (*train, *valid)} == {
        ("messages", "run", "trial", "suite", "probe", "category", "cluster", "target", "text_hash", "score", "stamp")
    }
    assert {tuple(row) for row in mixed} == {tuple(name for name in train[0] if name != "score")}
    assert not any(value is None for row in (*train, *valid, *mixed) for value in row.values())
    assert not TRAINERS_OWN & set(train[0])


def test_a_demo_models_rows_are_stamped(candidate: Make) -> None:
    """Every line says so, wherever it is copied to."""
    train, _ = rows(split([candidate(is_demo=True)], 0.0, 0), Wanted(), "run-1")

    assert train[0]["stamp"] == "DEMO MODEL: its numbers mean nothing"
