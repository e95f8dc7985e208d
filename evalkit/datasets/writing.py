"""Puts a dataset into a folder, all of its files or none."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.datasets.formats import FORMATS, Format
from evalkit.datasets.rows import Row
from evalkit.errors import EvalkitError, UsageError

MANIFEST = "manifest.json"
TRAIN, VALID = "train", "valid"
OWN_NAMES = (*(f"{side}{item.suffix}" for item in FORMATS.values() for side in (TRAIN, VALID)), MANIFEST)
"""Every file that a dataset may have. One that is of an earlier dataset must not stay beside a new one."""

Files = dict[str, dict[str, Any]]


def refuse_existing(folder: Path, *, shown: str, force: bool) -> None:
    """Raises UsageError where something would be overwritten that may not be, or cannot; ``shown`` names the folder."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{shown}: is a file. Name a folder with --out.")
    there = [name for name in OWN_NAMES if (folder / name).exists()]
    if there and not force:
        raise UsageError(
            f"{shown}: a dataset is there already: {', '.join(there)}. Name another folder, or replace it: --force."
        )


def write_dataset(
    folder: Path, sides: Mapping[str, Sequence[Row]], made_of: Format, manifest_of: Callable[[Files], dict[str, Any]]
) -> Files:
    """Writes the rows of each side that has any, and the manifest made of what became of the files.

    What is written is read back first; an earlier dataset of this folder is gone afterwards, other files stay.

    Raises:
        EvalkitError: what was written does not read back as it was; nothing is left of it.
    """
    stage = (folder if folder.is_dir() else folder.parent) / f".{folder.name}.{os.getpid()}"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    try:
        files: Files = {}
        for side, rows in sides.items():
            if rows:
                file = stage / f"{side}{made_of.suffix}"
                made_of.write(file, rows)
                check_rows(file, made_of, rows)
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                files[file.name] = {"transcripts": len(rows), "bytes": file.stat().st_size, "sha256": digest}
        text = json.dumps(manifest_of(files), indent=1, ensure_ascii=True, allow_nan=False) + "\n"
        (stage / MANIFEST).write_text(text, encoding="ascii")
        _move_in(stage, folder, (*files, MANIFEST))
        return files
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def check_rows(file: Path, made_of: Format, rows: Sequence[Row]) -> None:
    """Reads a file back as a trainer would: the same rows, each a conversation that an answer ends.

    Raises:
        EvalkitError: with the first row that is not.
    """
    try:
        found = made_of.read(file)
    except (OSError, ValueError) as error:
        raise EvalkitError(f"{file.name}: cannot be read back: {error}. Nothing was written. Check the disk.") from None
    for number, (is_there, meant) in enumerate(zip(found, rows, strict=False), 1):
        if is_there != meant:
            raise EvalkitError(f"{file.name}: row {number} reads back otherwise. Nothing was written. Check the disk.")
        said = meant["messages"]
        if said[-1]["role"] != "assistant" or not all(message["content"].strip() for message in said):
            raise EvalkitError(
                f"{file.name}: row {number} ({meant['trial']}) is no conversation that an answer ends. Nothing was "
                "written. Please report this."
            )
    if len(found) != len(rows):
        raise EvalkitError(
            f"{file.name}: {len(found)} of {len(rows)} rows read back. Nothing was written. Check the disk."
        )


def _move_in(stage: Path, folder: Path, names: Sequence[str]) -> None:
    """Puts the staged files in place of an earlier dataset's; where that fails, the earlier one is put back."""
    if not folder.exists():
        os.replace(stage, folder)
        return
    old = stage / "old"
    old.mkdir()
    earlier = [name for name in OWN_NAMES if (folder / name).exists()]
    done: list[str] = []
    try:
        for name in earlier:
            os.replace(folder / name, old / name)
        for name in names:
            os.replace(stage / name, folder / name)
            done.append(name)
    except BaseException:
        for name in done:
            (folder / name).unlink(missing_ok=True)
        for name in earlier:
            if (old / name).exists():
                os.replace(old / name, folder / name)
        raise
