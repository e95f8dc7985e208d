"""evalkit beside a plugin that runs every test in a process of its own, forked off, as pytest-forked does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Bench

FORKING = """\
import json
import os

import pytest
from _pytest.runner import runtestprotocol


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    if item.path.suffix not in FORKED:
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        reports = [
            hook.pytest_report_to_serializable(config=item.config, report=report)
            for report in runtestprotocol(item, log=False)
        ]
        with open(writing, "w") as file:
            json.dump(reports, file)
        os._exit(0)
    os.close(writing)
    with open(reading) as file:
        text = file.read()
    os.waitpid(child, 0)
    for plain in json.loads(text):
        report = hook.pytest_report_from_serializable(config=item.config, data=plain)
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
"""
PROBES = 100
HANG_GUARD_S = 600.0


def test_probes_bring_their_records_back(bench: Bench, workers: list[str]) -> None:
    """A report that comes from another process holds no object of ours, only what can be written down."""
    bench.write("conftest.py", FORKING + "\n\nFORKED = ['.yaml']\n")
    bench.suite("What does the kettle cost?")
    bench.suite("Where is the lamp?", name="suites/small/second.yaml", contains="lighthouse")

    result = bench.run("suites/small", *workers)

    result.assert_outcomes(passed=1, failed=1)
    assert sorted(str(line["outcome"]) for line in bench.results()) == ["fail", "pass"]


def test_a_test_that_asks_takes_nothing_from_the_others(bench: Bench, workers: list[str]) -> None:
    """It has a line of its own to the host: on its parent's come the answers that its parent waits for."""
    bench.write("conftest.py", FORKING + "\n\nFORKED = ['.py']\n")
    bench.write(
        "test_own.py",
        "def test_it(evalkit_generate):\n    assert 'check' in evalkit_generate('What is in the tin?').answer\n",
    )
    bench.record("What is in the tin?", "Please check the tin.")
    bench.suite(*(f"First question number {number}?" for number in range(PROBES)))
    bench.suite(*(f"Question number {number}?" for number in range(PROBES)), name="suites/small/second.yaml")

    result = bench.pytester.runpytest_subprocess(
        "-p", "no:randomly", "suites/small/first.yaml", "test_own.py", "suites/small/second.yaml", *workers,
        timeout=HANG_GUARD_S,
    )  # fmt: skip

    result.assert_outcomes(passed=2 * PROBES + 1)
