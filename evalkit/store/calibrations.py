"""Calibrations as files of the workspace, one for each judge, to be committed beside its baselines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evalkit.agreement import Agreement
from evalkit.calibration import Calibration, LabelSource
from evalkit.errors import Problem, UnreadableFile
from evalkit.workspace import Workspace

FORMAT = 1


def folder(workspace: Workspace) -> Path:
    return workspace.root / "reports" / "calibration"


def read_calibrations(workspace: Workspace) -> tuple[Calibration, ...]:
    """Every calibration of the workspace.

    Raises:
        UnreadableFile: with every file that is not one of evalkit's.
    """
    found: list[Calibration] = []
    problems: list[Problem] = []
    for file in sorted(folder(workspace).glob("*.json")):
        try:
            found += _entries(file)
        except (OSError, ValueError, TypeError, KeyError) as error:
            message = (
                f"is no calibration of this evalkit ({type(error).__name__}: {error}). Run evalkit calibrate again."
            )
            problems.append(Problem(workspace.shown(file), message))
    if problems:
        raise UnreadableFile(problems)
    return tuple(found)


def write_calibrations(workspace: Workspace, judge: str, new: Iterable[Calibration]) -> Path:
    """Puts ``new`` into the judge's file, in place of those of the same hash, suite and category; whole or not at all.

    Raises:
        UnreadableFile: the file that is there is not one of evalkit's.
    """
    file = folder(workspace) / f"{judge}.json"
    kept = {_key(item): item for item in read_calibrations(workspace) if item.judge == judge}
    kept.update({_key(item): item for item in new})
    plain = {"format": FORMAT, "judge": judge, "entries": [_plain(kept[key]) for key in sorted(kept)]}
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    os.replace(unfinished, file)
    return file


def _key(item: Calibration) -> tuple[str, str, str]:
    return (item.judge_hash, item.suite, item.category)


def _plain(item: Calibration) -> dict[str, Any]:
    plain = asdict(item)
    del plain["judge"]
    return plain


def _entries(file: Path) -> list[Calibration]:
    data = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"format is not {FORMAT}")
    return [
        Calibration(
            judge=data["judge"], judge_hash=entry["judge_hash"], suite=entry["suite"], category=entry["category"],
            languages=tuple(entry["languages"]),
            source=LabelSource(**{**entry["source"], "by": tuple(entry["source"]["by"])}),
            agreement=Agreement(**entry["agreement"]),
        )
        for entry in data["entries"]
    ]  # fmt: skip
