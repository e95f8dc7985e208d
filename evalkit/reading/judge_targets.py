"""The models that a judge asks, found among the targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from evalkit.errors import JudgeError, UnreadableFile, UsageError
from evalkit.probe import JudgeUse, Probe
from evalkit.reading.judge_files import asks_nobody
from evalkit.reading.targets import TargetChoice, TargetTable
from evalkit.target import Target
from evalkit.workspace import Workspace


class JudgeTargets:
    """Finds them for one probe after another; each use of a judge is looked at once."""

    def __init__(self, workspace: Workspace, table: Callable[[], TargetTable]) -> None:
        self._workspace = workspace
        self._table = table
        self._resolved: dict[JudgeUse, JudgeUse] = {}

    def of(self, probe: Probe) -> Probe:
        """The probe with the models that its judges ask resolved to targets."""
        uses = tuple(map(self._with_targets, probe.judges))
        return probe if uses == probe.judges else replace(probe, judges=uses)

    def _with_targets(self, use: JudgeUse) -> JudgeUse:
        if use not in self._resolved:
            try:
                self._resolved[use] = with_targets(use, self._workspace, self._table)
            except (JudgeError, UnreadableFile):
                self._resolved[use] = use  # the trial is an ERROR with that sentence when it is judged
        return self._resolved[use]


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
