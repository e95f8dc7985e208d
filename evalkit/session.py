"""One worker's run: which trials there are, obtaining their answers, judging them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from evalkit import matrix
from evalkit.errors import GenerationFailed
from evalkit.generation import Failure, Reply
from evalkit.host.address import Address
from evalkit.host.client import HostClient
from evalkit.host.messages import Inspected, Passed, Run, Settled
from evalkit.matrix import Trial
from evalkit.preflight import Finding
from evalkit.probe import Probe
from evalkit.reading.build import SuiteReading, read_suite
from evalkit.reading.judge_files import judge_names
from evalkit.reading.judge_targets import JudgeTargets
from evalkit.reading.leaving_out import LeavingOut
from evalkit.reading.suite_cache import SuiteCache
from evalkit.reading.targets import TargetChoice, TargetTable, read_targets
from evalkit.record import TrialRecord
from evalkit.sampling_plan import Drawn, draw, named_plan
from evalkit.target import Target
from evalkit.transcript import Case
from evalkit.trial_judging import Judged, TrialJudging
from evalkit.trial_records import record_of
from evalkit.verdict import Decision
from evalkit.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said about the run."""

    choice: TargetChoice
    samples: int | None = None
    limit: int | None = None
    seed: int = 0
    plan: str | None = None
    exclude: tuple[Path, ...] = ()


