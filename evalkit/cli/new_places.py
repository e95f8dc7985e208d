"""Where a new suite goes, if nothing is there yet."""

from __future__ import annotations

import re
from pathlib import Path

from evalkit.errors import UsageError
from evalkit.workspace import PROBE_SUFFIXES, Workspace

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def new_suite(name: str, workspace: Workspace) -> Path:
    """The folder of a suite that is to be made.

    Raises:
        UsageError: the name is none for a folder, or a suite has it.
    """
    if _NAME.fullmatch(name) is None or name.endswith(PROBE_SUFFIXES):
        raise UsageError(f"{name!r} is no name for a suite. Use letters, digits, '_', '-' and '.', and no suffix.")
    folder = workspace.suites / name
    places = (folder, *(folder.with_name(name + suffix) for suffix in PROBE_SUFFIXES))
    taken = next((path for path in places if path.exists()), None)
    if taken is not None:
        raise UsageError(
            f"{workspace.shown(taken)}: is there already, and nothing is overwritten. Choose another name."
        )
    return folder
