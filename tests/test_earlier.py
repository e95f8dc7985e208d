"""The baseline that a run's page compares answers with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.earlier import baseline_at_end
from evalkit.measured import Measured
from evalkit.record import TrialOutcome, TrialRecord
from evalkit.store.baselines import Baseline, write_baseline
from evalkit.workspace import Workspace

LABEL = "one:fp32:naked:greedy"


def record(probe: str, outcome: TrialOutcome = "pass", formerly: tuple[str, ...] = ()) -> TrialRecord:
    return TrialRecord(
        trial=f"suites/s/a.yaml::{probe}[{LABEL}]", suite="s", file="suites/s/a.yaml", line=3, probe=probe,
        category="C", target=LABEL, outcome=outcome, reason="because", formerly=formerly, probe_hash="h",
    )  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "suites").mkdir()
    return Workspace(tmp_path)


@pytest.fixture
def kept(workspace: Workspace) -> Callable[..., None]:
    """``kept(name, records)``: a baseline of these."""

    def write(name: str, *records: TrialRecord) -> None:
        trials = tuple(map(Measured.of, records))
        write_baseline(workspace, name, Baseline("r0", "2025-11-21T01:00:00+00:00", ("pytest",), {}, trials))

    return write


def test_only_what_is_about_the_run_s_probes_is_taken(workspace: Workspace, kept: Callable[..., None]) -> None:
    """Trying one probe of thousands again reads the answers of one, also under the name that it had."""
    kept("main", record("a", "fail"), record("old-b"), record("c"))

    found, why = baseline_at_end(
        workspace, None, "main", workspace.root, [record("a"), record("b", formerly=("old-b",))]
    )

    assert (why, found.run_id if found else "") == ("", "baseline main")
    assert [(one.probe, one.outcome) for one in found.summary.records] == [("a", "fail"), ("old-b", "pass")]  # type: ignore[union-attr]
    assert baseline_at_end(workspace, None, "main", workspace.root, [record("z")]) == (None, "")


def test_a_baseline_is_named_or_a_file_or_not_there(workspace: Workspace, kept: Callable[..., None]) -> None:
    """Nobody misses the usual one where none was ever written; one that the command line names is missed."""
    kept("v1", record("a"))
    there = workspace.root / "reports" / "baselines"

    assert baseline_at_end(workspace, None, "main", workspace.root, [record("a")]) == (None, "")
    assert baseline_at_end(workspace, "v1", "main", workspace.root, [record("a")])[0] is not None
    assert baseline_at_end(workspace, "v1.json", "main", there, [record("a")])[0] is not None
    assert baseline_at_end(workspace, "v2", "main", workspace.root, [record("a")]) == (
        None,
        "report.html shows no answers of the baseline: There is no baseline 'v2' (reports/baselines/v2.json). "
        "There are: v1. Write it with: evalkit baseline latest v2",
    )


def test_a_broken_baseline_is_a_sentence(workspace: Workspace, kept: Callable[..., None]) -> None:
    """The run ends as it would have without it."""
    kept("main", record("a"))
    file = workspace.root / "reports/baselines/main.json"
    file.write_text("{", encoding="utf-8")

    found, why = baseline_at_end(workspace, None, "main", workspace.root, [record("a")])

    assert found is None
    assert why.startswith("report.html shows no answers of the baseline: reports/baselines/main.json:1: is no JSON (")
    assert why.endswith("Restore it from version control. Write it again with: evalkit baseline RUN main")
