"""The end of a run: what it came to, which gates hold, the reports, what the terminal prints."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from typing import Any

import pytest

from evalkit.calibration import Calibration
from evalkit.ci_surfaces import add_junit_properties, github_lines, show_step_summary
from evalkit.errors import EvalkitError, StoreError, UsageError
from evalkit.gates import Gate, evaluate, exit_status
from evalkit.gating import MAIN, aliases_of, surroundings
from evalkit.generation import ROW_FACTS, Generation
from evalkit.host.address import Address
from evalkit.host.messages import Run
from evalkit.ledger import Ledger
from evalkit.opening import reading_session
from evalkit.options import options_of
from evalkit.reading.adapters import describe_adapter
from evalkit.reading.gates import read_gates
from evalkit.record import TrialRecord
from evalkit.remeasuring import BATCH_ROWS, remeasure
from evalkit.reporting.exports import write_run
from evalkit.reporting.summary import RunFacts, summarise
from evalkit.reporting.survey_notes import survey_notes
from evalkit.reporting.terminal import summary_lines
from evalkit.reporting.verdict_line import verdict_line
from evalkit.reviewed import Reviewed, inherited, review_sentence
from evalkit.sampling_plan import Drawn
from evalkit.session import Session
from evalkit.store.calibrations import read_calibrations
from evalkit.store.generations import GenerationStore
from evalkit.target import Target
from evalkit.trial_texts import Conversations, trial_texts

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
        self._drawn = _drawn(self._session, records)
        gates = self._gates(records)
        self._aliases = aliases_of(self._targets(records))
        baseline = config.getoption("evalkit_baseline") or MAIN
        folder = config.invocation_params.dir
        stored = self._stored(records)
        self._reviewed = self._inherited(records, stored)
        around = surroundings(gates, self._session.workspace, baseline, folder, self._aliases, lambda: self._reviewed)
        self._results = evaluate(gates, records, ledger.selected, around)
        self._limits = self._max_unscored(records)
        self.status, self._sentences = exit_status(
            pytest_status, records, self._results, other_failures=ledger.other_failures,
            max_unscored=self._limits, selected=ledger.selected,
        )  # fmt: skip
        self._summary = summarise(records, run=self._facts(records, stored), calibrations=self._calibrations())
        if records:
            self._write(stored)
        verdict = verdict_line(self.status, self._summary, self._sentences)
        add_junit_properties(config, ledger.run_id, verdict, self._results)

    @property
    def facts(self) -> dict[str, Any]:
        """What the store keeps of the run so that its gates can be decided again later."""
        return {
            "selected": self._ledger.selected,
            "max_unscored": self._limits,
            "aliases": self._aliases,
            "plans": {drawn.suite: _plan_facts(drawn) for drawn in self._drawn},
        }

    def print(self, reporter: Any) -> None:
        """Writes the tables and what follows them; failing probes are listed here and not by pytest once more."""
        for name, reports in self._hidden.items():
            _keep_probes(reporter.stats, name, reports, 0)
        if not self._summary.records and not self._sentences:
            for sentence in self._left_out(()):
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

    def _facts(self, records: tuple[TrialRecord, ...], stored: Conversations) -> RunFacts:
        ledger = self._ledger
        targets = self._targets(records)
        ordered = sorted(records, key=lambda record: (record.suite, record.file, record.line))
        present = {record.target for record in records}
        adapters = dict.fromkeys(
            adapter for target in targets if target.label in present for adapter in target.adapters
        )
        facts = _provenance(generation for _, generation in stored.values())
        if ledger.loads:
            facts["weight loads"] = str(ledger.loads)
        shown = ledger.workspace.shown
        return RunFacts(
            run_id=ledger.run_id, started_at=ledger.started_at, wall_s=time.time() - ledger.started_at,
            targets=tuple(target.label for target in targets),
            categories=tuple(dict.fromkeys(record.category for record in ordered)),
            is_demo=any(record.is_demo for record in records),
            provenance=tuple(sorted(facts.items())),
            footers=tuple(describe_adapter(adapter) for adapter in adapters),
            plans=tuple(drawn.sentence for drawn in self._drawn),
            log=shown(ledger.log) if ledger.host_was_started else "",
            out=shown(ledger.out) if records else "", command=shlex.join(["pytest", *ledger.command]),
            notes=(*ledger.notes, *self._left_out(records), *survey_notes(records, stored)),
            generated_tokens=ledger.generated_tokens, served_tokens=ledger.served_tokens,
            generating_s=ledger.generating_s, usd=ledger.usd, max_usd=ledger.max_usd,
            noise=ledger.noise.sentence if ledger.noise else "", reviewed=review_sentence(self._reviewed, records),
        )  # fmt: skip

    def _left_out(self, records: tuple[TrialRecord, ...]) -> tuple[str, ...]:
        """What is said of probes that were not run, also of suites of which none was."""
        return self._session.leaving_out.sentences(self._session.suites(records, self._ledger.selected))

    def _targets(self, records: tuple[TrialRecord, ...]) -> tuple[Target, ...]:
        """The targets of the run in plan order, those of suites with conditions of their own included."""
        try:
            own = [self._session.targets_of(suite) for suite in self._session.suites(records)]
            return tuple(dict.fromkeys(target for targets in (*own, self._session.targets) for target in targets))
        except EvalkitError:
            return ()

    def _stored(self, records: tuple[TrialRecord, ...]) -> Conversations:
        """Conversation and answer of every identity the records name."""
        return self._found(dict.fromkeys(identity for record in records for identity in record.generations))

    def _found(self, identities: Iterable[str]) -> Conversations:
        """Conversation and answer of every identity that the store has."""
        wanted = list(identities)
        if not wanted:
            return {}
        try:
            with closing(GenerationStore.open(self._session.workspace.store_file)) as store:
                return store.conversations(wanted)
        except StoreError as error:
            self._ledger.note(f"{error} The reports hold no conversations.")
            return {}

    def _inherited(self, records: tuple[TrialRecord, ...], stored: Conversations) -> Reviewed | None:
        """What people said of equal answers before; a store that cannot be read says nothing."""
        try:
            return inherited(self._session.workspace.store_file, records, stored) if stored else None
        except StoreError as error:
            self._ledger.note(f"{error} People's labels are left out.")
            return None

    def _write(self, stored: Conversations) -> None:
        records = self._summary.records
        asked = self._found(dict.fromkeys(item["identity"] for record in records for item in record.questions))
        texts = {record.trial: trial_texts(record, stored, asked) for record in records}
        try:
            write_run(self._ledger.out, self._summary, texts, self._results, self._sentences, status=self.status)
        except OSError as error:
            self._sentences += (f"The reports cannot be written to {self._ledger.out}: {error}.",)
            self.status = self.status or 1
            return
        complaint = show_step_summary(self._ledger.out / "summary.md")
        if complaint:
            self._sentences += (complaint,)


def _provenance(answers: Iterable[Generation]) -> dict[str, str]:
    """What the answers' engines say of themselves, and how many answers hung on a near tie."""
    facts: dict[str, str] = {}
    ties = 0
    for answer in answers:
        own = dict(answer.facts)
        facts |= {name: str(value) for name, value in own.items() if name not in ROW_FACTS}
        ties += bool(own.get("near_tie"))
    if ties:
        facts["answers with near ties"] = str(ties)
    return facts


