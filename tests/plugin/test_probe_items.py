"""What other plugins see of a probe as an item of pytest, and when a run keeps how suites were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.reading.suite_cache import MIN_PROBES, kept
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Bench

MARKING = """\
import pytest

NAMES = (None, "CONTROL", "own", "file", "session", "missing")


def pytest_itemcollected(item):
    item.add_marker("own")
    item.add_marker(pytest.mark.file(1), append=False)


def pytest_collection_modifyitems(session, items):
    items[0].parent.add_marker(pytest.mark.file(2))
    session.add_marker("session")
    for item in items:
        for name in NAMES:
            assert list(item.iter_markers(name)) == list(pytest.Item.iter_markers(item, name)), name
        assert [mark.args for mark in item.iter_markers("file")] == [(1,), (2,)]
        assert item.get_closest_marker("file").args == (1,)
        assert item.get_closest_marker("missing") is None
"""


REPORTING = """
import pytest

REPORTS = []


def pytest_runtest_logreport(report):
    REPORTS.append(report)


def pytest_runtest_call(item):
    if item is item.session.items[1]:
        item.add_marker("late")


def pytest_sessionfinish(session):
    names = [dict.fromkeys(item.keywords, 1) for item in session.items]
    early = {name: 1 for name in names[1] if name != "late"}
    assert [report.keywords for report in REPORTS] == [*3 * names[:1], early, *2 * names[1:]]
    first, second = REPORTS[:3], REPORTS[3:]
    assert len({id(report.keywords) for report in first}) == 1
    assert "late" in names[1]
"""


def test_markers_of_folders_files_and_items_are_found(bench: Bench) -> None:
    """As on any item of pytest, whenever they were put there."""
    bench.write("conftest.py", MARKING)
    bench.suite("What does the kettle cost?")

    bench.run("suites/small").assert_outcomes(passed=1)


def test_each_report_has_the_keywords_of_its_moment(bench: Bench) -> None:
    """As from pytest, but equal ones are held once: it keeps three reports an item until the run's end."""
    bench.write("conftest.py", REPORTING)
    bench.suite("What does the kettle cost?", "And the lamp?")

    bench.run("suites/small").assert_outcomes(passed=2)


def test_readings_are_kept_whether_probes_run_or_not(bench: Bench, workers: list[str]) -> None:
    """With workers, without, and where pytest only collects."""
    workspace = Workspace(bench.root)
    bench.suite(*(f"Question number {number}?" for number in range(MIN_PROBES)))

    bench.run("suites/small", "--collect-only", *workers)
    assert kept(workspace)[0] == 1
    for entry in (workspace.state / "cache" / "suites").iterdir():
        entry.unlink()
    bench.run("suites/small", *workers).assert_outcomes(passed=MIN_PROBES)
    assert kept(workspace)[0] == 1
