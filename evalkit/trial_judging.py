"""One process's judges, each built once, and what they come to on trials: at a trial's turn, or while another waits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from evalkit.errors import JudgeError
from evalkit.generation import Failure, Reply
from evalkit.host.bundles import Done
from evalkit.host.messages import Settled
from evalkit.host.plan import case_of
from evalkit.judging.base import Judge
from evalkit.judging.panel import read_all
from evalkit.matrix import Trial
from evalkit.probe import JudgeUse, has_own_pattern
from evalkit.reading.judge_files import asks_nobody, is_builtin
from evalkit.reading.judges import build_judge, judge_hash
from evalkit.record import TrialRecord
from evalkit.transcript import Case
from evalkit.trial_records import record_of
from evalkit.verdict import Decision
from evalkit.workspace import Workspace

_Panel = tuple[tuple[tuple[JudgeUse, Judge], ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One trial at its end: what the judges saw and what they came to, but for a pass that the host found."""

    record: TrialRecord
    case: Case | None = None
    decision: Decision | None = None


class TrialJudging:
    """Judges trials for one worker."""

    def __init__(self, workspace: Workspace, worker: str) -> None:
        self._workspace = workspace
        self._worker = worker
        self._judges: dict[JudgeUse, tuple[Judge, str]] = {}
        self._panels: dict[tuple[JudgeUse, ...], _Panel] = {}
        self._expected: Mapping[str, Trial] = {}
        self._early: dict[str, tuple[Settled, Judged | None]] = {}
        self._is_rule: dict[str, bool] = {}
        self._is_bounded: dict[JudgeUse, bool] = {}

    def judged(self, trial: Trial, settled: Settled) -> Judged:
        """The decision on a trial whose turns are all answered, with its record.

        Raises:
            UnreadableFile, JudgeError: the trial is an ERROR, not a failure.
        """
        known, early = self._early.pop(trial.id, (None, None))
        return early if early is not None and known is settled else self._judge(trial, settled)

    def decide(self, case: Case, judge_replies: Mapping[int, tuple[Reply, ...]]) -> Decision:
        """What the probe's judges come to on one case."""
        panel, hashes = self._panel(case.probe.judges)
        return read_all(panel, case, tuple([judge_replies.get(index, ()) for index in range(len(panel))]), hashes)

    def prepare(self, uses: Iterable[JudgeUse]) -> None:
        """Makes those of the judges that are ours and go by rules; what is wrong is said when they judge."""
        with suppress(Exception):
            self._panel(tuple(use for use in uses if self._rules(use)))

    def expect(self, trials: Mapping[str, Trial]) -> None:
        """These come to their turns in this process, and may be judged before."""
        self._expected = trials

    def judge_early(self, come: Iterable[Done]) -> bool:
        """Judges one trial whose answers are here before its turn, if there is one.

        Not where a judge is somebody's code or asks models: that runs at its trial's turn, within its time and output.
        """
        for settled in come:
            trial = self._expected.get(settled.trial)
            if trial is None or settled.trial in self._early or not isinstance(settled, Settled):
                continue
            self._early[settled.trial] = settled, self._judged_early(trial, settled)
            return True
        return False

    def passing(self, trial: Trial, settled: Settled) -> TrialRecord | None:
        """The record of a trial that passes; None where it does not, and where it can only be judged at its turn.

        As is what may search for a pattern of the user's: that may take for ever, and here nobody would stop it.
        """
        if has_own_pattern(trial.probe.expect) or not all(map(self._bounded, trial.probe.judges)):
            return None
        judged = self._judged_early(trial, settled)
        return judged.record if judged is not None and judged.record.outcome == "pass" else None

    def _judged_early(self, trial: Trial, settled: Settled) -> Judged | None:
        """None where it has to be done at the trial's turn, which also says what goes wrong."""
        is_broken = any(isinstance(reply, Failure) for reply in settled.replies)
        try:
            is_ours = not is_broken and all(map(self._rules, trial.probe.judges))
            return self._judge(trial, settled) if is_ours else None
        except Exception:  # whoever waits now has nothing to do with it
            return None

    def _panel(self, uses: tuple[JudgeUse, ...]) -> _Panel:
        """These judges with their hashes, looked up by all of them at once: a use is slow to hash."""
        panel = self._panels.get(uses)
        if panel is None:
            for use in uses:
                if use not in self._judges:
                    self._judges[use] = build_judge(use, self._workspace), judge_hash(use, self._workspace)
            made = [self._judges[use] for use in uses]
            judges = tuple((use, judge) for use, (judge, _) in zip(uses, made, strict=True))
            panel = self._panels[uses] = judges, tuple(stamp for _, stamp in made)
        return panel

    def _judge(self, trial: Trial, settled: Settled) -> Judged:
        case = case_of(trial, settled.replies)
        decision = self.decide(case, dict(settled.judge_replies))
        return Judged(record_of(trial, settled, decision, self._worker).readable(), case, decision)

    def _rules(self, use: JudgeUse) -> bool:
        """Whether a judge is one of ours that goes by rules."""
        if use.use not in self._is_rule:
            self._is_rule[use.use] = asks_nobody(use, self._workspace)
        return self._is_rule[use.use]

    def _bounded(self, use: JudgeUse) -> bool:
        """Whether a judge is there, and evalkit's own, with its own policy."""
        if use not in self._is_bounded:
            with suppress(JudgeError):
                self._is_bounded[use] = not use.settings and is_builtin(use.use, self._workspace)
        return self._is_bounded.get(use, False)
