"""The small files that ``evalkit stats bands`` and ``evalkit stats means`` read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from evalkit.errors import UsageError
from evalkit.score_deltas import weighted_mean

ROUNDED = 0.01
WRONG_SHAPE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, csv.Error)
BANDS_SHAPE = 'a table name,of,… with a column a run, or JSON {"name": {"of": 54, "counts": [48, 46]}}'
MEANS_SHAPE = (
    'a table category,n,… with a column a condition, or JSON {"conditions": […], "probes_per_category": {category: n}, '
    '"models": {name: {"categories": {category: [mean, …]}}}}'
)


@dataclass(frozen=True, slots=True)
class Band:
    """Repeats of one measurement; ``least``, ``mean``, ``most`` and ``deviation`` are shares of ``total``, if any.

    ``deviation`` is the sample's (n - 1), None for a single repeat.
    """

    name: str
    total: int | None
    counts: tuple[float, ...]
    least: float
    mean: float
    most: float
    deviation: float | None

    @classmethod
    def of(cls, name: str, total: int | None, counts: Sequence[float]) -> Band:
        """The band of these counts.

        Raises:
            UsageError: there is none, or one is not between 0 and total.
        """
        where = f"{name}: " if name else ""
        if not counts:
            raise UsageError(f"{where}there is no repeat.")
        if total == 0:
            raise UsageError(f"{where}counts of 0 have no share.")
        wrong = next((count for count in counts if total is not None and not 0 <= count <= total), None)
        if wrong is not None:
            raise UsageError(f"{where}expected counts of 0 to {total}; found {wrong:g}.")
        shares = [count / (total or 1) for count in counts]
        deviation = stdev(shares) if len(shares) > 1 else None
        return cls(name, total, tuple(counts), min(shares), fmean(shares), max(shares), deviation)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CheckedMean:
    """An overall mean from category means, beside the one that was published, if any."""

    name: str
    condition: str
    n: int
    mean: float
    published: float | None

    @property
    def agrees(self) -> str:
        """``yes`` within what rounding every mean to two decimals can do; ``-`` where nothing was published."""
        if self.published is None:
            return "-"
        return "yes" if abs(self.mean - self.published) <= ROUNDED else "no"

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "agrees": None if self.published is None else self.agrees == "yes"}


def read_bands(file: Path) -> list[Band]:
    """The named rows of a file of BANDS_SHAPE.

    Raises:
        UsageError: the file is not there, or has another shape.
    """
    try:
        if file.suffix == ".json":
            rows = [(str(name), row.get("of"), list(row["counts"])) for name, row in _json(file).items()]
        else:
            rows = [
                (row.pop("name"), row.pop("of", ""), [cell for cell in row.values() if cell]) for row in _table(file)
            ]
        return [
            Band.of(name, int(total) if total not in (None, "") else None, [_finite(count) for count in counts])
            for name, total, counts in rows
        ]
    except WRONG_SHAPE as error:
        raise UsageError(f"{file}: expected {BANDS_SHAPE}.") from error


def read_means(file: Path) -> list[CheckedMean]:
    """The overall means of a file of MEANS_SHAPE; ``avg`` of a model is what was published.

    Raises:
        UsageError: the file is not there, or has another shape.
    """
    try:
        return list(_models(_json(file)) if file.suffix == ".json" else _columns(_table(file)))
    except WRONG_SHAPE as error:
        raise UsageError(f"{file}: expected {MEANS_SHAPE}.") from error


def _models(data: Mapping[str, Any]) -> Iterable[CheckedMean]:
    counts = {str(category): int(n) for category, n in data["probes_per_category"].items()}
    for name, model in data["models"].items():
        categories, published = model["categories"], model.get("avg", [])
        for place, condition in enumerate(data["conditions"]):
            means = {category: row[place] for category, row in categories.items() if place < len(row)}
            if means:
                stated = published[place] if place < len(published) else None
                n = sum(counts[category] for category in means)
                yield CheckedMean(name, condition, n, weighted_mean(means, counts), stated)


def _columns(rows: list[dict[str, str]]) -> Iterable[CheckedMean]:
    counts = {row["category"]: int(row["n"]) for row in rows}
    for condition in [name for name in rows[0] if name not in ("category", "n")]:
        means = {row["category"]: _finite(row[condition]) for row in rows if row[condition]}
        n = sum(counts[category] for category in means)
        yield CheckedMean("", condition, n, weighted_mean(means, counts), None)


def _finite(value: Any) -> float:
    number = float(value)
    if not isfinite(number):
        raise ValueError("not a finite number")
    return number


def _json(file: Path) -> dict[str, Any]:
    return dict(json.loads(_text(file)))


def _table(file: Path) -> list[dict[str, str]]:
    rows = list(csv.DictReader(_text(file).splitlines(), restval="", strict=True))
    if not rows or any(None in row for row in rows):
        raise ValueError("no rows, or cells without a column")
    return rows


def _text(file: Path) -> str:
    if not file.is_file():
        raise UsageError(f"{file}: there is no such file.")
    return file.read_text(encoding="utf-8-sig")
