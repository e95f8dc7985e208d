"""Judges by name: the workspace's own, then the built-in ones."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from evalkit.errors import JudgeError, Problem, UnreadableFile
from evalkit.judging.base import Judge
from evalkit.probe import JudgeUse
from evalkit.reading.custom_judges import load_custom_judge
from evalkit.reading.frozen_values import thawed
from evalkit.reading.judge_files import file_of
from evalkit.reading.policies.base import Parts, PolicyFile
from evalkit.reading.policies.kinds import KINDS
from evalkit.reading.suggestions import did_you_mean
from evalkit.reading.validate import validate
from evalkit.reading.yaml_nodes import Document, read_yaml
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.judging.text import TextJudge

_OF_THE_FILE = ("kind", "version")


def build_judge(use: JudgeUse, workspace: Workspace) -> Judge:
    """The judge a probe names, with the probe's own settings; a judge in Python gets its ``model`` as ``target``.

    Raises:
        UnreadableFile: its policy file is wrong.
        JudgeError: there is no such judge, its Python file is broken, a setting is unknown or of the wrong type, or
            it is made of itself.
    """
    return _build(use, workspace, ())


def judge_models(use: JudgeUse, workspace: Workspace) -> tuple[str, ...]:
    """The names of the targets that a judge and its members ask, each once.

    Raises:
        UnreadableFile, JudgeError: as ``build_judge``.
    """
    return _models(use, workspace, ())


def judge_hash(use: JudgeUse, workspace: Workspace) -> str:
    """Sixteen hex digits that change when the judge may judge differently: code version, policy, own settings.

    Raises:
        UnreadableFile: its policy file is wrong.
        JudgeError: there is no such judge.
    """
    return _hash(use, workspace, ())


def _build(use: JudgeUse, workspace: Workspace, outer: tuple[str, ...]) -> Judge:
    path = file_of(use.use, workspace)
    settings = {name: thawed(value) for name, value in use.settings}
    if path is None:
        if settings:
            raise JudgeError(f"Judge {use.use!r} takes no settings; found {', '.join(settings)}.")
        return _text_judge()()
    if path.suffix == ".py":
        if use.targets:
            del settings["model"]
            settings["target"] = use.targets[0][1]
        return load_custom_judge(path, use.use, workspace.shown(path), settings)
    inner = _inner(use, outer)
    targets = dict(use.targets)

    def member(other: JudgeUse) -> Judge:
        named = tuple((name, targets[name]) for name in _models(other, workspace, inner) if name in targets)
        return _build(replace(other, targets=named), workspace, inner)

    judge = _policy(path, workspace.shown(path), use.use, settings).make(Parts(targets, member, path.parent))
    judge.name = use.use
    return judge


def _models(use: JudgeUse, workspace: Workspace, outer: tuple[str, ...]) -> tuple[str, ...]:
    path = file_of(use.use, workspace)
    if path is None:
        return ()
    if path.suffix == ".py":
        model = use.setting("model")
        return (str(model),) if model else ()
    inner = _inner(use, outer)
    policy = _policy(path, workspace.shown(path), use.use, {name: thawed(value) for name, value in use.settings})
    theirs = (name for member in policy.members for name in _models(member, workspace, inner))
    return tuple(dict.fromkeys((*policy.models, *theirs)))


def _hash(use: JudgeUse, workspace: Workspace, outer: tuple[str, ...]) -> str:
    path = file_of(use.use, workspace)
    members: list[str] = []
    if path is None:
        code, policy = _text_judge().version, b""
    else:
        policy, code = path.read_bytes(), "custom"
        if path.suffix == ".yaml":
            read = _policy(path, workspace.shown(path), use.use, {name: thawed(value) for name, value in use.settings})
            code = read.code_version
            policy += b"".join(_content(path.parent / name, use.use) for name in read.files)
            members = [_hash(member, workspace, _inner(use, outer)) for member in read.members]
    own = json.dumps(dict(use.settings), sort_keys=True, default=repr)
    targets = [target.label for _, target in use.targets]
    digest = hashlib.sha256()
    for part in (use.use.encode(), code.encode(), policy, own.encode(), *map(str.encode, (*targets, *members))):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def _text_judge() -> type[TextJudge]:
    from evalkit.judging.text import TextJudge

    return TextJudge


def _content(file: Path, judge: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise JudgeError(f"Judge {judge!r}: {file.name} cannot be read: {error.strerror or error}.") from None


def _inner(use: JudgeUse, outer: tuple[str, ...]) -> tuple[str, ...]:
    """The chain of judges down to this one."""
    if use.use in outer:
        raise JudgeError(f"Judge {use.use!r} is made of itself: {' → '.join((*outer, use.use))}. Break the circle.")
    return (*outer, use.use)


def _policy(path: Path, shown: str, name: str, settings: dict[str, Any]) -> PolicyFile:
    facts = path.stat()
    data, policy = _read_policy(path, shown, facts.st_mtime_ns, facts.st_size)
    if not settings:
        return policy
    kind = type(policy)
    known = [field for field in kind.model_fields if field not in _OF_THE_FILE]
    for setting in settings:
        if setting not in known:
            raise JudgeError(f"Judge {name!r} has no setting {setting!r}. {did_you_mean(setting, known)}")
    try:
        return kind.model_validate({**data, **settings})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            raise JudgeError(f"Judge {name!r}, with the settings given: {message}") from None
        where = ".".join(str(step) for step in first["loc"])
        raise JudgeError(f"Judge {name!r}: setting {where}: {message}; found {first['input']!r}.") from None


@lru_cache(maxsize=64)
def _read_policy(path: Path, shown: str, changed: int, size: int) -> tuple[dict[str, Any], PolicyFile]:
    """The file as data and as a policy; read again when it ``changed`` or its ``size`` did."""
    document = read_yaml(path, shown)
    return document.data, validate(_kind(document, shown), document, shown)


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
