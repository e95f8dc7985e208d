"""Files that a probe file names, found beside it."""

from __future__ import annotations

from pathlib import Path

from evalkit.reading.suggestions import nearest, shortened
from evalkit.workspace import Workspace


class UnusableFile(Exception):
    """A named file cannot be used; the message says why and what to do."""


def named_file(name: str, folder: Path, workspace: Workspace) -> Path:
    """The existing file ``name``, relative to ``folder``, links followed.

    Raises:
        UnusableFile: it is missing, outside the workspace, or no name of a file.
    """
    shown = shortened(name)
    path = folder / name
    try:
        resolved = path.resolve()
    except (OSError, ValueError, RuntimeError):
        raise UnusableFile(f"expected the name of a file, found {shown!r}.") from None
    if not resolved.is_relative_to(workspace.root.resolve()):
        raise UnusableFile(f"the file {shown!r} is outside the workspace. Copy it next to this file.")
    if not resolved.exists():
        raise UnusableFile(f"there is no file {shown!r} in {workspace.shown(folder)}. {_near(path)}")
    return resolved


def _near(path: Path) -> str:
    beside = sorted(other.name for other in path.parent.iterdir()) if path.parent.is_dir() else []
    near = nearest(path.name, beside)
    return f"Did you mean {path.parent.name + '/' + near!r}?" if near else "Paths are relative to the probe's file."
