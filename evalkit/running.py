"""This process's part of a run: collects, submits, waits, judges, and says in each report what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evalkit.collect import ProbeFailed, ProbeFile, ProbeItem, UnreadableItem
from evalkit.controller import Controller, controller_of
from evalkit.host.client import Address
from evalkit.host.messages import Run
from evalkit.matrix import Trial
from evalkit.python_tests import planned_trial
from evalkit.reporting.safe_text import for_terminal
from evalkit.session import Options, Session
from evalkit.workspace import Workspace


class PytestRun:
    """One per process that runs items: an xdist worker, or pytest itself without -n."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._input: dict[str, Any] | None = getattr(config, "workerinput", {}).get("evalkit")
        self._controller: Controller | None = None if self._input else controller_of(config)
        facts = self._input or controller_of(config).worker_input(with_address=False)
        self.session = Session(
            Workspace(Path(facts["workspace"])),
            options_of(config),
            Run(facts["run"], facts["workspace"], config.getoption("evalkit_fresh"), facts["record"]),
            self._address,
            while_waiting=self._controller.draw_status if self._controller else lambda: None,
            worker=getattr(config, "workerinput", {}).get("workerid", "main"),
        )
        self._selected: dict[str, int] = {}

    def collect(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """The file as a collector, if it is a probe file of any workspace."""
        workspace = Workspace.of(path)
        if workspace is None or not (self.session.workspace.is_probe_file(path) or workspace.is_probe_file(path)):
            return None
        return ProbeFile.of(parent, path, self.session)

    def keep_only_unreadable(self, items: list[pytest.Item]) -> None:
        """With --eval-strict-files and a broken file: its ERROR is all that is left to run."""
        unreadable: list[pytest.Item] = [item for item in items if isinstance(item, UnreadableItem)]
        if unreadable and self.config.getoption("evalkit_strict_files"):
            self.config.hook.pytest_deselected(items=[item for item in items if item not in unreadable])
            items[:] = unreadable

    def submit(self, items: Sequence[pytest.Item]) -> None:
        """Hands the whole selected plan to the host; nothing is started where nothing would be run."""
        trials = []
        for item in items:
            trial = trial_of(item, self.session)
            if trial is not None:
                trials.append(trial)
            if isinstance(item, ProbeItem):
                suite = item.trial.probe.suite
                self._selected[suite] = self._selected.get(suite, 0) + 1
        counts = {suite: (self._selected.get(suite, 0), planned) for suite, planned in self._planned().items()}
        if self._controller is not None:
            self._controller.count(counts)
        else:
            self.config.workeroutput["evalkit"] = counts  # type: ignore[attr-defined]
        if trials and not self.config.option.collectonly and not self.config.getoption("setupplan", False):
            self.session.submit(trials)

    def obtain(self, item: pytest.Item) -> None:
        """Waits for the answers of one item."""
        if self.config.getoption("setupplan", False):
            return
        trial = trial_of(item, self.session)
        if trial is not None:
            self.session.obtain(trial)

    def complete(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
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
        report.evalkit = _utf8_safe(record.to_dict())  # type: ignore[attr-defined]

    def _expect_of_reference(self, item: ProbeItem, report: pytest.TestReport) -> None:
        """A reference target is expected to misbehave: its failures are xfailed."""
        if item.trial.target.role == "reference" and item.judged is not None:
            report.outcome = "skipped"
            report.wasxfail = f"reference target: {for_terminal(item.judged.decision.reason)}"

    def _address(self) -> Address:
        if self._controller is not None:
            return self._controller.address()
        assert self._input is not None
        return Address(**self._input["address"])

    def _planned(self) -> dict[str, int]:
        try:
            return self.session.planned()
        except Exception:
            return {}

    def close(self) -> None:
        self.session.close()


def trial_of(item: pytest.Item, session: Session) -> Trial | None:
    """The trial an item needs: its own, or the one its ``probe`` marker plans."""
    if isinstance(item, ProbeItem):
        return item.trial
    return planned_trial(item, session)


def options_of(config: pytest.Config) -> Options:
    """The --eval- options as the session wants them."""
    from evalkit.reading.targets import TargetChoice

    option = config.getoption
    choice = TargetChoice(
        targets=tuple(option("evalkit_target")),
        models=tuple(option("evalkit_model")),
        adapters=tuple(option("evalkit_adapter")),
        quantisations=tuple(option("evalkit_quant")),
        conditions=tuple(option("evalkit_condition")),
        decodings=tuple(option("evalkit_decoding")),
        engine=option("evalkit_engine"),
    )
    return Options(
        choice, samples=option("evalkit_samples"), limit=option("evalkit_limit"), seed=option("evalkit_seed")
    )


def _utf8_safe(value: Any) -> Any:
    """Lone surrogates as U+FFFD: one of them in a report kills an xdist run."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _utf8_safe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_utf8_safe(item) for item in value]
    return value
