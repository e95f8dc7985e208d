"""This process's part of a run: collects, submits, waits, judges, and says in each report what came of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from evalkit.collect import ProbeFailed, ProbeFile, ProbeItem, UnreadableItem
from evalkit.controller import NAME as CONTROLLER
from evalkit.controller import Controller
from evalkit.errors import EvalkitError
from evalkit.host.address import Address
from evalkit.host.messages import Run
from evalkit.matrix import Trial
from evalkit.options import RUN_NAME, options_of
from evalkit.planned import planned_trial
from evalkit.reading.garbage import no_garbage_search
from evalkit.reporting.safe_text import for_terminal
from evalkit.session import Session
from evalkit.workspace import Workspace


class PytestRun:
    """One per process that runs items: an xdist worker, or pytest itself without -n. A plugin of its own."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._input: dict[str, Any] | None = getattr(config, "workerinput", {}).get("evalkit")
        self._process = os.getpid()
        self._only_plans: bool = config.getoption("setupplan", False)
        self._controller: Controller | None = config.pluginmanager.getplugin(CONTROLLER)
        facts = self._input or self._own_controller.worker_input(with_address=False)
        config.option.evalkit_adapter = facts["adapters"]  # a worker has read the user's patterns, and not the folders
        self.session = Session(
            Workspace(Path(facts["workspace"])),
            options_of(config),
            Run(
                facts["run"],
                facts["workspace"],
                config.getoption("evalkit_fresh"),
                facts["record"],
                config.getoption("evalkit_max_usd"),
                when_busy=config.getoption("evalkit_when_busy"),
            ),
            self._address,
            while_waiting=self._controller.draw_status if self._controller else lambda: None,
            worker=getattr(config, "workerinput", {}).get("workerid", "main"),
        )

    def collect(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """The file as a collector, if it is a probe file of any workspace."""
        workspace = Workspace.of(path)
        if workspace is None or not (self.session.workspace.is_probe_file(path) or workspace.is_probe_file(path)):
            return None
        return ProbeFile.of(parent, path, self.session)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """With --eval-strict-files and a broken file: its ERROR is all that is left to run."""
        unreadable: list[pytest.Item] = [item for item in items if isinstance(item, UnreadableItem)]
        if unreadable and self.config.getoption("evalkit_strict_files"):
            self.config.hook.pytest_deselected(items=[item for item in items if item not in unreadable])
            items[:] = unreadable

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Hands the whole selected plan to the host; nothing is started where nothing would be run."""
        trials = []
        selected: Counter[str] = Counter()
        for item in session.items:
            trial = trial_of(item, self.session)
            if trial is not None:
                trials.append(trial)
            if isinstance(item, ProbeItem):
                selected[item.trial.probe.suite] += 1
                item.file.hooks = item.file.hooks or item.file.ihook
        counts = {suite: (selected[suite], planned) for suite, planned in self._planned().items()}
        if self._controller is not None:
            self._controller.ledger.selected.update(counts)
        else:
            self.config.workeroutput["evalkit"] = counts  # type: ignore[attr-defined]
        if trials and not self.config.option.collectonly and not self._only_plans:
            self.session.submit(trials, is_order=self._input is None)  # a worker judges only some of them
            if self._input is None:
                self.session.expect(item.trial for item in session.items if isinstance(item, ProbeItem))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Calls the host where its answers are the first thing that is waited for; until they come there is time."""
        first = next(iter(session.items), None)
        is_run = not (session.testsfailed or self.config.option.collectonly or self._only_plans)
        with no_garbage_search():
            if is_run and self._input is None and isinstance(first, ProbeItem):
                self.session.begin(first.trial)
                self._own_controller.prepare_end()
            self.session.keep_readings()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Waits for the item's answers where no timeout of another plugin counts it."""
        if not self._only_plans:
            trial = trial_of(item, self.session)
            if trial is not None:
                self.session.obtain(trial, is_between=True)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self._complete(item, call, report)
        if isinstance(item, ProbeItem):
            report.keywords = item.same_keywords(report.keywords)
        return report

    def pytest_unconfigure(self) -> None:
        self.session.close()

    def _complete(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Puts the trial's record into the report of the phase that decided it."""
        if call.when == "setup" and report.failed and isinstance(item, (ProbeItem, UnreadableItem)):
            assert call.excinfo is not None
            report.longrepr = item.repr_failure(call.excinfo)
        if not isinstance(item, ProbeItem):
            return
        if call.when == "setup" and report.failed:
            reason = str(call.excinfo.value) if call.excinfo is not None else "setup failed"
            record = self.session.error_record(item.trial, reason)
        elif item.judged is not None and (call.when == "call" or (call.when == "setup" and report.skipped)):
            record = item.judged.record
            if report.failed and call.excinfo is not None and isinstance(call.excinfo.value, ProbeFailed):
                self._expect_of_reference(item, report)
        else:
            return
        is_handed_over = self._input is None and os.getpid() == self._process  # a plugin may fork for a test
        report.evalkit = record if is_handed_over else record.values()  # type: ignore[attr-defined]

    def _expect_of_reference(self, item: ProbeItem, report: pytest.TestReport) -> None:
        """A reference target is expected to misbehave: its failures are xfailed."""
        if item.trial.target.role == "reference" and item.judged is not None:
            report.outcome = "skipped"
            report.wasxfail = f"reference target: {for_terminal(item.judged.record.reason)}"

    def _address(self) -> Address:
        return Address(**self._input["address"]) if self._input else self._own_controller.address()

    @property
    def _own_controller(self) -> Controller:
        assert self._controller is not None, "a process without xdist's input has a controller of its own"
        return self._controller

    def _planned(self) -> dict[str, int]:
        """Nothing where the targets cannot be resolved: then every file is an ERROR that says so."""
        try:
            return self.session.planned()
        except EvalkitError:
            return {}


def trial_of(item: pytest.Item, session: Session) -> Trial | None:
    """The trial an item needs: its own, or what its ``probe`` marker plans. A wrong marker is told by its fixture."""
    if isinstance(item, ProbeItem):
        return item.trial
    try:
        return planned_trial(item, session)
    except EvalkitError:
        return None


def run_of(config: pytest.Config) -> PytestRun:
    """This process's run, made and registered when the first probe or fixture needs it."""
    run: PytestRun | None = config.pluginmanager.getplugin(RUN_NAME)
    if run is None:
        run = PytestRun(config)
        config.pluginmanager.register(run, RUN_NAME)
    return run
