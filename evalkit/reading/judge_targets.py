"""The models that a judge asks, found among the targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from evalkit.errors import UsageError
from evalkit.probe import JudgeUse
from evalkit.reading.judge_files import asks_nobody
from evalkit.reading.targets import TargetChoice, TargetTable
from evalkit.target import Target
from evalkit.workspace import Workspace


def with_targets(use: JudgeUse, workspace: Workspace, table: Callable[[], TargetTable]) -> JudgeUse:
    """The use with every model that the judge names resolved; ``table`` is read only when it names one.

    Raises:
        UnreadableFile, JudgeError: the judge cannot be made.
        UsageError: a model is unknown, or its name means several targets.
    """
    if asks_nobody(use, workspace):
        return use
    from evalkit.reading.judges import judge_models

    models = judge_models(use, workspace)
    return replace(use, targets=tuple((model, _target(use, model, table())) for model in models)) if models else use


def _target(use: JudgeUse, model: str, table: TargetTable) -> Target:
    found = table.resolve(TargetChoice(targets=(model,)))
    if len(found) != 1:
        raise UsageError(f"judge {use.use!r}: model {model!r} names {len(found)} targets; name one")
    return found[0]
