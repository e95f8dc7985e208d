"""Patterns of adapter folders, such as ``runs/x/checkpoint-*``, as the folders they stand for."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

from evalkit.reading.adapters import CONFIG, step_of
from evalkit.reading.places import Place

WILD = "*?["


def is_pattern(text: str) -> bool:
    return any(character in text for character in WILD)


def expanded(text: str, roots: tuple[Path, ...], place: Place) -> tuple[str, ...]:
    """Each adapter or chain of adapters (``a+b``) that a text of --eval-adapter stands for, by training step.

    ``roots`` are where a relative path may start; the first under which anything matches counts. Called once, where
    the run begins: a training that goes on writes more checkpoints meanwhile.

    Raises:
        EvalkitError: a pattern matches no adapter.
    """
    if not is_pattern(text) or any((root / text).exists() for root in roots):
        return (text,)
    parts = [_folders(part, roots, place) if is_pattern(part) else (part,) for part in text.split("+")]
    return tuple("+".join(chosen) for chosen in product(*parts))


def _folders(pattern: str, roots: tuple[Path, ...], place: Place) -> tuple[str, ...]:
    for root in roots:
        found = _matching(pattern, root)
        adapters = [path for path in found if (path / CONFIG).is_file()]
        if found and not adapters:
            raise place.error(f"{pattern} matches {len(found)} places, and none holds {CONFIG}. Name adapter folders.")
        if adapters:
            written = Path(pattern).expanduser()
            ordered = sorted(adapters, key=_order)
            return tuple(str(path if written.is_absolute() else path.relative_to(root)) for path in ordered)
    raise place.error(f"no folder matches {pattern}. Patterns start at the current folder or the workspace's.")


def _matching(pattern: str, root: Path) -> list[Path]:
    path = Path(pattern).expanduser()
    if path.is_absolute():
        return list(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    return list(root.glob(str(path)))


def _order(folder: Path) -> tuple[float, list[tuple[int, str]]]:
    """By training step; folders of unknown step last, by name with numbers read as numbers."""
    step = step_of(folder)
    pieces = re.findall(r"\d+|\D+", str(folder))
    named = [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces]
    return (float("inf") if step is None else step, named)
