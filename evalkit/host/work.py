"""Works through the plan: identities, what is stored already, the engine's steps, what is settled."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from pathlib import Path

from evalkit.engines import base, table
from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.estimate import Estimate, estimate
from evalkit.engines.servers.settings import max_age_s
from evalkit.errors import EvalkitError, StoreError
from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.host.asking import AskingJudges
from evalkit.host.devices import Devices
from evalkit.host.inspecting import Inspections, Inspector
from evalkit.host.lanes import Lanes
from evalkit.host.messages import Inspected, Run, Settled, Status
from evalkit.host.plan import Plan, Progress
from evalkit.host.progress import StatusKeeper
from evalkit.host.recording import write_recordings
from evalkit.host.stages import Stage, deliver
from evalkit.host.target_facts import TargetFacts
from evalkit.identity import request_identity
from evalkit.matrix import Trial
from evalkit.store.database import open_database
from evalkit.store.generations import GenerationStore
from evalkit.store.preflights import PreflightStore
from evalkit.target import Engine, Target
from evalkit.workspace import Workspace

REPETITION = "again"
"""Ends the identity of an answer that was only generated to measure noise."""


class Work:
    """Everything the host does for one run."""

    def __init__(
        self,
        run: Run,
        on_settled: Callable[[Settled | Inspected], None],
        serve: Callable[[], None],
        say: Callable[[Status], None],
        make_engine: table.Creator = table.create,
        spent_usd: float = 0.0,
        devices: Devices | None = None,
    ) -> None:
        """``spent_usd`` was spent by an earlier host of the same run; ``devices`` are shared with other runs."""
        self._run = run
        self._make_engine = make_engine
        self._devices = devices
        self.workspace = Workspace(Path(run.workspace))
        opened = open_database(self.workspace.store_file)
        self._store = GenerationStore(opened.connection)
        self._on_settled = on_settled
        self._serve = serve
        self._asks = AskingJudges(self.workspace)
        self.plan = Plan(self._asks)
        self._engines: dict[Engine, base.Engine] = {}
        self._facts = TargetFacts(self._engine, lambda target: self._progress.read(target))
        self._lanes = Lanes()
        self._loaded: object = None
        self._told_usd: dict[str, float] = {}
        self._budget = Budget(run.max_usd, run.max_usd_option)
        self._budget.settle(Decimal(0), Decimal(repr(spent_usd)))
        self._progress = StatusKeeper(say, run.max_usd)
        self._progress.usd = spent_usd
        self._inspector = Inspector(
            PreflightStore(opened.connection), run.id, run.fresh, self._facts.of, self._engine, self._progress.note
        )
        self._inspections = Inspections(self._inspector, lambda target: self._load(Stage(target)))
        if opened.note:
            self._progress.note(opened.note)

    def add(self, trials: Iterable[Trial]) -> None:
        """Puts trials into the plan; those that are there already are left alone."""
        self.plan.add(trials)
        self._lanes.wake()
        self._progress.expect(self.plan)

    def inspect(self, named: Iterable[tuple[str, Target]]) -> None:
        """Looks at targets that are asked nothing; ``settled`` has what was found under their names."""
        self._inspections.add(named)

    def add_answered(self, trial: Trial, replies: Iterable[Reply]) -> None:
        """Puts a trial into the plan whose answers are there, so that its judges are asked; its id must be new."""
        self._settle([self.plan.add_answered(trial, replies)])
        self._lanes.wake()

    def repeat(self, run: Run) -> None:
        """Begins an empty plan for a repetition, on engines that stay loaded; again for the same run: nothing."""
        if run == self._run:
            return
        for stage in self._lanes.running.values():
            for identity in stage.asked:
                self._engine(stage.target.engine).cancel(identity)
        self._run, self.plan, self._lanes = run, Plan(self._asks), Lanes()
        for engine in self._engines.values():
            self._bound(engine)
        self._progress.begin_again()

    def settled(self, trial: str) -> Settled | Inspected | None:
        """The replies of a trial that is done; a Failure for one that was never submitted; None: not yet."""
        if trial in self._inspections:
            return self._inspections.done(trial)
        if trial not in self.plan:
            return Settled(trial, (Failure("the host was asked for a trial that is not in its plan"),))
        item = self.plan.progress(trial)
        return self.plan.settled(item) if item.is_settled else None

    def step(self) -> bool:
        """Does a piece of work and says whether there may be more."""
        if self._lanes.here is None and (looked_at := self._inspections.step(self._loaded)) is not None:
            self._on_settled(looked_at)
            return True
        begun = self._lanes.begin(self.plan, self._loaded, self._identify)
        if not self._lanes.running:
            self._progress.show("idle")
            return False
        for stage in sorted(begun, key=lambda stage: stage is self._lanes.here):  # loading takes time
            self._begin(stage)
        for stage in [] if begun else list(self._lanes.running.values()):
            self._engine_step(stage)
        if self._lanes.end() and self._run.record and self.plan.settled_count == len(self.plan):
            write_recordings(self.plan, Path(self._run.record))
        self._progress.compute(self._lanes.here is not None)
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
        self._progress.plan(stage, len(touched) + waiting)
        for ask, failure in stage.refused:
            deliver(ask, failure)
        try:
            known = self._known(stage)
        except StoreError as error:
            self._settle(touched)
            sentence = f"{error} Move {self.workspace.store_file} away to begin a new one."
            self._fail(stage, list(stage.asked), StoreError(sentence))
            return
        for identity, generation in known.items():
            touched += [ask.progress for ask in stage.take(identity, generation)]
        self._progress.known(stage, touched)
        self._settle(touched)
        if not stage.asked:
            return
        try:
            engine = self._engine(stage.target.engine)
            self._finish(stage, stage.unfit(self._inspector.refused_by_files(stage.subjects)))
            if not stage.asked:
                return
            self._load(stage)
            self._finish(stage, stage.unfit(self._inspector.refused_by_weights(stage.subjects)))
            for identity, (request, _) in stage.asked.items():
                engine.submit(identity, request)
        except Exception as error:
            self._fail(stage, list(stage.asked), error)
        else:
            self._progress.begin(stage)

    def _known(self, stage: Stage) -> dict[str, Generation]:
        """What the store has of a stage and is not too old."""
        found = self._store.find(list(stage.asked), only_run=self._run.id if self._run.fresh else None)
        oldest_s = max_age_s(stage.target.engine)
        if oldest_s is None:
            return found
        now = time.time()
        return {name: known for name, known in found.items() if now - known.created_at < oldest_s}

    def _load(self, stage: Stage) -> None:
        """Brings the weights in; a server's are elsewhere, and those that are loaded here stay."""
        engine = self._engine(stage.target.engine)
        if stage.target.engine.is_server:
            engine.load(stage.target, stage.adapters)
            if "batch" in engine.capabilities:
                return  # it says itself what it is going to cost
            coming = estimate([request for request, _ in stage.asked.values()], self._budget)
            if coming is not None:
                self._progress.most_usd = self._progress.usd + coming.most_usd
                self._say_estimate(stage.target.model.name, coming)
            return
        self._progress.compute(True)
        if self._devices is not None:
            self._devices.take(stage.target, self._facts.of(stage.target), self._progress)
        note = engine.load_note(stage.target, stage.adapters) if isinstance(engine, base.Estimating) else None
        self._progress.load(stage.target, note)
        if self._loaded != stage.target.weights:
            self._progress.loads += 1
        self._loaded = None
        engine.load(stage.target, stage.adapters)
        self._loaded = stage.target.weights

    def _say_estimate(self, model: str, coming: Estimate) -> None:
        """Beside a stage that runs here, whose trials come one by one, only what is dearer than anything told."""
        if self._lanes.here is None or coming.most_usd > self._told_usd.get(model, 0.0):
            self._told_usd[model] = coming.most_usd
            self._progress.note(coming.sentence)

    def _engine_step(self, stage: Stage) -> None:
        if stage is self._lanes.shown:
            first = next(iter(stage.asked.values()))[0]
            self._progress.show("judging" if stage.is_judging else "generating", first.target.label)
        engine = self._engine(stage.target.engine)
        is_beside = self._lanes.here not in (None, stage)
        try:
            results = engine.poll() if is_beside and isinstance(engine, base.Polling) else engine.step()
        except Exception as error:
            self._fail(stage, list(stage.asked), error)
            return
        self._finish(stage, results)

    def _finish(self, stage: Stage, results: list[tuple[str, Generation | Failure]]) -> None:
        """Stores replies, and only then hands them out."""
        if not results:
            return
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
        self._lanes.touch(len(touched))
        self._progress.came(stage, touched, replies)
        if stage.is_judging:
            for reason in _missing_keys(replies):
                self._progress.note_once(reason)
        self._say_money()
        self._settle(touched)

    def _say_money(self) -> None:
        """Before anything is settled, so that the controller knows of all money when it has all trials."""
        for sentence in self._budget.sentences():
            self._progress.note(sentence)
        spent = float(self._budget.spent_usd)
        if spent != self._progress.usd:
            self._progress.usd = spent
            self._progress.say()

    def _fail(self, stage: Stage, identities: list[str], error: Exception) -> None:
        if isinstance(error, EvalkitError):
            reason = str(error)
        else:
            traceback.print_exc(file=sys.stderr)
            reason = f"{type(error).__name__}: {error}"
        self._finish(stage, [(identity, Failure(reason)) for identity in identities])

    def _settle(self, touched: list[Progress]) -> None:
        for item in self.plan.settle(touched):
            self._on_settled(self.plan.settled(item))

    def _identify(self, request: Request) -> str | Failure:
        facts = self._facts.of(request.target)
        if isinstance(facts, Failure):
            return facts
        identity = request_identity(request, facts)
        return identity if self._run.batch_rows is None else f"{identity}~{REPETITION}"

    def _engine(self, engine: Engine) -> base.Engine:
        if engine not in self._engines:
            self._engines[engine] = self._make_engine(
                engine, partial(self._pulse, engine), self.workspace.root, self._budget
            )
            self._bound(self._engines[engine])
        return self._engines[engine]

    def _bound(self, engine: base.Engine) -> None:
        if self._run.batch_rows is not None and isinstance(engine, base.Batching):
            engine.bound_batches(self._run.batch_rows)

    def _pulse(self, engine: Engine, new_tokens: int) -> bool:
        shown = self._lanes.shown
        if shown is not None and shown.target.engine == engine:
            self._progress.count(len(shown.asked), self._engine(engine))
        self._progress.placed(self._engine(engine))
        self._progress.tokens_came(new_tokens, is_served=engine.is_server)
        self._serve()
        return False


def _missing_keys(replies: Iterable[Reply]) -> Iterable[str]:
    """What would enable judges that could not ask."""
    return (reply.reason for reply in replies if isinstance(reply, Failure) and reply.kind == "no_key")
