"""Where CI looks: the first line, annotations, the job's summary, the JUnit file."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

GATED = "title: Small\ngates:\n  - {name: mostly, metric: pass_rate, at_least: %s}\n"


def gated(bench: Bench, at_least: float) -> None:
    """Two probes, one failing, under a gate on the pass rate."""
    bench.write("suites/small/suite.yaml", GATED % at_least)
    bench.suite("What does the kettle cost?")
    bench.suite("Where is the lamp?", name="suites/small/second.yaml", contains="lighthouse")


def first_line(result: pytest.RunResult) -> str:
    lines = result.stdout.lines
    start = next(number for number, line in enumerate(lines) if " evalkit " in line and line.startswith("="))
    return str(lines[start + 1])


@pytest.mark.parametrize(("at_least", "word"), [(0.5, "PASSED"), (0.9, "FAILED")])
def test_the_verdict_comes_first(bench: Bench, workers: list[str], at_least: float, word: str) -> None:
    """In the terminal's summary, and in summary.md after the title."""
    gated(bench, at_least)

    result = bench.run("suites/small", *workers)

    assert first_line(result).startswith(f"{word}: small: gates ")
    (folder,) = (bench.root / "reports/out").iterdir()
    assert f"\n\n**{word}: small: gates " in (folder / "summary.md").read_text(encoding="utf-8")


def test_without_gates_the_verdict_counts(bench: Bench) -> None:
    """A suite that decides by its probes alone."""
    bench.suite("What does the kettle cost?")

    assert first_line(bench.run("suites/small")) == "PASSED: 0 failing probes, 0 errors, 1 trial"


def test_a_github_job_gets_annotations_and_a_summary(
    bench: Bench, workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where GitHub's variables say so: the gate and the probe at their lines."""
    page = bench.root / "page.md"
    for name, value in (
        ("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", str(page)), ("GITHUB_WORKSPACE", str(bench.root.parent)),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    gated(bench, 0.9)

    result = bench.run("suites/small", *workers)

    folder = bench.root.name
    commands = [line for line in result.stdout.lines if line.startswith("::")]
    assert [line.split("::")[1].split(",title")[0] for line in commands] == [
        f"error file={folder}/suites/small/suite.yaml,line=3",
        f"error file={folder}/suites/small/second.yaml,line=2",
    ]
    assert "**FAILED: small: gates breached: mostly**" in page.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's status stays what it is."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(bench.root / "nowhere" / "page.md"))
    bench.suite("What does the kettle cost?")

    result = bench.run("suites/small")

    result.stdout.fnmatch_lines(["*The summary cannot be added to GITHUB_STEP_SUMMARY: *"])
    assert result.ret == 0


def test_junit_tells_the_verdict_and_every_gate(bench: Bench, workers: list[str]) -> None:
    """As properties of the test suite, beside each test's own."""
    gated(bench, 0.9)

    bench.run("suites/small", "--junitxml", "junit.xml", *workers)

    root = ElementTree.parse(bench.root / "junit.xml").getroot()
    suite = root.find("testsuite")
    assert suite is not None
    told = {item.get("name"): item.get("value") for item in suite.findall("./properties/property")}
    assert told["evalkit_verdict"] == "FAILED: small: gates breached: mostly"
    assert str(told["evalkit_gate:mostly"]).startswith("fail: pass rate of one:fp32:naked:greedy is 50.0 %")
    verdicts = {item.get("value") for item in suite.findall(".//testcase//property[@name='evalkit_verdict']")}
    assert verdicts == {"pass", "fail"}
