"""The ids that a probe had before."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.reading.build import read_suite
from evalkit.workspace import Workspace


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("formerly: old", ("old",)),
        ("formerly: [old, other/older, a.yaml/b, old]", ("old", "other/older", "a.yaml/b")),
        ("why: nothing was renamed", ()),
    ],
)
def test_former_ids(written: str, read: tuple[str, ...], tmp_path: Path) -> None:
    """One or a list, each once."""
    file = tmp_path / "suites/s/a.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(f"probes: [{{id: p, prompt: Who?, expect: {{contains: I}}, {written}}}]\n", encoding="utf-8")

    (reading,) = read_suite(file.parent, Workspace(tmp_path)).files

    assert reading.problems == ()
    assert reading.probes[0].formerly == read
