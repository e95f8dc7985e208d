"""A suite's files as probes, the broken ones as Problems beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.reading.readings import FileReading, SuiteReading, SuiteSettings
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.reading.suite_cache import SuiteCache

__all__ = ["FileReading", "SuiteReading", "SuiteSettings", "read_suite"]


def read_suite(
    suite: Path,
    workspace: Workspace,
    judge_names: frozenset[str] | None = None,
    cache: SuiteCache | None = None,
) -> SuiteReading:
    """Everything under the folder ``suite`` (or in the one file), never raising for what a file holds.

    ``judge_names`` are the judges that exist; None does not check them. What is wrong with suite.yaml is among the
    problems of the first file, so that it is reported once; where its defaults are wrong no probe of the suite is read.
    With a ``cache``, a large suite that has not changed is not parsed again.
    """
    from evalkit.reading.suites import read_all_files  # imported here: pydantic loads with the first probe file

    return read_all_files(suite, workspace, judge_names, cache)
