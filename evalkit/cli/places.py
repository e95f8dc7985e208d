"""Which workspace a verb is about, and the suites in it."""

from __future__ import annotations

import os
from pathlib import Path

from evalkit.errors import UsageError
from evalkit.workspace import Workspace

SUITE_FILE = "suite.yaml"


def workspace_at(folder: Path) -> Workspace:
    """The workspace whose root is ``folder``.

    Raises:
        UsageError: there is no folder suites/ in it.
    """
    workspace = Workspace(absolute(folder))
    if not workspace.suites.is_dir():
        raise UsageError(f"{workspace.root}: there is no folder suites/ here. Make a workspace with: evalkit init")
    return workspace


def suites_of(workspace: Workspace) -> list[Path]:
    """Every suite in sorted order: a folder with probe files or a suite.yaml, or a probe file directly in suites/."""
    return [entry for entry in sorted(workspace.suites.iterdir()) if is_suite(entry, workspace)]


def is_suite(entry: Path, workspace: Workspace) -> bool:
    if not entry.is_dir():
        return workspace.is_probe_file(entry)
    if entry.name.startswith(("_", ".")):
        return False
    return (entry / SUITE_FILE).is_file() or bool(workspace.probe_files(entry))


def absolute(path: Path) -> Path:
    """``path`` from the root of the file system, without ``..``; links are not followed."""
    return Path(os.path.abspath(path))