def _drawn(session: Session, records: tuple[TrialRecord, ...]) -> tuple[Drawn, ...]:
    """What the run's sample plan drew from each suite; a suite that has no such plan ran nothing."""
    found = []
    for suite in session.suites(records):
        with suppress(UsageError):
            found.append(session.drawn(suite))
    return tuple(drawn for drawn in found if drawn is not None)


def _plan_facts(drawn: Drawn) -> dict[str, Any]:
    """So that the same probes can be run again, whatever becomes of the suite."""
    return {"name": drawn.plan.name, "seed": drawn.plan.seed, "sha256": drawn.digest, "ids": list(drawn.ids)}


def measure_noise(
    config: pytest.Config, ledger: Ledger, probes: int, address: Callable[[], Address], draw: Callable[[], None]
) -> None:
    """Asks up to ``probes`` of the run's probes again and puts what came of it into the ledger."""
    run = Run(
        f"{ledger.run_id}~noise", str(ledger.workspace.root), fresh=True, max_usd=ledger.max_usd, batch_rows=BATCH_ROWS
    )
    options = options_of(config)
    session = Session(ledger.workspace, options, run, address, while_waiting=draw)
    try:
        ledger.noise = remeasure(session, tuple(ledger.records.values()), probes, options.seed)
    except EvalkitError as error:
        ledger.note(f"The noise floor was not measured. {error}")
    finally:
        session.close()


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
