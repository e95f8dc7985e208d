"""The text of the file that ``prompt_file`` names."""

from __future__ import annotations

from pathlib import Path

from evalkit.errors import UnreadableFile
from evalkit.reading.suggestions import nearest, shortened
from evalkit.reading.yaml_nodes import decoded, read_bytes
from evalkit.workspace import Workspace


class UnusablePrompt(Exception):
    """The prompt cannot be taken from the named file; the message says why and what to do."""


def read_prompt(name: str, folder: Path, workspace: Workspace) -> str:
    """The text of the file ``name``, relative to ``folder``, without the line break at its end.

    Raises:
        UnusablePrompt: it is missing, outside the workspace (links followed), not UTF-8, or empty.
    """
    shown = shortened(name)
    path = folder / name
    try:
        resolved = path.resolve()
    except (OSError, ValueError, RuntimeError):
        raise UnusablePrompt(f"expected the name of a file, found {shown!r}.") from None
    if not resolved.is_relative_to(workspace.root.resolve()):
        raise UnusablePrompt(f"the file {shown!r} is outside the workspace. Copy it next to this file.")
    if not resolved.exists():
        raise UnusablePrompt(f"there is no file {shown!r} in {workspace.shown(folder)}. {_near(path)}")
    try:
        text = decoded(read_bytes(resolved, shown), shown)
    except UnreadableFile as error:
        raise UnusablePrompt(f"the file {shown!r} cannot be used: {error.problems[0].message}") from None
    if not text.strip():
        raise UnusablePrompt(f"the file {shown!r} is empty. Write the prompt into it.")
    return text.removesuffix("\n").removesuffix("\r")


def _near(path: Path) -> str:
    beside = sorted(other.name for other in path.parent.iterdir()) if path.parent.is_dir() else []
    near = nearest(path.name, beside)
    return f"Did you mean {path.parent.name + '/' + near!r}?" if near else "Paths are relative to the probe's file."
