"""Writes benchmarks/RESULTS.md out of what the command has measured so far."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from process_tree import Cost
from tabulate import tabulate

FILE = Path(__file__).with_name("RESULTS.md")


@dataclass(frozen=True, slots=True)
class Bar:
    """``figure`` over ``against`` (of another contestant, or of nothing: 1) must be at most ``limit``.

    ``divided`` brings figures that count different numbers of things to one thing.
    """

    says: str
    contestant: str
    against: str | None
    limit: float
    figure: str = "wall_s"
    divided: tuple[float, float] = (1.0, 1.0)
    unit: str = "×"


@dataclass(slots=True)
class StepResult:
    """What came of one step: single runs by contestant, sentences, the printed output of a script."""

    title: str
    runs: dict[str, list[Cost]] = field(default_factory=dict)
    bars: Sequence[Bar] = ()
    notes: list[str] = field(default_factory=list)
    output: str = ""


def median(runs: Sequence[Cost], figure: str) -> float:
    """The median of one figure over those runs that came to an end."""
    return statistics.median(float(getattr(run, figure)) for run in runs)


def judged(bar: Bar, runs: dict[str, list[Cost]]) -> list[str] | None:
    """The row of a bar; None while one of its sides was not measured."""
    sides = [bar.contestant] if bar.against is None else [bar.contestant, bar.against]
    if any(not runs.get(name) for name in sides):
        return None
    found = median(runs[bar.contestant], bar.figure) / bar.divided[0]
    if bar.against is not None:
        found /= median(runs[bar.against], bar.figure) / bar.divided[1]
    return [bar.says, f"{found:.2f} {bar.unit}", f"{bar.limit:g} {bar.unit}", "yes" if found <= bar.limit else "NO"]


def written(head: Sequence[str], results: Sequence[StepResult], file: Path = FILE) -> None:
    """The whole file, over the earlier one."""
    parts = [
        "# Benchmarks",
        "Written by `make bench` alone (docs/performance.md says how each is measured). Do not edit.",
        "\n".join(f"- {line}" for line in head),
    ]
    for result in results:
        parts += [f"## {result.title}", *_tables(result), *(f"- {note}" for note in result.notes)]
        if result.output:
            parts.append(f"```\n{result.output.strip()}\n```")
    file.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _tables(result: StepResult) -> list[str]:
    if not result.runs:
        return []
    medians = [
        [name, len(runs), *(f"{median(runs, figure):.2f}" for figure in ("wall_s", "cpu_s")),
         *(f"{median(runs, figure):.0f}" for figure in ("pss_mib", "worker_mib"))]
        for name, runs in result.runs.items() if runs
    ]  # fmt: skip
    single = [
        [name, number, f"{run.wall_s:.2f}", f"{run.cpu_s:.2f}", f"{run.pss_mib:.0f}", f"{run.load:.1f}"]
        for name, runs in result.runs.items()
        for number, run in enumerate(runs, 1)
    ]
    bars = [row for bar in result.bars if (row := judged(bar, result.runs)) is not None]
    headers = ["medians", "runs", "wall s", "CPU s", "PSS MiB", "a worker MiB"]
    tables = [tabulate(medians, headers=headers, tablefmt="github", disable_numparse=True)]
    if bars:
        tables.append(tabulate(bars, headers=["bar", "found", "at most", "held"], tablefmt="github"))
    alone = ["every run", "round", "wall s", "CPU s", "PSS MiB", "load before"]
    return [*tables, tabulate(single, headers=alone, tablefmt="github", disable_numparse=True)]
