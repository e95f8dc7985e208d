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


def test_markers_of_folders_files_and_items_are_found(bench: Bench) -> None:
    """As on any item of pytest, whenever they were put there."""
    bench.write("conftest.py", MARKING)
    bench.suite("What does the kettle cost?")

    bench.run("suites/small").assert_outcomes(passed=1)


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
