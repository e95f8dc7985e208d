"""Where judges are defined, and what can be told of them before their files are read."""

from __future__ import annotations

import re
from pathlib import Path

from evalkit import workspace as workspaces
from evalkit.errors import JudgeError
from evalkit.probe import JudgeUse
from evalkit.reading.policies.kinds import ASKS_THROUGH
from evalkit.reading.suggestions import did_you_mean
from evalkit.workspace import Workspace

CODE_ONLY = ("text",)
"""Judges without a policy file."""
_SUFFIXES = (".yaml", ".py")
_KIND_LINE = re.compile(r"kind: ?['\"]?(\w+)['\"]?\s*(?:#.*)?$")


def judge_names(workspace: Workspace) -> frozenset[str]:
    """Every judge a probe of this workspace can name."""
    found = (
        path.stem
        for root in (workspace.root, workspaces.builtin_root())
        for suffix in _SUFFIXES
        for path in (root / "judges").glob(f"*{suffix}")
        if not path.name.startswith(("_", "."))
    )
    return frozenset((*CODE_ONLY, *found))


def asks_nobody(use: JudgeUse, workspace: Workspace) -> bool:
    """Whether its kind alone says that it asks no model, which spares reading its policy before it judges."""
    path = file_of(use.use, workspace)
    if path is None or path.suffix == ".py":
        return path is None
    with path.open(encoding="utf-8", errors="replace") as file:
        kind = next((found.group(1) for line in file if (found := _KIND_LINE.match(line))), None)
    through = None if kind is None else ASKS_THROUGH.get(kind)
    return through is not None and all(asks_nobody(JudgeUse(name), workspace) for name in through)


def is_builtin(name: str, workspace: Workspace) -> bool:
    """Whether a judge is evalkit's own, with nothing of the user's.

    Raises:
        JudgeError: there is no such judge.
    """
    path = file_of(name, workspace)
    return path is None or path.is_relative_to(workspaces.builtin_root() / "judges")


def file_of(name: str, workspace: Workspace) -> Path | None:
    """The file that defines a judge; None for one that is only code.

    Raises:
        JudgeError: there is no such judge.
    """
    known = judge_names(workspace)
    if name not in known:
        raise JudgeError(f"There is no judge {name!r}. {did_you_mean(name, sorted(known))}")
    for root in (workspace.root, workspaces.builtin_root()):
        for suffix in _SUFFIXES:
            path = root / "judges" / f"{name}{suffix}"
            if path.is_file():
                return path
    return None
