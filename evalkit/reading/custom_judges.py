"""Loads judges/<name>.py by its path and makes a judge of what it defines."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from evalkit.errors import JudgeError
from evalkit.generation import Reply
from evalkit.judging.base import Judge, RuleJudge
from evalkit.transcript import Case
from evalkit.verdict import Verdict

_WANTED = "a Verdict, True or False, or (True or False, reason)"


class FunctionJudge(RuleJudge):
    """A judge written as one function of the case."""

    version = "custom"

    def __init__(self, name: str, shown: str, function: Callable[..., Any], settings: dict[str, Any]) -> None:
        self.name = name
        self._shown = shown
        self._function = function
        self._settings = settings

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        result = self._function(case, **self._settings)
        if isinstance(result, Verdict):
            return result
        if isinstance(result, bool):
            return self.verdict("pass" if result else "fail", f"judge returned {result}")
        if (
            isinstance(result, tuple)
            and len(result) == 2
            and isinstance(result[0], bool)
            and isinstance(result[1], str)
        ):
            return self.verdict("pass" if result[0] else "fail", result[1])
        raise JudgeError(
            f"{self._shown}: judge must return {_WANTED}; on probe {case.probe.id!r} it returned {result!r}."
        )


def load_custom_judge(path: Path, name: str, shown: str, settings: dict[str, Any]) -> Judge:
    """The judge a Python file defines as ``judge``: a function of the case, an object with ask and read, or its class.

    Settings of the probe become keyword arguments of the function or the class.

    Raises:
        JudgeError: the file cannot be imported, defines no ``judge``, or one of the wrong shape.
    """
    defined = _module(path, name, shown).__dict__.get("judge")
    if defined is None:
        raise JudgeError(
            f"{shown}: it defines no judge. Write a function judge(case) that returns {_WANTED}, or an object with "
            "ask and read."
        )
    if isinstance(defined, type):
        return _instance(defined, name, shown, settings)
    if callable(getattr(defined, "read", None)):
        if settings:
            raise JudgeError(
                f"{shown}: judge is an object, so it takes no settings; found {', '.join(settings)}. Make it a class."
            )
        return _checked(defined, name, shown)
    if callable(defined):
        return FunctionJudge(name, shown, defined, settings)
    raise JudgeError(f"{shown}: judge must be a function, a class, or an object with ask and read; found {defined!r}.")


def _instance(kind: type, name: str, shown: str, settings: dict[str, Any]) -> Judge:
    try:
        made = kind(**settings)
    except Exception as error:
        raise JudgeError(f"{shown}: the class judge cannot be made: {type(error).__name__}: {error}") from error
    return _checked(made, name, shown)


def _checked(made: Any, name: str, shown: str) -> Judge:
    for method in ("ask", "read"):
        if not callable(getattr(made, method, None)):
            raise JudgeError(
                f"{shown}: judge has no method {method}. Derive it from evalkit.judging.base.RuleJudge, or give it "
                "ask(case, replies) and read(case, replies)."
            )
    if not isinstance(made, Judge):
        made.name = name
    judge: Judge = made
    return judge


def _module(path: Path, name: str, shown: str) -> ModuleType:
    """The file as a module of its own name, never a top-level package."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise JudgeError(f"{shown}: it cannot be read: {error.strerror or error}.") from error
    module_name = f"evalkit_judge_{name}_{digest}"
    specification = importlib.util.spec_from_file_location(module_name, path)
    if specification is None or specification.loader is None:
        raise JudgeError(f"{shown}: Python cannot load it.")
    module = importlib.util.module_from_spec(specification)
    sys.modules[module_name] = module
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        sys.modules.pop(module_name, None)
        raise JudgeError(f"{shown}: importing it raised {type(error).__name__}: {error}") from error
    return module
