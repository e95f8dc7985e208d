"""Judges answers that are there already: those of a file, and those of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evalkit.engines import base, table
from evalkit.engines.servers.batch_engine import BatchEngine, BatchNews
from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.clock import Clock
from evalkit.errors import EvalkitError, UsageError
from evalkit.generation import Generation
from evalkit.host.messages import Inspected, Run, Settled, Status
from evalkit.host.plan import case_of
from evalkit.host.work import Work
from evalkit.judging.base import Judge
from evalkit.judging.panel import asks, read_one
from evalkit.matrix import Trial
from evalkit.probe import JudgeUse
from evalkit.reading.answer_rows import AnswerRow
from evalkit.reading.judges import build_judge, judge_hash
from evalkit.store.batches import BatchStore
from evalkit.target import Engine, Model, Quantisation, Target
from evalkit.transcript import Case
from evalkit.trial_records import asked_by_judges
from evalkit.verdict import Verdict
from evalkit.workspace import Workspace

STORED = Target(Model("stored", "", True, "stored"), Quantisation("stored", "fp32"))
"""Stands for whatever gave the answers of a file."""
BATCHED_KIND = "anthropic"
"""The kind of engine whose server takes batches."""


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """A trial whose answers are there; its probe's ``judges`` are the ones that shall judge it."""

    trial: Trial
    answers: tuple[Generation, ...]

    @property
    def case(self) -> Case:
        return case_of(self.trial, self.answers)


@dataclass(frozen=True, slots=True)
class Judged:
    """What one judge says of one stored trial; ``broke`` is why it said nothing, and there is no verdict then."""

    use: JudgeUse
    verdict: Verdict | None
    broke: str = ""


def stored_trial(row: AnswerRow, uses: tuple[JudgeUse, ...], number: int) -> StoredTrial:
    """A row of a file as a trial; ``number`` tells rows of one id apart."""
    answer = Generation(row.response, row.response, (), row.finish, prompt_tokens=0, new_tokens=0)
    return StoredTrial(Trial(replace(row.probe, judges=uses), STORED, number), (answer,))


class Rejudging:
    """Judges stored trials one after another; those whose judges ask a model are first asked all together."""

    def __init__(
        self,
        workspace: Workspace,
        run: Run,
        say: Callable[[Status], None],
        batches: Callable[[BatchNews], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """With ``batches``, told how they go, Anthropic servers are asked in batches; ``clock`` times the polls."""
        self._workspace = workspace
        self._run = run
        self._say = say
        self._batches = batches
        self._clock = clock
        self._judges: dict[JudgeUse, tuple[Judge, str]] = {}
        self.questions: list[dict[str, Any]] = []
        """What judges asked of models so far, as records hold it."""

    def asks(self, uses: Iterable[JudgeUse]) -> bool:
        """Whether any of these judges asks a model.

        Raises:
            JudgeError, UnreadableFile: a judge cannot be made.
        """
        return any(asks(judge) for judge, _ in [self._judge(use) for use in uses])

    def judged(self, trials: Iterable[StoredTrial]) -> Iterator[tuple[StoredTrial, tuple[Judged, ...]]]:
        """Every trial's verdicts in the order of its judges, in the order of the trials."""
        for trial in trials:
            yield trial, self._read(trial, {})

    def judged_with_questions(self, trials: Sequence[StoredTrial]) -> Iterator[tuple[StoredTrial, tuple[Judged, ...]]]:
        """The same where judges ask models: all questions are asked first, in this process."""
        settled: dict[str, Settled] = {}

        def keep(done: Settled | Inspected) -> None:
            if isinstance(done, Inspected):
                return  # nobody asked for a preflight here
            settled[done.trial] = done
            self.questions += (question for own in asked_by_judges(done).values() for question in own)

        work = Work(self._run, keep, lambda: None, self._say, self._engine)
        try:
            for stored in trials:
                work.add_answered(stored.trial, stored.answers)
            while work.step():
                pass
        finally:
            work.close()
        for stored in trials:
            yield stored, self._read(stored, dict(settled[stored.trial.id].judge_replies))

    def _engine(self, engine: Engine, pulse: base.Pulse, root: Path, budget: Budget | None = None) -> base.Engine:
        if self._batches is None or engine.kind != BATCHED_KIND:
            return table.create(engine, pulse, root, budget)
        store = BatchStore.open(self._workspace.store_file)
        return BatchEngine(engine, pulse, budget or Budget(0.0), store, self._batches, self._clock)

    def _read(self, stored: StoredTrial, replies: dict[int, Any]) -> tuple[Judged, ...]:
        case = stored.case
        found = []
        for index, use in enumerate(stored.trial.probe.judges):
            judge, stamp = self._judge(use)
            try:
                found.append(Judged(use, read_one(use, judge, case, replies.get(index, ()), stamp)))
            except EvalkitError as error:
                found.append(Judged(use, None, str(error)))
        return tuple(found)

    def _judge(self, use: JudgeUse) -> tuple[Judge, str]:
        if use not in self._judges:
            self._judges[use] = build_judge(use, self._workspace), judge_hash(use, self._workspace)
        return self._judges[use]


def check_batched(uses: Iterable[JudgeUse], asks: Callable[[JudgeUse], bool]) -> None:
    """Makes sure that batches are of use to the judges.

    Raises:
        UsageError: no judge asks a model, or one that does asks none that can be asked in a batch.
    """
    asking = [use for use in uses if asks(use)]
    for use in asking:
        kinds = {target.engine.kind for _, target in use.targets}
        if BATCHED_KIND not in kinds:
            models = ", ".join(f"{name} (engine of kind {target.engine.kind})" for name, target in use.targets)
            raise UsageError(
                f"--batch is for models at engines of kind {BATCHED_KIND}; judge {use.use!r} asks {models}. "
                "Take --batch out, or let it judge in a command of its own."
            )
    if not asking:
        raise UsageError("--batch is for judges that ask a model, and none of these does. Take it out.")


def verdict_line(row_id: str, judged: Judged, case: Case) -> dict[str, Any]:
    """The line that ``evalkit judge`` writes for one answer and one judge.

    ``spans`` are characters of the answer's whole text. A judge that broke leaves the answer unscored and says so.
    """
    answer = case.answers[-1]
    verdict = judged.verdict or Verdict(judged.use.use, "unscored", judged.broke, flags=("error",))
    return {
        "id": row_id,
        "judge": judged.use.use,
        "judge_version": verdict.judge_version,
        "judge_hash": verdict.judge_hash,
        "outcome": verdict.outcome,
        "score": verdict.score,
        "flags": list(verdict.flags),
        "labels": dict(verdict.labels),
        "signals": dict(verdict.signals),
        "spans": [[span.start, span.end, span.why] for span in verdict.spans],
        "thinking": answer.thinking,
        "answer": answer.answer,
        "reason": verdict.reason,
    }
