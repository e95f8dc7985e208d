"""The end of a run: what it came to, which gates hold, the reports, what the terminal prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from evalkit.calibration import Calibration
from evalkit.ci_surfaces import add_junit_properties, github_lines, show_step_summary
from evalkit.errors import EvalkitError, StoreError
from evalkit.gates import Gate, evaluate, exit_status
from evalkit.gating import MAIN, aliases_of, surroundings
from evalkit.ledger import Ledger
from evalkit.opening import reading_session
from evalkit.reading.gates import read_gates
from evalkit.record import TrialRecord
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.kept import kept_report
from evalkit.reporting.run_words import has_page
from evalkit.reporting.summary import summarise
from evalkit.reporting.terminal import summary_lines
from evalkit.reporting.verdict_line import verdict_line
from evalkit.reviewed import Reviewed, inherited, rates_of
from evalkit.run_facts import drawn_of, left_out, plan_facts, run_facts
from evalkit.store.calibrations import read_calibrations
from evalkit.target import Target
from evalkit.trial_texts import RunTexts

if TYPE_CHECKING:
    from evalkit.reporting.figure_deltas import Earlier

_FULL_TRACEBACKS = 3
_STYLES: dict[str, dict[str, bool]] = {
    "plain": {}, "good": {"green": True}, "bad": {"red": True}, "note": {"light": True}, "title": {"bold": True},
}  # fmt: skip


class Closing:
    """Made once, when everything has been reported; ``status`` is the exit status of the run."""

    def __init__(self, config: pytest.Config, ledger: Ledger, pytest_status: int) -> None:
        self._config = config
        self._ledger = ledger
        self._hidden: dict[str, list[Any]] = {}
        self._session = reading_session(config, ledger)
        records = tuple(ledger.records.values())
        gates = self._gates(records)
        self._aliases = aliases_of(self._targets(records))
        baseline = config.getoption("evalkit_baseline") or MAIN
        folder = config.invocation_params.dir
        texts = self._texts(records)
        self._reviewed = self._inherited(records, texts)
        around = surroundings(gates, self._session.workspace, baseline, folder, self._aliases, lambda: self._reviewed)
        self._results = evaluate(gates, records, ledger.selected, around)
        self._limits = self._max_unscored(records)
        self.status, self._sentences = exit_status(
            pytest_status, records, self._results, other_failures=ledger.other_failures,
            max_unscored=self._limits, selected=ledger.selected,
        )  # fmt: skip
        facts = run_facts(ledger, self._session, records, texts, self._targets(records), self._reviewed)
        self._summary = summarise(records, run=facts, calibrations=self._calibrations())
        if records:
            self._write(texts)
        verdict = verdict_line(self.status, self._summary, self._sentences)
        add_junit_properties(config, ledger.run_id, verdict, self._results)

    @property
    def facts(self) -> dict[str, Any]:
        """What the store keeps of the run so that its gates can be decided again later, and its reports made."""
        return {
            "selected": self._ledger.selected,
            "max_unscored": self._limits,
            "aliases": self._aliases,
            "plans": {drawn.suite: plan_facts(drawn) for drawn in drawn_of(self._session, self._summary.records)},
            "report": kept_report(self._summary.run, self._results, self._sentences),
        }

    def print(self, reporter: Any) -> None:
        """Writes the tables and what follows them; failing probes are listed here and not by pytest once more."""
        for name, reports in self._hidden.items():
            _keep_probes(reporter.stats, name, reports, 0)
        if not self._summary.records and not self._sentences:
            for sentence in left_out(self._session, self._ledger, ()):
                reporter.write_line(sentence)
            return  # nothing but files that cannot be read: pytest has shown them
        reporter.write_sep("=", "evalkit")
        for line in summary_lines(self._summary, self._results, self._sentences, status=self.status):
            reporter.write_line(line.text, **_STYLES[line.style])
        ledger = self._ledger
        for command in github_lines(ledger.workspace, self._summary.records, self._results, self.status):
            reporter.write_line(command)

    def hide_most(self, reporter: Any) -> None:
        """Leaves pytest the first few failing probes and broken trials to show in full; ``restore`` undoes it."""
        for name in ("failed", "error"):
            reports = list(reporter.stats.get(name, ()))
            self._hidden[name] = reports
            _keep_probes(reporter.stats, name, reports, _FULL_TRACEBACKS)

    def restore(self, reporter: Any) -> None:
        """Gives pytest all its reports back, for its last line."""
        for name, reports in self._hidden.items():
            if reports:
                reporter.stats[name] = reports

    def _gates(self, records: tuple[TrialRecord, ...]) -> tuple[Gate, ...]:
        given = self._config.getoption("evalkit_gates")
        if "none" in given:
            return ()
        base = self._config.invocation_params.dir
        try:
            files = [*self._session.table.gate_files, *(base / name for name in given)]
            gates = [gate for file in files for gate in read_gates(file, self._session.workspace)]
            for suite in self._session.suites(records):
                gates += suite.settings.gates
        except EvalkitError as error:
            self._ledger.note(str(error))
            self._ledger.other_failures += 1
            return ()
        return tuple(gates)

    def _calibrations(self) -> tuple[Calibration, ...]:
        try:
            return read_calibrations(self._session.workspace)
        except EvalkitError as error:
            self._ledger.note(str(error))
            return ()

    def _max_unscored(self, records: tuple[TrialRecord, ...]) -> dict[str, float]:
        given = self._config.getoption("evalkit_max_unscored")
        suites = self._session.suites(records)
        return {suite.name: suite.settings.max_unscored if given is None else given for suite in suites}

    def _targets(self, records: tuple[TrialRecord, ...]) -> tuple[Target, ...]:
        """The targets of the run in plan order, those of suites with conditions of their own included."""
        try:
            own = [self._session.targets_of(suite) for suite in self._session.suites(records)]
            return tuple(dict.fromkeys(target for targets in (*own, self._session.targets) for target in targets))
        except EvalkitError:
            return ()

    def _inherited(self, records: tuple[TrialRecord, ...], texts: RunTexts) -> Reviewed | None:
        """What people said of equal answers before; a store that cannot be read says nothing."""
        try:
            file, run = self._session.workspace.store_file, self._ledger.run_id
            hashes = {trial: own.text_hash for trial, own in texts.by_trial.items() if own.text_hash}
            return inherited(file, records, hashes, run) if hashes else None
        except StoreError as error:
            self._ledger.note(f"{error} People's labels are left out.")
            return None

    @property
    def _is_whole(self) -> bool:
        """Whether every trial that was planned was selected."""
        return all(chosen == planned for chosen, planned in self._ledger.selected.values())

    def _texts(self, records: tuple[TrialRecord, ...]) -> RunTexts:
        """What the trials were asked and answered, as far as the store has it."""
        if not any(record.generations or record.questions for record in records):
            return RunTexts()
        try:
            return RunTexts.of(self._session.workspace.store_file, records)
        except StoreError as error:
            self._ledger.note(f"{error} The reports hold no conversations.")
            return RunTexts()

    def _write(self, texts: RunTexts) -> None:
        # Pages and plots: a run that only collects pays for none.
        from evalkit.exporting.run_files import write_page, write_run
        from evalkit.reporting.run_figures import run_figures

        records = self._summary.records
        said = self._reviewed
        run = FinishedRun(
            self._summary, texts.by_trial, tuple(self._results), self.status, tuple(self._sentences),
            said.labels if said else (), rates_of(said, records),
        )  # fmt: skip
        figures, out = run_figures(self._summary), self._ledger.out
        before, missing = self._before()
        try:
            write_run(out, run, figures, before)
        except OSError as error:
            self._sentences += (f"The reports cannot be written to {self._ledger.out}: {error}.",)
            self.status = self.status or 1
            return
        page = write_page(out, run, figures, is_whole=self._is_whole, before=before)
        complaints = (missing, page, show_step_summary(out / "summary.md"))
        self._sentences += tuple(complaint for complaint in complaints if complaint)

    def _before(self) -> tuple[Earlier | None, str]:
        """The baseline that summary.md and the page compare with; nothing where no page is written."""
        from evalkit.earlier import baseline_at_end
        from evalkit.reporting.figure_deltas import Earlier

        if not has_page(self._summary):
            return None, ""
        named, base = self._config.getoption("evalkit_baseline"), self._config.invocation_params.dir
        before, missing = baseline_at_end(self._session.workspace, named, MAIN, base, self._summary.records)
        return (None if before is None else Earlier(before, self._summary)), missing


def crashed_trial(config: pytest.Config, ledger: Ledger, nodeid: str) -> TrialRecord | None:
    """The ERROR record of the probe a worker died in; None when it was no probe."""
    file, _, name = nodeid.partition("::")
    path = config.rootpath / file
    workspace = ledger.workspace
    if not workspace.is_probe_file(path):
        return None
    session = reading_session(config, ledger)
    for trial in session.trials(path):
        if trial.name == name:
            reason = "the xdist worker crashed in this trial; run the same command again, finished answers are kept"
            return session.error_record(trial, reason)
    return None


def _keep_probes(stats: dict[str, list[Any]], name: str, reports: list[Any], kept: int) -> None:
    """Leaves the first ``kept`` probe reports of a kind, and every other test's."""
    dropped = {id(report) for report in [item for item in reports if hasattr(item, "evalkit")][kept:]}
    left = [report for report in reports if id(report) not in dropped]
    if left:
        stats[name] = left
    else:
        stats.pop(name, None)
