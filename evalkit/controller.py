"""The controller's part of a run: the host's lease, the status line, the records, the end."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import ExitStack, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.ledger import Ledger
from evalkit.options import RUN_NAME, expand_adapters, names_a_suite, progress_interval_s, workspace_of
from evalkit.reading.garbage import end_without_search, no_garbage_search, rare_garbage_search
from evalkit.status_line import StatusLine

if TYPE_CHECKING:
    from evalkit.closing import Closing
    from evalkit.host.address import Address
    from evalkit.host.launch import Launcher
    from evalkit.host.messages import Status
    from evalkit.record import TrialRecord
    from evalkit.store.runs import RunStore
    from evalkit.target import Target

NAME = "evalkit-controller"
_FLUSH_EVERY_S = 0.2


class Controller:
    """A plugin of the process the user started; with -n it runs no item itself."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.ledger = _new_ledger(config)
        self._closing: Closing | None = None
        self._launcher: Launcher | None = None
        self._store: RunStore | None = None
        self._unstored: list[TrialRecord] = []
        self._stored_at = 0.0
        self._is_store_broken = False
        self._is_warm = False
        self._until_end = ExitStack()
        self._targets: tuple[Target, ...] = ()
        log = self.ledger.workspace.shown(self.ledger.log)
        self._line = StatusLine(config, log, progress_interval_s(config))

    def address(self) -> Address:
        """Where the host can be reached; it starts when somebody calls."""
        if self._launcher is None:
            from evalkit.host.launch import Launcher

            self._launcher = Launcher(self.ledger.log, self._on_status)
        return self._launcher.address

    def worker_input(self, *, with_address: bool = True) -> dict[str, Any]:
        """What a process that runs items must know; plain values."""
        record = self.config.getoption("evalkit_record")
        plain: dict[str, Any] = {
            "run": self.ledger.run_id,
            "workspace": str(self.ledger.workspace.root),
            "record": str(self.config.invocation_params.dir / record) if record else None,
            "adapters": self.config.getoption("evalkit_adapter"),
        }
        return {**plain, "address": asdict(self.address())} if with_address else plain

    def prepare_end(self) -> None:
        """Imports what the end of the run needs while this process waits; there it says what is wrong with it."""
        with suppress(Exception):
            import evalkit.closing
            import evalkit.exporting.run_files  # noqa: F401

    def draw_status(self) -> None:
        self._store_records()
        self._line.draw()

    def print_summary(self, reporter: Any) -> None:
        if self._closing is not None:
            self._closing.print(reporter)

    def pytest_sessionstart(self) -> None:
        """A mistake in the targets or the plan is said once, before any worker starts; adapters are looked up here."""
        if self.config.getoption("evalkit_adapter"):
            from evalkit.errors import EvalkitError

            try:
                expand_adapters(self.config)
            except EvalkitError as error:
                raise pytest.UsageError(str(error)) from None
        if names_a_suite(self.config):
            with no_garbage_search():
                from evalkit.opening import check_command_line

                self._targets = check_command_line(self.config, self.ledger)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self) -> None:
        self._begin_host(is_alone=False)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        self._begin_host(is_alone=True)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tells a new xdist worker where the host is; the host starts only if a worker calls."""
        node.workerinput["evalkit"] = self.worker_input()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Every worker collected the same; the last one's count stands."""
        counts = getattr(node, "workeroutput", {}).get("evalkit", {})
        self.ledger.selected.update({suite: (chosen, planned) for suite, (chosen, planned) in counts.items()})

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """A worker died in a probe: that trial is an ERROR, and the next run resumes."""
        from evalkit.closing import crashed_trial

        record = crashed_trial(self.config, self.ledger, crashitem)
        if record is not None:
            report.when = "setup"
            report.evalkit = record.to_dict()  # type: ignore[attr-defined]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """Where suites are run thousands of reports and records come in that all stay until the end."""
        if names_a_suite(self.config):
            self._until_end.enter_context(rare_garbage_search())
            end_without_search()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Before pytest writes the name of the next file or item."""
        self._line.clear()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keeps a trial's record, in memory and in the store; counts failures of anything else."""
        self._line.clear()
        found = getattr(report, "evalkit", None)
        if found is not None and found is not True:
            from evalkit.record import TrialRecord

            record = TrialRecord.from_dict(found) if isinstance(found, dict) else found
            self.ledger.records[record.trial] = record
            report.evalkit = True  # type: ignore[attr-defined]  # the terminal keeps every report, the ledger the record
            self._remember(record)
        elif found is None and report.failed and not hasattr(report, "wasxfail"):
            self.ledger.other_failures += 1

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Ends the lease, decides the exit status, writes the reports."""
        self._line.clear()
        self._measure_noise(session)
        self._end_lease()
        if self._closing is None and (self.ledger.records or self.ledger.selected):
            from evalkit.closing import Closing

            self._store_records()
            with no_garbage_search():
                self._closing = Closing(self.config, self.ledger, int(session.exitstatus))
            session.exitstatus = self._closing.status
            self._end_run(self._closing)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, None, None]:
        """pytest shows the first few failing probes in full; all are back for its last line."""
        if self._closing is None:
            return (yield)
        self._closing.hide_most(terminalreporter)
        try:
            return (yield)
        finally:
            self._closing.restore(terminalreporter)

    def pytest_unconfigure(self) -> None:
        self._until_end.close()
        self._end_lease()
        if self._launcher is not None:
            self._launcher.close()
        self._store_records()
        if self._store is not None:
            self._store.close()

    def _begin_host(self, *, is_alone: bool) -> None:
        """The host starts while probes are collected; also without xdist's workers, which start meanwhile."""
        if not self._targets or self._launcher is not None:
            return
        from evalkit.opening import kinds_to_prepare, runs_items

        if runs_items(self.config, self.ledger.workspace):
            self.address()
            assert self._launcher is not None
            kinds = kinds_to_prepare(self.config, self.ledger.workspace, self._targets, is_alone=is_alone)
            self._launcher.begin(kinds)

    def _measure_noise(self, session: pytest.Session) -> None:
        """Asks some probes again, while the host still has the weights; not after an interrupt or a crash."""
        probes = self.config.getoption("evalkit_noise")
        is_over = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not session.shouldfail
        if probes is None or self._launcher is None or not is_over or self.ledger.noise is not None:
            return
        from evalkit.noise_measuring import measure_noise

        running = self.config.pluginmanager.getplugin(RUN_NAME)
        if running is not None:
            running.session.close()  # the host waits for whoever has not read what it sends
        measure_noise(self.config, self.ledger, probes, self.address, self.draw_status)
        self._line.clear()

    def _end_lease(self) -> None:
        """Safe to call twice."""
        if self._launcher is None:
            return
        self._launcher.end()
        self.ledger.host_was_started = self._launcher.is_used
        if self._launcher.starts > 1:
            log = self.ledger.workspace.shown(self.ledger.log)
            self.ledger.note(f"The model host was lost and started again. Host log: {log}")

    def _warm_up(self, status: Status) -> None:
        """Imports what the end of the run needs, drawing too, while the host computes."""
        if self._is_warm or status.phase not in ("loading", "generating"):
            return
        self._is_warm = True
        self.prepare_end()
        from evalkit.exporting.run_files import load_drawing

        load_drawing(status.total)

    @property
    def _run_facts(self) -> dict[str, Any]:
        return {"argv": list(self.ledger.command)}

    def _remember(self, record: TrialRecord) -> None:
        """Stores it; records that come in quick succession go into one transaction."""
        self._unstored.append(record)
        if time.monotonic() - self._stored_at >= _FLUSH_EVERY_S:
            self._store_records()

    def _store_records(self) -> None:
        records, self._unstored = self._unstored, []
        if not records or self._is_store_broken:
            return
        from evalkit.errors import StoreError
        from evalkit.store.runs import RunStore

        try:
            if self._store is None:
                self._store = RunStore.open(self.ledger.workspace.store_file)
                self._store.begin(self.ledger.run_id, self.ledger.started_at, self._run_facts)
            self._store.put(self.ledger.run_id, records)
            self._stored_at = time.monotonic()
        except StoreError as error:
            self._is_store_broken = True
            self.ledger.note(f"{error} The reports of this run are complete all the same.")

    def _end_run(self, closing: Closing) -> None:
        from evalkit.errors import StoreError

        if self._store is not None and not self._is_store_broken:
            try:
                noise = {} if self.ledger.noise is None else {"noise": self.ledger.noise.to_dict()}
                self._store.describe(self.ledger.run_id, {**self._run_facts, **closing.facts, **noise})
                self._store.finish(self.ledger.run_id, time.time(), closing.status)
            except StoreError as error:
                self.ledger.note(str(error))

    def _on_status(self, status: Status) -> None:
        """Called from the launcher's thread."""
        self.ledger.loads = max(self.ledger.loads, status.loads)
        self.ledger.generated_tokens = max(self.ledger.generated_tokens, status.tokens)
        self.ledger.served_tokens = max(self.ledger.served_tokens, status.served_tokens)
        self.ledger.generating_s = max(self.ledger.generating_s, status.generating_s)
        self.ledger.usd = max(self.ledger.usd, status.usd)
        if status.note:
            self.ledger.note(status.note)
        self._line.take(status)
        with suppress(Exception):  # the end of the run imports it again, and says what is wrong
            self._warm_up(status)


def _new_ledger(config: pytest.Config) -> Ledger:
    started_at = time.time()
    run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(started_at))}-{os.urandom(2).hex()}"
    workspace = workspace_of(config)
    given = config.getoption("evalkit_out")
    out = (config.invocation_params.dir / given if given else workspace.out) / run_id
    words = tuple(str(part) for part in config.invocation_params.args)
    return Ledger(run_id, started_at, workspace, out, words, max_usd=config.getoption("evalkit_max_usd"))
