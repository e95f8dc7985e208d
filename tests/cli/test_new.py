"""``evalkit new``: a suite that reads well and overwrites nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.reading.build import read_suite
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

    Write = Callable[[str, str], Path]


def test_it_makes_a_suite(evalkit: Command, workspace: Path) -> None:
    """Two files, the next step last; both read well."""
    done = evalkit("new", "prices")

    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "wrote suites/prices/suite.yaml\nwrote suites/prices/first_steps.yaml\n"
        "The suite passes as it is. Now run: pytest suites/prices\n"
        "Then write your own probes into suites/prices/first_steps.yaml, and read them through with: "
        "evalkit check suites/prices\n"
    )
    assert evalkit("check", "--strict", "suites/prices").out == "1 suite, 1 probe, 0 problems\n"


def test_its_judged_example_reads_as_it_stands(evalkit: Command, workspace: Path) -> None:
    """Once its comment marks are gone; an answer that states a limit is the one it asks for."""
    evalkit("new", "prices")
    file = workspace / "suites/prices/first_steps.yaml"
    head, example = file.read_text().split("#\n")
    file.write_text(head + "\n".join(line.removeprefix("# ") for line in example.splitlines()) + "\n")

    reading = read_suite(workspace / "suites/prices", Workspace(workspace))

    assert [problem for file in reading.files for problem in file.problems] == []
    assert [(probe.id, probe.expect.recommendation) for probe in reading.probes] == [
        ("first-first-steps", None), ("no-price-known", "LIMIT"),
    ]  # fmt: skip


def test_its_categories(evalkit: Command, workspace: Path) -> None:
    """A file each, with ids of its own; a title for reports."""
    done = evalkit(
        "new", "bank", "--category", "Opening hours", "--category", "FEES", "--title", "A bank: fees", "--json"
    )

    assert json.loads(done.out) == {
        "suite": "suites/bank", "next": "pytest suites/bank",
        "written": ["suites/bank/suite.yaml", "suites/bank/opening_hours.yaml", "suites/bank/fees.yaml"],
    }  # fmt: skip
    reading = read_suite(workspace / "suites/bank", Workspace(workspace))
    assert reading.settings.title == "A bank: fees"
    assert [(probe.category, probe.id) for probe in reading.probes] == [
        ("FEES", "first-fees"), ("Opening hours", "first-opening-hours"),
    ]  # fmt: skip


def test_what_is_taken_over(evalkit: Command, workspace: Path, write: Write) -> None:
    """Conditions with their files, defaults and max_unscored; not the gates, which name categories."""
    write(
        "suites/small/suite.yaml",
        "title: Small\nmax_unscored: 0.5\nconditions: [naked, calm=_data/calm.txt]\n"
        "defaults: {license: Apache-2.0}\ngates: [{name: g, metric: pass_rate, at_least: 0.1}]\n",
    )
    write("suites/small/_data/calm.txt", "Be calm.")

    done = evalkit("new", "next", "--from", "small")

    assert "wrote suites/next/_data/calm.txt\n" in done.out
    reading = read_suite(workspace / "suites/next", Workspace(workspace))
    assert [problem for file in reading.files for problem in file.problems] == []
    assert (reading.settings.title, reading.settings.max_unscored, reading.settings.gates) == ("next", 0.5, ())
    assert reading.settings.conditions == ("naked", f"calm={workspace}/suites/next/_data/calm.txt")
    assert reading.probes[0].license == "Apache-2.0"


@pytest.mark.parametrize("taken", ["suites/prices/note.txt", "suites/prices.yaml", "suites/prices.yml"])
def test_nothing_is_overwritten(evalkit: Command, workspace: Path, write: Write, taken: str) -> None:
    """Neither a folder nor a file of that name."""
    write(taken, "mine")

    done = evalkit("new", "prices")

    shown = "suites/prices" if taken.endswith("txt") else taken
    assert (done.status, done.out) == (2, "")
    assert done.err == f"{shown}: is there already, and nothing is overwritten. Choose another name.\n"
    assert (workspace / taken).read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["../up"], "'../up' is no name for a suite. Use letters, digits, '_', '-' and '.', and no suffix.\n"),
        (["_data"], "'_data' is no name for a suite. Use letters, digits, '_', '-' and '.', and no suffix.\n"),
        (["x.yaml"], "'x.yaml' is no name for a suite. Use letters, digits, '_', '-' and '.', and no suffix.\n"),
        (["x", "--from", "smal"], "--from smal: there is no suites/smal/suite.yaml. Did you mean 'small'?\n"),
        (["x", "--category", "skip"],
         "--category skip: the category 'skip' is reserved: it has a meaning of its own for pytest. "
         "Choose another name.\n"),
        (["x", "--category", "a b", "--category", "A-b"],
         "Two categories would give one file its name. Choose names that differ in letters or digits.\n"),
        (["x", "--category", "suite"],
         "--category suite: suite.yaml is the suite's own file. Choose another name.\n"),
    ],
)  # fmt: skip
def test_names_that_cannot_be(evalkit: Command, workspace: Path, write: Write, words: list[str], sentence: str) -> None:
    """Exit 2, and nothing is made."""
    write("suites/small/suite.yaml", "title: Small\n")

    done = evalkit("new", *words)

    assert (done.status, done.out, done.err) == (2, "", sentence)
    assert sorted(path.name for path in (workspace / "suites").iterdir()) == ["small"]
