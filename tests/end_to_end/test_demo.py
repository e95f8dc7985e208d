"""The main job: the whole suite on the demo model by four workers, and once more from the store."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Desk

pytestmark = pytest.mark.slow

STAMP = "DEMO MODEL: its numbers mean nothing"
LABELS = [
    "demo:nf4:naked:greedy",
    "demo+steady:nf4:naked:greedy",
    "demo+eager:nf4:naked:greedy",
    "demo+looping:nf4:naked:greedy",
]
CATEGORIES = [
    "ADVERSARIAL", "CONTROL", "EPISTEMIC_HUMILITY", "ERROR_CORRECTION", "HARMFUL_REFUSAL", "IDENTITY_INTEGRITY",
    "IRREDUCIBLE_UNCERTAINTY", "SAFE_PASSAGE",
]  # fmt: skip


def summary_of(output: str) -> list[str]:
    """What evalkit printed at the end: from its first stamp to its last."""
    lines = output.splitlines()
    places = [number for number, line in enumerate(lines) if line == STAMP]
    assert len(places) == 2, output
    return lines[places[0] : places[1] + 1]


def tables_of(summary: list[str]) -> list[str]:
    """The summary down to the failing probes: nothing in it depends on time or store but the overview's costs."""
    end = next(number for number, line in enumerate(summary) if line.startswith("targets, all"))
    return summary[:end]


def test_the_suite_runs_on_the_demo_model_and_again_from_the_store(desk: Desk) -> None:
    """Four targets by eight categories, all exports, nothing left behind; the second run generates nothing."""
    desk.copy_suite("instrument_trap")

    status, output = desk.run("suites/instrument_trap", "--eval-plan", "smoke", "-n", "4")

    assert status == 0, output
    first = summary_of(output)
    assert max(map(len, first)) <= 80
    check_tables(first)
    check_gates(first)
    check_exports(desk)
    results, before = desk.results(), desk.identities()
    assert desk.loads() == 1
    assert (desk.processes(), desk.socket_folders()) == ({}, [])

    status, output = desk.run("suites/instrument_trap", "--eval-plan", "smoke", "-n", "4")

    assert status == 0, output
    again = summary_of(output)
    assert desk.identities() == before
    assert desk.loads() == 0
    assert desk.results() == results
    assert all(line["run"]["stored"] for line in desk.results(with_run=True))
    assert tables_of(again) == tables_of(first)
    assert re.search(r"^tokens .* 0 in this run", "\n".join(again), re.MULTILINE), again
    assert (desk.processes(), desk.socket_folders()) == ({}, [])


def check_tables(summary: list[str]) -> None:
    """Every target's title is followed by a table with a row for each category."""
    titles = [line for line in summary if line.endswith((" (subject)", " (reference)"))]
    assert [title.rpartition(" (")[0] for title in titles] == LABELS
    for title in titles:
        start = summary.index(title)
        block = summary[start : summary.index("", start)]
        named = [line.split()[0] for line in block[3:] if line.split()[0] in CATEGORIES]
        assert sorted(named) == CATEGORIES


def check_gates(summary: list[str]) -> None:
    """The three gates of the demo hold."""
    start = summary.index("gates")
    block = summary[start : summary.index("", start)]
    marks = [line.split()[0] for line in block if re.match(r"(ok|BREACHED|not decided|n\.a\.) ", line)]
    assert marks == ["ok", "ok", "ok"], block


def check_exports(desk: Desk) -> None:
    """384 lines of JSON, 384 rows of CSV, and a summary that is stamped."""
    folder = desk.report_folders()[-1]
    assert sorted(file.name for file in folder.iterdir()) == [
        "report.html",
        "results.jsonl",
        "review.csv",
        "summary.md",
    ]
    results = desk.results()
    assert len(results) == 4 * 8 * 12
    assert all(line["demo"] for line in results)
    assert {line["outcome"] for line in results} <= {"pass", "fail", "unscored"}
    text = (folder / "review.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 384
    assert {row["trial"] for row in rows} == {line["trial"] for line in results}
    assert all(row["stamp"] == STAMP for row in rows)
    markdown = (folder / "summary.md").read_text(encoding="utf-8").splitlines()
    assert (markdown[0], markdown[-1]) == (f"**{STAMP}**", f"**{STAMP}**")
