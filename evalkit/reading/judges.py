"""Judges by name: the workspace's own, then the built-in ones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evalkit import workspace as workspaces
from evalkit.errors import JudgeError, Problem, UnreadableFile
from evalkit.judging.base import Judge
from evalkit.judging.text import TextJudge
from evalkit.probe import JudgeUse
from evalkit.reading.custom_judges import load_custom_judge
from evalkit.reading.judge_policies import KINDS, PolicyFile
from evalkit.reading.suggestions import did_you_mean
from evalkit.reading.validate import validate
from evalkit.reading.yaml_nodes import Document, read_yaml
from evalkit.workspace import Workspace

_CODE_ONLY: dict[str, type[TextJudge]] = {"text": TextJudge}
_SUFFIXES = (".yaml", ".py")
_OF_THE_FILE = ("kind", "version")


def judge_names(workspace: Workspace) -> frozenset[str]:
    """Every judge a probe of this workspace can name."""
    found = (
        path.stem
        for root in (workspace.root, workspaces.builtin_root())
        for suffix in _SUFFIXES
        for path in (root / "judges").glob(f"*{suffix}")
        if not path.name.startswith(("_", "."))
    )
    return frozenset((*_CODE_ONLY, *found))


def build_judge(use: JudgeUse, workspace: Workspace) -> Judge:
    """The judge a probe names, with the probe's own settings; a judge in Python gets its ``model`` as ``target``.

    Raises:
        UnreadableFile: its policy file is wrong.
        JudgeError: there is no such judge, its Python file is broken, or a setting is unknown or of the wrong type.
    """
    path = _file_of(use.use, workspace)
    settings = dict(use.settings)
    if path is None:
        if settings:
            raise JudgeError(f"Judge {use.use!r} takes no settings; found {', '.join(settings)}.")
        return _CODE_ONLY[use.use]()
    if path.suffix == ".py":
        if use.target is not None:
            del settings["model"]
            settings["target"] = use.target
        return load_custom_judge(path, use.use, workspace.shown(path), settings)
    judge = _policy(path, workspace.shown(path), use.use, settings).judge()
    judge.name = use.use
    return judge


def judge_hash(use: JudgeUse, workspace: Workspace) -> str:
    """Sixteen hex digits that change when the judge may judge differently: code version, policy, own settings.

    Raises:
        UnreadableFile: its policy file is wrong.
        JudgeError: there is no such judge.
    """
    path = _file_of(use.use, workspace)
    if path is None:
        code, policy = _CODE_ONLY[use.use].version, b""
    else:
        policy = path.read_bytes()
        shown = workspace.shown(path)
        code = _kind(read_yaml(path, shown), shown).code_version if path.suffix == ".yaml" else "custom"
    target = "" if use.target is None else use.target.label
    own = json.dumps(dict(use.settings), sort_keys=True, default=repr)
    digest = hashlib.sha256()
    for part in (use.use.encode(), code.encode(), policy, own.encode(), target.encode()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def _file_of(name: str, workspace: Workspace) -> Path | None:
    """The file that defines a judge; None for one that is only code."""
    known = judge_names(workspace)
    if name not in known:
        raise JudgeError(f"There is no judge {name!r}. {did_you_mean(name, sorted(known))}")
    for root in (workspace.root, workspaces.builtin_root()):
        for suffix in _SUFFIXES:
            path = root / "judges" / f"{name}{suffix}"
            if path.is_file():
                return path
    return None


def _policy(path: Path, shown: str, name: str, settings: dict[str, Any]) -> PolicyFile:
    document = read_yaml(path, shown)
    kind = _kind(document, shown)
    policy = validate(kind, document, shown)
    if not settings:
        return policy
    known = [field for field in kind.model_fields if field not in _OF_THE_FILE]
    for setting in settings:
        if setting not in known:
            raise JudgeError(f"Judge {name!r} has no setting {setting!r}. {did_you_mean(setting, known)}")
    try:
        return kind.model_validate({**document.data, **settings})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise JudgeError(f"Judge {name!r}: setting {where}: {message}; found {first['input']!r}.") from None


def _kind(document: Document, shown: str) -> type[PolicyFile]:
    """The schema that the document's ``kind`` names."""
    if not isinstance(document.data, dict):
        raise UnreadableFile([Problem(shown, "expected a mapping with a key 'kind'.")])
    found = document.data.get("kind")
    if found is None:
        message = f"the key 'kind' is missing. Add it: one of {', '.join(sorted(KINDS))}."
        raise UnreadableFile([document.problem((), message)])
    if found not in KINDS:
        message = (
            f"expected one of {', '.join(sorted(KINDS))}; found {found!r}. {did_you_mean(str(found), sorted(KINDS))}"
        )
        raise UnreadableFile([document.problem(("kind",), message)])
    return KINDS[found]