class Session:
    """Reads suites, makes trials, asks the host, judges. Imports no pytest and opens no store."""

    def __init__(
        self,
        workspace: Workspace,
        options: Options,
        run: Run,
        address: Callable[[], Address],
        while_waiting: Callable[[], None] = lambda: None,
        worker: str = "main",
    ) -> None:
        self.workspace = workspace
        self._options = options
        self._run = run
        self._address = address
        self._while_waiting = while_waiting
        self._worker = worker
        self._kept = SuiteCache.of(workspace, puts_off=True)
        self._suites: dict[Path, SuiteReading] = {}
        self._drawn: dict[str, Drawn] = {}
        self._by_file: dict[str, dict[str, list[Probe]]] = {}
        self.leaving_out = LeavingOut(options.exclude, workspace)
        self._judging = TrialJudging(workspace, worker)
        self._judge_targets = JudgeTargets(workspace, lambda: self.table)
        self._under: dict[tuple[str, ...], tuple[Target, ...]] = {}
        self._client: HostClient | None = None
        self._is_between = False
        self._submitted: dict[str, Trial] = {}
        self._inspected: dict[str, Inspected] = {}
        self._settled: dict[str, Settled | Passed | Exception] = {}

    @cached_property
    def table(self) -> TargetTable:
        return read_targets(self.workspace, self._options.choice.one_by_one)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """The targets of this run, in plan order.

        Raises:
            UsageError, UnreadableFile: the command line or fixtures/targets.yaml cannot be acted on.
        """
        return self.table.resolve(self._options.choice)

    def targets_of(self, suite: SuiteReading) -> tuple[Target, ...]:
        """The run's targets for one suite: under its own conditions, unless the command line chose some.

        Raises:
            UsageError, UnreadableFile: a condition is unknown or cannot be read.
        """
        conditions = suite.settings.conditions
        if not conditions or self._options.choice.conditions:
            return self.targets
        if conditions not in self._under:
            self._under[conditions] = self.table.resolve(replace(self._options.choice, conditions=conditions))
        return self._under[conditions]

    def suite(self, file: Path) -> SuiteReading:
        """The suite that a probe file belongs to, read once."""
        folder = self.workspace.suite_of(file)
        if folder not in self._suites:
            reading = read_suite(folder, self.workspace, judge_names(self.workspace), self._kept)
            self._suites[folder] = self.leaving_out.of(reading)
        return self._suites[folder]

    def trials(self, file: Path) -> tuple[Trial, ...]:
        """The trials of one probe file under the run's plan and limit, in the order of the file.

        Raises:
            UsageError: the suite has no such plan, or too few probes for it.
        """
        suite = self.suite(file)
        probes = map(self._judge_targets.of, self._chosen(suite).get(self.workspace.shown(file), ()))
        samples, seed = self._options.samples, self._options.seed
        return matrix.trials(probes, self.targets_of(suite), samples=samples, run_seed=seed)

    def drawn(self, suite: SuiteReading) -> Drawn | None:
        """What the run's sample plan draws from a suite; None where the whole suite runs.

        Raises:
            UsageError: the suite has no such plan, or too few probes for it.
        """
        if self._options.plan is None:
            return None
        if suite.name not in self._drawn:
            plan = named_plan(suite.name, suite.settings.plans, self._options.plan)
            self._drawn[suite.name] = draw(plan, suite.name, suite.probes)
        return self._drawn[suite.name]

    def planned(self) -> dict[str, int]:
        """How many trials each suite read so far has under its plan, without any limit or selection.

        A mistake in a file counts as a trial that cannot be selected: a suite with one never ran whole.

        Raises:
            UsageError: the suite has no such plan, or too few probes for it.
        """
        samples = self._options.samples
        return {
            suite.name: sum(samples or probe.samples for probe in (self.drawn(suite) or suite).probes)
            * len(self.targets_of(suite))
            + sum(len(reading.problems) for reading in suite.files)
            for suite in self._suites.values()
        }

    def suites(self, records: Iterable[TrialRecord], names: Iterable[str] = ()) -> tuple[SuiteReading, ...]:
        """The suites that records of YAML probes come from, each once, and the folders of these ``names``."""
        files = [self.workspace.root / file for file in dict.fromkeys(record.file for record in records)]
        places = [file for file in files if self.workspace.is_probe_file(file)]
        places += [folder for name in names if (folder := self.workspace.suites / name).is_dir()]
        return tuple({reading.name: reading for reading in map(self.suite, places)}.values())

    def trial(self, probe: Probe, target: Target, sample: int = 0) -> Trial:
        """A trial of a probe that comes from a Python test."""
        return Trial(self._judge_targets.of(probe), target, sample, self._options.seed)

    def submit(self, trials: Iterable[Trial], *, backwards: bool = False, is_order: bool = False) -> None:
        """Hands trials to the host in an order that depends on nothing but what they are.

        ``is_order``: this process alone obtains them, in the order given, so that their answers may come ahead.
        """
        known = (*self.targets, *(target for targets in self._under.values() for target in targets))
        rank = {target: position for position, target in enumerate(dict.fromkeys(known))}
        new = {name: trial for trial in trials if (name := trial.id) not in self._submitted}
        ordered = sorted(
            new.values(),
            key=lambda trial: (
                rank.get(trial.target, len(rank)), trial.probe.file, trial.probe.line, trial.probe.id, trial.sample,
            ),
            reverse=backwards,
        )  # fmt: skip
        self._submitted.update(new)
        if ordered:
            self._host.submit(ordered)
        if is_order:
            self._host.foresee(new)

    def expect(self, trials: Iterable[Trial]) -> None:
        """These objects of those submitted in order are probes: whoever has time may judge them before their turns."""
        probes = set(map(id, trials))
        if expected := {name: trial for name, trial in self._submitted.items() if id(trial) in probes}:
            self._judging.expect(expected)
            self._host.leave_to_judge(expected, self._worker)

    def begin(self, trial: Trial) -> None:
        """Has the host begin with what was submitted, and makes the judges of the first trial meanwhile."""
        self._host.call()
        self._judging.prepare(trial.probe.judges)

    def keep_readings(self) -> None:
        """Writes how suites were read, for the next run: best while the host is busy."""
        self._kept.write()

    def inspect(self, named: Mapping[str, Target]) -> None:
        """Has the host look at targets, which are asked nothing, under these names."""
        self._host.inspect(tuple(named.items()))

    def findings(self, name: str, target: Target) -> tuple[Finding, ...]:
        """What the checks of one target came to.

        Raises:
            HostLost, StoreError: the host cannot answer at all.
            GenerationFailed: they could not be made.
        """
        if name not in self._inspected:
            self.inspect({name: target})
            self._inspected[name] = self._host.findings(name)
        inspected = self._inspected[name]
        if inspected.failure is not None:
            raise GenerationFailed(inspected.failure)
        return inspected.findings

    def obtain(self, trial: Trial, *, is_between: bool = False) -> None:
        """Waits for a trial's answers, judging others if ``is_between`` tests; errors come from ``judged``."""
        name, self._is_between = trial.id, is_between
        try:
            if name not in self._submitted:
                self.submit([trial])
            if name not in self._settled:
                self._settled[name] = self._host.obtain(name)
        except Exception as error:
            self._settled[name] = error

    def replies(self, trial: Trial) -> Settled:
        """The trial's replies; the ones obtained before, or obtained now.

        Raises:
            HostLost, StoreError: the host cannot answer at all.
            GenerationFailed: a request ended in a Failure.
        """
        settled = self._obtained(trial)
        assert isinstance(settled, Settled), "only of probes the host tells no more than that they pass"
        if settled.replies and isinstance(settled.replies[-1], Failure):
            raise GenerationFailed(settled.replies[-1].reason)
        return settled

    def judged(self, trial: Trial) -> Judged:
        """The trial's decision, with its record.

        Raises:
            HostLost, StoreError, GenerationFailed, UnreadableFile, JudgeError: the trial is an ERROR, not a failure.
        """
        settled = self._obtained(trial)
        if isinstance(settled, Passed):
            judged = Judged(settled.record)
        else:
            judged = self._judging.judged(trial, self.replies(trial))
        del self._settled[trial.id]  # of thousands of answers only the one at hand is kept
        return judged

    def decide(self, case: Case, judge_replies: dict[int, tuple[Reply, ...]]) -> Decision:
        """What the probe's judges come to on one case."""
        return self._judging.decide(case, judge_replies)

    def error_record(self, trial: Trial, reason: str) -> TrialRecord:
        """The record of a trial that has no verdict because the harness broke."""
        settled = self._settled.get(trial.id)
        if isinstance(settled, Passed):
            return replace(settled.record, outcome="error", reason=reason, score=None, flags=(), verdicts=()).readable()
        known = settled if isinstance(settled, Settled) else Settled(trial.id, ())
        return replace(record_of(trial, known, None, self._worker), reason=reason).readable()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _obtained(self, trial: Trial) -> Settled | Passed:
        self.obtain(trial)
        settled = self._settled[trial.id]
        if isinstance(settled, Exception):
            raise settled
        return settled

    @property
    def _host(self) -> HostClient:
        self._client = self._client or HostClient(self._address(), self._run, self._use_the_wait)
        return self._client

    def _use_the_wait(self) -> bool:
        """Judges an answer that came before its turn; whether there was one."""
        self._while_waiting()
        return self._is_between and self._judging.judge_early(self._host.come)

    def _chosen(self, suite: SuiteReading) -> dict[str, list[Probe]]:
        """The suite's probes under the run's plan and limit, by their files."""
        if suite.name not in self._by_file:
            probes, limit = (self.drawn(suite) or suite).probes, self._options.limit
            probes = probes if limit is None else matrix.limited(probes, limit)
            files: dict[str, list[Probe]] = {}
            for probe in probes:
                files.setdefault(probe.file, []).append(probe)
            self._by_file[suite.name] = files
        return self._by_file[suite.name]
