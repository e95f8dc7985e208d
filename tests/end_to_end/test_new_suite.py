"""A suite that ``evalkit new`` made passes on the demo model."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Desk


@pytest.mark.slow
def test_a_new_suite_is_green(desk: Desk) -> None:
    """At once, for the subject of the demo; its reference targets may do as they like."""
    desk.write("suites/notes.txt", "")
    subprocess.run([sys.executable, "-m", "evalkit", "new", "prices"], cwd=desk.root, check=True)

    status, output = desk.run("suites/prices")

    assert status == 0, output
    assert {(line["target"], line["outcome"]) for line in desk.results()} >= {("demo+steady:nf4:naked:greedy", "pass")}
