"""Works through the plan: identities, what is stored already, the engine's steps, what is settled."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

from evalkit.engines import base, table
from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.estimate import estimate
from evalkit.engines.servers.settings import max_age_s
from evalkit.errors import EvalkitError, StoreError
from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.host.messages import Run, Settled, Status
from evalkit.host.plan import Plan, Progress, conversation
from evalkit.host.progress import StatusKeeper
from evalkit.host.stages import Stage, deliver, next_stage
from evalkit.identity import request_identity
from evalkit.judging.base import Judge
from evalkit.judging.panel import asks
from evalkit.matrix import Trial
from evalkit.probe import Generate, JudgeUse
from evalkit.reading.judges import build_judge
from evalkit.store.database import open_database
from evalkit.store.generations import GenerationStore
from evalkit.target import Engine, Settings, Target
from evalkit.workspace import Workspace

REPETITION = "again"
"""Ends the identity of an answer that was only generated to measure noise."""


class Work:
    """Everything the host does for one run."""

    def __init__(
        self,
        run: Run,
        on_settled: Callable[[Settled], None],
        serve: Callable[[], None],
        say: Callable[[Status], None],
        make_engine: table.Creator = table.create,
        spent_usd: float = 0.0,
    ) -> None:
        """``spent_usd`` was spent by an earlier host of the same run."""
        self._run = run
        self._make_engine = make_engine
        self._workspace = Workspace(Path(run.workspace))
        opened = open_database(self._workspace.store_file)
        self._store = GenerationStore(opened.connection)
        self._on_settled = on_settled
        self._serve = serve
        self._plan = Plan(self._asking_judges)
        self._judges: dict[JudgeUse, Judge | None] = {}
        self._engines: dict[Engine, base.Engine] = {}
        self._facts: dict[Target, Settings | Failure] = {}
        self._stage: Stage | None = None
        self._loaded: object = None
        self._is_judging = False
        self._budget = Budget(run.max_usd, run.max_usd_option)
        self._budget.settle(Decimal(0), Decimal(repr(spent_usd)))
        self._progress = StatusKeeper(say)
        self._progress.usd = spent_usd
        if opened.note:
            self._progress.note(opened.note)

    def add(self, trials: Iterable[Trial]) -> None:
        """Puts trials into the plan; those that are there already are left alone."""
        self._plan.add(trials)
        self._progress.total = self._plan.answer_count

    def add_answered(self, trial: Trial, replies: Iterable[Reply]) -> None:
        """Puts a trial into the plan whose answers are there, so that its judges are asked; its id must be new."""
        self._settle([self._plan.add_answered(trial, replies)])

    def repeat(self, run: Run) -> None:
        """Begins an empty plan for a repetition, on engines that stay loaded; again for the same run: nothing."""
        if run == self._run:
            return
        if self._stage is not None:
            for identity in self._stage.asked:
                self._engine(self._stage.target.engine).cancel(identity)
        self._run, self._plan, self._stage = run, Plan(self._asking_judges), None
        for engine in self._engines.values():
            self._bound(engine)
        self._progress.begin_again()

    def settled(self, trial: str) -> Settled | None:
        """The replies of a trial that is done; a Failure for one that was never submitted; None: not yet."""
        if trial not in self._plan:
            return Settled(trial, (Failure("the host was asked for a trial that is not in its plan"),))
        item = self._plan.progress(trial)
        return self._message(item) if item.is_settled else None

    def step(self) -> bool:
        """Does a piece of work and says whether there may be more."""
        if self._stage is None:
            self._stage = next_stage(self._plan.asks(), self._loaded, self._identify)
            if self._stage is None:
                self._progress.show("idle")
                return False
            self._is_judging = self._stage.is_judging
            self._progress.serve(self._stage.target.engine.is_server)
            self._begin(self._stage)
        elif self._stage.asked:
            self._engine_step(self._stage)
        if not self._stage.asked:
            self._stage = None
            if self._run.record and self._plan.settled_count == len(self._plan):
                self._write_recordings(Path(self._run.record))
        return True

    def close(self) -> None:
        """Lets go of engines and store, for a process that outlives its work."""
        for engine in self._engines.values():
            engine.close()
        self._store.close()

    def _begin(self, stage: Stage) -> None:
        """Hands out what is known, then gives the rest to the engine."""
        touched = [ask.progress for ask, _ in stage.refused]
        waiting = sum(len(asks) for _, asks in stage.asked.values())
        self._progress.plan(len(touched) + waiting, is_judging=self._is_judging)
        for ask, failure in stage.refused:
            deliver(ask, failure)
        try:
            known = self._known(stage)
        except StoreError as error:
            self._settle(touched)
            sentence = f"{error} Move {self._workspace.store_file} away to begin a new one."
            self._fail(stage, list(stage.asked), StoreError(sentence))
            return
        for identity, generation in known.items():
            touched += [ask.progress for ask in stage.take(identity, generation)]
        self._progress.stored += 0 if self._is_judging else len(touched) - len(stage.refused)
        self._progress.came(len(touched), is_judging=self._is_judging)
        self._settle(touched)
        if not stage.asked:
            return
        try:
            engine = self._engine(stage.target.engine)
            self._load(engine, stage)
            for identity, (request, _) in stage.asked.items():
                engine.submit(identity, request)
        except Exception as error:
            self._fail(stage, list(stage.asked), error)
        else:
            self._progress.begin()

    def _known(self, stage: Stage) -> dict[str, Generation]:
        """What the store has of a stage and is not too old."""
        found = self._store.find(list(stage.asked), only_run=self._run.id if self._run.fresh else None)
        oldest_s = max_age_s(stage.target.engine)
        if oldest_s is None:
            return found
        now = time.time()
        return {name: known for name, known in found.items() if now - known.created_at < oldest_s}

    def _load(self, engine: base.Engine, stage: Stage) -> None:
        """Brings the weights in; a server's are elsewhere, and those that are loaded here stay."""
        if stage.target.engine.is_server:
            engine.load(stage.target, stage.adapters)
            if "batch" in engine.capabilities:
                return  # it says itself what it is going to cost
            coming = estimate([request for request, _ in stage.asked.values()], self._budget)
            if coming is not None:
                self._progress.most_usd = self._progress.usd + coming.most_usd
                self._progress.note(coming.sentence)
            return
        self._progress.show("loading", stage.target.label, now=True)
        if self._loaded != stage.target.weights:
            self._progress.loads += 1
        self._loaded = None
        engine.load(stage.target, stage.adapters)
        self._loaded = stage.target.weights

    def _engine_step(self, stage: Stage) -> None:
        first = next(iter(stage.asked.values()))[0]
        self._progress.show("judging" if self._is_judging else "generating", first.target.label)
        try:
            results = self._engine(stage.target.engine).step()
        except Exception as error:
            self._fail(stage, list(stage.asked), error)
            return
        self._finish(stage, results)

    def _finish(self, stage: Stage, results: list[tuple[str, Generation | Failure]]) -> None:
        """Stores replies, and only then hands them out."""
        rows = [(identity, stage.asked[identity][0], reply) for identity, reply in results]
        replies: list[Reply]
        try:
            replies = self._store.put(rows, self._run.id)
        except StoreError as error:
            self._progress.note(f"{error} Answers of this run are not kept.")
            replies = [reply for _, _, reply in rows]
        touched: list[Progress] = []
        for (identity, _, _), reply in zip(rows, replies, strict=True):
            touched += [ask.progress for ask in stage.take(identity, reply)]
        self._progress.came(len(touched), is_judging=self._is_judging)
        if self._is_judging:
            for reason in dict.fromkeys(_missing_keys(replies)):
                self._progress.note(reason)
        self._say_money()
        self._settle(touched)

    def _say_money(self) -> None:
        """Before anything is settled, so that the controller knows of all money when it has all trials."""
        for sentence in self._budget.sentences():
            self._progress.note(sentence)
        spent = float(self._budget.spent_usd)
        if spent != self._progress.usd:
            self._progress.usd = spent
            self._progress.show("judging" if self._is_judging else "generating", now=True)

    def _fail(self, stage: Stage, identities: list[str], error: Exception) -> None:
        if isinstance(error, EvalkitError):
            reason = str(error)
        else:
            traceback.print_exc(file=sys.stderr)
            reason = f"{type(error).__name__}: {error}"
        self._finish(stage, [(identity, Failure(reason)) for identity in identities])

    def _settle(self, touched: list[Progress]) -> None:
        for item in self._plan.settle(touched):
            self._on_settled(self._message(item))

    def _message(self, item: Progress) -> Settled:
        return Settled(
            trial=item.trial.id,
            replies=tuple(item.replies),
            judge_replies=tuple((index, tuple(replies)) for index, replies in sorted(item.judge_replies.items())),
            judge_targets=tuple((index, tuple(targets)) for index, targets in sorted(item.judge_targets.items())),
            done=self._plan.settled_count,
            total=len(self._plan),
        )

    def _identify(self, request: Request) -> str | Failure:
        target = request.target
        if target not in self._facts:
            try:
                self._facts[target] = self._engine(target.engine).identity_facts(target)
            except Exception as error:
                if not isinstance(error, EvalkitError):
                    traceback.print_exc(file=sys.stderr)
                self._facts[target] = Failure(str(error) or type(error).__name__)
        facts = self._facts[target]
        if isinstance(facts, Failure):
            return facts
        identity = request_identity(request, facts)
        return identity if self._run.batch_rows is None else f"{identity}~{REPETITION}"

    def _engine(self, engine: Engine) -> base.Engine:
        if engine not in self._engines:
            self._engines[engine] = self._make_engine(engine, self._pulse, self._workspace.root, self._budget)
            self._bound(self._engines[engine])
        return self._engines[engine]

    def _bound(self, engine: base.Engine) -> None:
        if self._run.batch_rows is not None and isinstance(engine, base.Batching):
            engine.bound_batches(self._run.batch_rows)

    def _pulse(self, new_tokens: int) -> bool:
        self._progress.tokens_came(new_tokens)
        self._serve()
        return False

    def _asking_judges(self, trial: Trial) -> tuple[tuple[int, Judge], ...]:
        """The judges of a trial that ask questions; one that cannot be built is the reading worker's to report."""
        found = []
        for index, use in enumerate(trial.probe.judges):
            if use not in self._judges:
                try:
                    self._judges[use] = build_judge(use, self._workspace)
                except Exception:
                    self._judges[use] = None
            judge = self._judges[use]
            if judge is not None and asks(judge):
                found.append((index, judge))
        return tuple(found)

    def _write_recordings(self, file: Path) -> None:
        from evalkit.engines.replay import record_line

        lines = []
        for item in self._plan:
            turns = sum(isinstance(turn, Generate) for turn in item.trial.probe.turns)
            for index, reply in enumerate(item.replies[:turns]):
                messages, turn = conversation(item.trial, item.replies[:index])
                if isinstance(reply, Generation) and turn is not None:
                    lines.append(record_line(item.trial.request(messages, turn), reply))
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_name(f".{file.name}.{os.getpid()}")
        unfinished.write_text("\n".join(dict.fromkeys(lines)) + "\n", encoding="utf-8")
        os.replace(unfinished, file)


def _missing_keys(replies: Iterable[Reply]) -> Iterable[str]:
    """What would enable judges that could not ask."""
    return (reply.reason for reply in replies if isinstance(reply, Failure) and reply.kind == "no_key")
