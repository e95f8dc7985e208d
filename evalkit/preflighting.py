"""Preflight checks as pytest items (``--eval-preflight``): one item a target and check, and nothing is asked."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.errors import EvalkitError

if TYPE_CHECKING:
    from evalkit.preflight import Check, Finding
    from evalkit.session import Session
    from evalkit.target import Target

NAME = "evalkit-preflight"
NODE = "preflight"
"""What every item's id begins with: ``preflight::demo+steady:nf4::lora_b``."""


class PreflightFailed(Exception):
    """A check failed; its sentence says why and what to do."""


class Preflight:
    """A plugin of every process of a run that only checks its targets."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._told: dict[str, tuple[str, str]] = {}

    def pytest_sessionstart(self) -> None:
        """A target that cannot be is said once, in one sentence."""
        from evalkit.running import run_of

        if hasattr(self._config, "workerinput"):
            return
        try:
            _ = run_of(self._config).session.targets
        except EvalkitError as error:
            raise pytest.UsageError(str(error)) from None

    @pytest.hookimpl(tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> pytest.CollectReport | None:
        """In the place of what the command line names, the checks are collected."""
        if not isinstance(collector, pytest.Session):
            return None
        checks: list[pytest.Item | pytest.Collector] = [Checks.from_parent(collector, name=NODE, nodeid=NODE)]
        return pytest.CollectReport(collector.nodeid, "passed", None, checks)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Has the host look at the targets of the selected items, weights by weights."""
        config = self._config.option
        items = [item for item in session.items if isinstance(item, CheckItem)]
        if items and not config.collectonly and not config.setupplan:
            items[0].eval_session.inspect({item.target_name: item.target for item in items})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if not isinstance(item, CheckItem):
            return report
        if call.when == "setup" and report.failed and call.excinfo is not None:
            report.longrepr = item.repr_failure(call.excinfo)
        elif item.finding is not None and call.when == item.deciding_phase:
            report.evalkit_finding = (item.finding.level, item.finding.sentence)  # type: ignore[attr-defined]
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = getattr(report, "evalkit_finding", None)
        if told is not None:
            self._told[report.nodeid] = (told[0], told[1])

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """What was found, so that a warning is seen although its item passed; with -v also what passed."""
        if not self._told:
            return
        from evalkit.reporting.safe_text import for_terminal

        terminalreporter.section("evalkit preflight")
        grouped: dict[str, list[tuple[str, str, str]]] = {}
        for nodeid, told in self._told.items():
            _, target, check = nodeid.split("::")
            grouped.setdefault(target, []).append((check, *told))
        for target, lines in grouped.items():
            passed = sum(level == "pass" for _, level, _ in lines)
            terminalreporter.write_line(f"{target}  {passed} of {len(lines)} pass", bold=True)
            for check, level, sentence in lines:
                if level != "pass" or terminalreporter.verbosity > 0:
                    line = f"  {level}  {check:8}  {for_terminal(sentence)}"
                    terminalreporter.write_line(line, red=level == "fail", yellow=level == "warn")


class Checks(pytest.Collector):
    """All checks of the run's targets."""

    def collect(self) -> Iterator[pytest.Collector]:
        from evalkit.preflight import named
        from evalkit.running import run_of

        session = run_of(self.config).session
        for name, target in named(session.targets).items():
            made: TargetChecks = TargetChecks.from_parent(self, name=name, nodeid=f"{self.nodeid}::{name}")
            made.target, made.eval_session = target, session
            yield made


class TargetChecks(pytest.Collector):
    """The checks of one target: of its weights and adapters, whatever its condition and decoding."""

    target: Target
    eval_session: Session

    def collect(self) -> Iterator[pytest.Item]:
        from evalkit.preflight import checks_of

        for check in checks_of(self.target):
            made: CheckItem = CheckItem.from_parent(self, name=check, nodeid=f"{self.nodeid}::{check}")
            made.target, made.target_name, made.check = self.target, self.name, check
            made.eval_session = self.eval_session
            yield made


class CheckItem(pytest.Item):
    """One check of one target."""

    target: Target
    target_name: str
    check: Check
    eval_session: Session
    finding: Finding | None = None

    @property
    def deciding_phase(self) -> str:
        return "setup" if self.finding is not None and self.finding.level == "skip" else "call"

    def setup(self) -> None:
        """Obtains what was found; where nothing could be looked at, that is an ERROR."""
        if self.config.option.setupplan:
            return
        found = self.eval_session.findings(self.target_name, self.target)
        self.finding = next(finding for finding in found if finding.check == self.check)
        if self.finding.level == "skip":
            from evalkit.report_text import reason_text

            pytest.skip(reason_text(self.finding.sentence))

    def runtest(self) -> None:
        if self.finding is not None and self.finding.level == "fail":
            raise PreflightFailed(self.finding.sentence)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, (PreflightFailed, EvalkitError)):
            from evalkit.report_text import error_text

            return f"{self.target_name}, {self.check}: {error_text(excinfo.value)}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.path, None, f"{self.target_name}::{self.name}"
