"""The committed baseline of a run as an earlier run: its numbers, and those of its answers that the store still has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalkit.measured import Measured
from evalkit.record import TrialRecord
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.summary import RunFacts, summarise
from evalkit.restoring import StoredTexts
from evalkit.store.baselines import baseline_file, load_baseline
from evalkit.workspace import Workspace


def baseline_at_end(
    workspace: Workspace, named: str | None, usual: str, base: Path, records: Sequence[TrialRecord]
) -> tuple[FinishedRun | None, str]:
    """What of the baseline is about the probes of a run that ends now; or why there is none, where that must be said.

    ``named`` is a name or a file relative to the folder ``base``, as the command line says it. Without it the baseline
    ``usual`` is taken where there is one. Whatever is wrong with it, the run ends as it would have.
    """
    try:
        is_file = named is not None and (named.endswith(".json") or "/" in named)
        file = base / str(named) if is_file else baseline_file(workspace, named or usual)
        if named is None and not file.is_file():
            return None, ""
        found = load_baseline(workspace, file)
        kept = _about(found.trials, records)
        return (earlier_run(workspace, f"baseline {file.stem}", kept, found.run) if kept else None), ""
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        return None, f"report.html shows no answers of the baseline: {why}"


def earlier_run(workspace: Workspace, title: str, records: Sequence[TrialRecord], run: str = "") -> FinishedRun:
    """These trials as a run of this title, with the answers that ``run`` saw, or the newest where the store has it not.

    Raises:
        StoreError: the store cannot be read.
    """
    texts = dict(StoredTexts(workspace.store_file, run, records))
    return FinishedRun(summarise(records, run=RunFacts(title, 0.0, 0.0, (), ())), texts)


def record_of_measured(trial: Measured) -> TrialRecord:
    """A trial of a baseline as a record: its numbers without its texts."""
    flags = [name for name, is_set in (("collapsed", trial.collapsed), ("fabricated", trial.fabricated)) if is_set]
    labels = {"failure_type": "OVER_REFUSAL"} if trial.over_refusal else {}
    names = dict.fromkeys((*trial.judges, *trial.optional_judges, *trial.scores, *trial.signals))
    verdicts = [
        {
            "judge": name, "outcome": trial.outcome, "judge_hash": trial.judges.get(name, ""),
            "score": trial.scores.get(name), "signals": trial.signals.get(name, {}), "labels": labels,
            "required": name not in trial.optional_judges,
        }
        for name in names
    ]  # fmt: skip
    return TrialRecord(
        trial=trial.trial, suite=trial.suite, file=trial.file, line=trial.line, probe=trial.probe,
        category=trial.category, target=trial.target, outcome=trial.outcome, reason="", sample=trial.sample,
        cluster=trial.cluster, role=trial.role, is_demo=trial.is_demo, flags=tuple(flags), verdicts=tuple(verdicts),
        generations=trial.generations, finishes=trial.finishes, probe_hash=trial.probe_hash, formerly=trial.formerly,
        words=trial.words, language=trial.language,
    )  # fmt: skip


def _about(trials: Sequence[Measured], records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The trials of the probes that these records are of, under the names these have or had."""
    wanted = {(record.file, name) for record in records for name in (record.probe, *record.formerly)}
    return [record_of_measured(trial) for trial in trials if (trial.file, trial.probe) in wanted]
