"""The judges of each trial that ask questions, built once."""

from __future__ import annotations

from evalkit.judging.base import Judge
from evalkit.judging.panel import asks
from evalkit.matrix import Trial
from evalkit.probe import JudgeUse
from evalkit.reading.judge_files import asks_nobody
from evalkit.workspace import Workspace


class AskingJudges:
    """Calling it with a trial gives its judges that ask, each with its place among all of them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._judges: dict[JudgeUse, Judge | None] = {}

    def __call__(self, trial: Trial) -> tuple[tuple[int, Judge], ...]:
        """One that cannot be built is left out: it is the reading worker's to report."""
        found = []
        for index, use in enumerate(trial.probe.judges):
            if use not in self._judges:
                self._judges[use] = self._asking(use)
            judge = self._judges[use]
            if judge is not None:
                found.append((index, judge))
        return tuple(found)

    def _asking(self, use: JudgeUse) -> Judge | None:
        """The judge, if it may ask; one whose kind asks nobody is not made here, while others wait for the model."""
        try:
            if asks_nobody(use, self._workspace):
                return None
            from evalkit.reading.judges import build_judge

            judge = build_judge(use, self._workspace)
        except Exception:
            return None
        return judge if asks(judge) else None
