"""The controller's part of a run: the host's lease, the status line, the records, the exit status and the reports."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.status_line import StatusLine
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.closing import Closing
    from evalkit.host.client import Address
    from evalkit.host.launch import Launcher
    from evalkit.host.messages import Status
    from evalkit.record import TrialRecord
    from evalkit.store.runs import RunStore

CONTROLLER: pytest.StashKey[Controller] = pytest.StashKey()


class Controller:
    """One per pytest run, in the process the user started."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.started_at = time.time()
        self.run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(self.started_at))}-{secrets.token_hex(2)}"
        self.workspace = workspace_of(config)
        self.records: dict[str, TrialRecord] = {}
        self.selected: dict[str, tuple[int, int]] = {}
        self.notes: list[str] = []
        self.other_failures = 0
        self.loads = 0
        self.generated_tokens = 0
        self.generating_s = 0.0
        self.closing: Closing | None = None
        self._launcher: Launcher | None = None
        self._store: RunStore | None = None
        self._is_store_broken = False
        self._line = StatusLine(config)

    @property
    def log(self) -> Path:
        return self.workspace.state / f"host-{self.run_id}.log"

    @property
    def out(self) -> Path:
        given = self.config.getoption("evalkit_out")
        folder = self.config.invocation_params.dir / given if given else self.workspace.out
        return folder / self.run_id

    @property
    def host_was_started(self) -> bool:
        return self._launcher is not None and self._launcher.starts > 0

    def address(self) -> Address:
        """Where the host can be reached; it starts when somebody calls."""
        if self._launcher is None:
            from evalkit.host.launch import Launcher

            self._launcher = Launcher(self.log, self._on_status)
        return self._launcher.address

    def worker_input(self, *, with_address: bool = True) -> dict[str, Any]:
        """What an xdist worker must know; plain values."""
        record = self.config.getoption("evalkit_record")
        plain: dict[str, Any] = {
            "run": self.run_id,
            "workspace": str(self.workspace.root),
            "record": str(self.config.invocation_params.dir / record) if record else None,
        }
        return {**plain, "address": asdict(self.address())} if with_address else plain

    def count(self, selected: dict[str, tuple[int, int]]) -> None:
        """Takes a worker's count: suite → (selected trials, trials of the whole plan)."""
        self.selected.update({suite: (chosen, planned) for suite, (chosen, planned) in selected.items()})

    def draw_status(self) -> None:
        self._line.draw()

    def clear_status(self) -> None:
        self._line.clear()

    def log_report(self, report: pytest.TestReport) -> None:
        """Keeps a trial's record, in memory and in the store; counts failures of anything else."""
        self._line.clear()
        plain = getattr(report, "evalkit", None)
        if plain is not None:
            from evalkit.record import TrialRecord

            record = TrialRecord.from_dict(plain)
            self.records[record.trial] = record
            self._remember(record)
        elif report.failed and not hasattr(report, "wasxfail"):
            self.other_failures += 1

    def crashed(self, nodeid: str, report: pytest.TestReport) -> None:
        """A worker died in a probe: that trial is an ERROR, and the next run resumes."""
        from evalkit.closing import crashed_trial

        record = crashed_trial(self, nodeid)
        if record is not None:
            report.when = "setup"
            report.evalkit = record.to_dict()  # type: ignore[attr-defined]

    def finish(self, session: pytest.Session) -> None:
        """Ends the lease, decides the exit status, writes the reports."""
        self._line.clear()
        self.close()
        if self.closing is None and (self.records or self.selected):
            from evalkit.closing import Closing

            self.closing = Closing(self, int(session.exitstatus))
            session.exitstatus = self.closing.status
            self._end_run(self.closing.status)

    def close(self) -> None:
        """Ends the lease; safe to call twice."""
        if self._launcher is not None:
            self._launcher.close()
            if self._launcher.starts > 1:
                self.note(f"The model host was lost and started again. Host log: {self.workspace.shown(self.log)}")

    def _remember(self, record: TrialRecord) -> None:
        import sqlite3

        from evalkit.errors import StoreError

        if self._is_store_broken:
            return
        try:
            if self._store is None:
                from evalkit.store.database import open_database
                from evalkit.store.runs import RunStore

                self._store = RunStore(open_database(self.workspace.store_file).connection)
                self._store.begin(self.run_id, self.started_at, {"argv": list(self.config.invocation_params.args)})
            self._store.put(self.run_id, [record])
        except (StoreError, sqlite3.Error, OSError) as error:
            self._is_store_broken = True
            self.note(f"The store cannot be written ({error}); the reports under reports/out are complete.")

    def _end_run(self, status: int) -> None:
        import sqlite3

        if self._store is not None:
            with suppress(sqlite3.Error):
                self._store.finish(self.run_id, time.time(), status)
            self._store.close()
            self._store = None

    def note(self, sentence: str) -> None:
        """Keeps a sentence for the end of the run, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def _on_status(self, status: Status) -> None:
        """Called from the launcher's thread."""
        self.loads = max(self.loads, status.loads)
        self.generated_tokens = max(self.generated_tokens, status.tokens)
        self.generating_s = max(self.generating_s, status.generating_s)
        if status.note:
            self.note(status.note)
        self._line.take(status)


def controller_of(config: pytest.Config) -> Controller:
    """The controller of this run, made when first needed."""
    if CONTROLLER not in config.stash:
        config.stash[CONTROLLER] = Controller(config)
    return config.stash[CONTROLLER]


def is_named(config: pytest.Config, path: Path) -> bool:
    """Whether the command line names the suite ``path`` is in, or ``evalkit_collect = always`` names them all."""
    if config.getini("evalkit_collect") == "always":
        return True
    return any(path.is_relative_to(place) for place in _named_suites(config))


def names_a_suite(config: pytest.Config) -> bool:
    """Whether the command line names a suite, a file of one, or a folder of suites."""
    return bool(_named_suites(config))


def _named_suites(config: pytest.Config) -> list[Path]:
    base = config.invocation_params.dir
    places = (Path(os.path.normpath(base / str(argument).split("::")[0])) for argument in config.args)
    return [place for place in places if "suites" in place.parts]


def workspace_of(config: pytest.Config) -> Workspace:
    """The workspace of the first suite the command line names, else the root folder's."""
    base = config.invocation_params.dir
    for argument in config.args:
        found = Workspace.of(base / str(argument).split("::")[0])
        if found is not None:
            return found
    return Workspace(config.rootpath)
