"""The suites of a workspace as rows of a list: all of them, or the categories of some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalkit.cli.places import suites_of
from evalkit.errors import UsageError
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.reading.build import SuiteReading

Row = dict[str, object]


def suite_rows(workspace: Workspace) -> list[Row]:
    """One row a suite: what is in it, and how it can be run."""
    return [_row(reading) for reading in _readings(workspace)]


def suite_details(names: Sequence[str], workspace: Workspace) -> list[Row]:
    """One row a category of the named suites.

    Raises:
        UsageError: there is no such suite.
    """
    from evalkit.authoring.figures import category_figures, counted
    from evalkit.reading.suggestions import did_you_mean

    readings = {reading.name: reading for reading in _readings(workspace)}
    for name in names:
        if name not in readings:
            raise UsageError(f"There is no suite {name!r}. {did_you_mean(name, readings)}")
    rows: list[Row] = []
    for name in dict.fromkeys(names):
        for figures in category_figures(readings[name].probes):
            own = [probe for probe in readings[name].probes if probe.category == figures["category"]]
            rows.append({
                "suite": name, "category": figures["category"], "probes": figures["probes"],
                "languages": figures["languages"], "subcategories": figures["subcategories"],
                "judges": list(counted(use.use for probe in own for use in probe.judges)),
                "tags": counted(tag for probe in own for tag in probe.tags),
            })  # fmt: skip
    return rows


def _row(reading: SuiteReading) -> Row:
    from evalkit.authoring.figures import NO_LANGUAGE, counted

    probes, settings = reading.probes, reading.settings
    return {
        "suite": reading.name,
        "probes": len(probes),
        "problems": sum(len(file.problems) for file in reading.files),
        "categories": counted(probe.category for probe in probes),
        "languages": counted(probe.language or NO_LANGUAGE for probe in probes),
        "conditions": [condition.partition("=")[0] for condition in settings.conditions],
        "plans": [plan.name for plan in settings.plans],
        "title": settings.title,
    }


def _readings(workspace: Workspace) -> list[SuiteReading]:
    from evalkit.reading.build import read_suite
    from evalkit.reading.judge_files import judge_names

    names = judge_names(workspace)
    return [read_suite(suite, workspace, names) for suite in suites_of(workspace)]
