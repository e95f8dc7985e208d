"""Where CI looks for a run's verdict: a GitHub job's annotations and summary, the properties of a JUnit file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evalkit.gates import GateResult
from evalkit.record import TrialRecord
from evalkit.reporting.github import add_to_step_summary, annotation_lines, is_github
from evalkit.reporting.safe_text import for_terminal
from evalkit.workspace import Workspace


def github_lines(
    workspace: Workspace, records: Sequence[TrialRecord], results: Sequence[GateResult], status: int
) -> list[str]:
    """Workflow commands to print; none outside GitHub."""
    if not is_github(os.environ):
        return []
    return annotation_lines(records, results, is_red=status != 0, prefix=_prefix(workspace))


def show_step_summary(file: Path) -> str | None:
    """Adds the run's summary to the job's page, if there is one; the sentence that says why it could not be."""
    page = os.environ.get("GITHUB_STEP_SUMMARY")
    if not page:
        return None
    try:
        add_to_step_summary(Path(page), file.read_text(encoding="utf-8"))
    except OSError as error:
        return f"The summary cannot be added to GITHUB_STEP_SUMMARY: {error}."
    return None


def add_junit_properties(config: pytest.Config, run: str, verdict: str, results: Sequence[GateResult]) -> None:
    """The run, its verdict and each gate as properties of the JUnit file's test suite, where one is written."""
    for plugin in config.pluginmanager.get_plugins():
        add: Any = getattr(plugin, "add_global_property", None)
        if callable(add):
            add("evalkit_run", run)
            add("evalkit_verdict", for_terminal(verdict))
            for result in results:
                add(
                    f"evalkit_gate:{for_terminal(result.gate.name)}",
                    for_terminal(f"{result.outcome}: {result.sentence}"),
                )


def _prefix(workspace: Workspace) -> str:
    """From the checkout's root to the workspace."""
    root = os.environ.get("GITHUB_WORKSPACE")
    if not root or not workspace.root.resolve().is_relative_to(Path(root).resolve()):
        return ""
    inside = workspace.root.resolve().relative_to(Path(root).resolve()).as_posix()
    return "" if inside == "." else f"{inside}/"
