"""What ``evalkit gate`` is given: a run, its results.jsonl, a baseline, or rows of scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evalkit.cli.sides import run_named
from evalkit.earlier import record_of_measured
from evalkit.errors import Problem, UnreadableFile, UsageError
from evalkit.gates import Gate
from evalkit.measured import Measured
from evalkit.record import TrialRecord
from evalkit.store.baselines import baseline_names, load_baseline
from evalkit.store.runs import RunStore
from evalkit.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Gated:
    """The trials that gates shall decide about; ``title`` is how they are called in print.

    ``is_run``: they are all that one run measured, so that failing and unscored probes count as they did then.
    ``selected``, ``max_unscored``, ``aliases`` and ``run`` are what the store knows of the run; nothing of a file.
    ``answers_of`` is the run that a baseline was written of.
    """

    title: str
    records: tuple[TrialRecord, ...]
    is_run: bool = True
    selected: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    max_unscored: Mapping[str, float] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    run: str = ""
    answers_of: str = ""


def gated(workspace: Workspace, word: str) -> Gated:
    """The run, baseline or file that a word names.

    Raises:
        UsageError: there is nothing of this name.
        UnreadableFile: the file cannot be read.
    """
    path = Path(word)
    if path.suffix == ".jsonl":
        return _lines(path, word)
    if path.suffix == ".json":
        return _baseline(workspace, path.absolute())
    name = run_named(workspace, word)
    if name is not None:
        return _run(workspace, name)
    if word in baseline_names(workspace):
        return _baseline(workspace, workspace.root / "reports" / "baselines" / f"{word}.json")
    raise UsageError(f"There is no run, baseline or file {word!r}. See: evalkit list runs")


def of_suite(source: Gated, gates: tuple[Gate, ...]) -> Gated:
    """The source with rows that name no suite in the one that the gates are about.

    Raises:
        UsageError: the gates are about several.
    """
    if all(record.suite for record in source.records):
        return source
    suites = sorted({gate.suite for gate in gates})
    if len(suites) > 1:
        named = ", ".join(suites)
        raise UsageError(
            f"{source.title}: rows name no suite, and the gates are about several: {named}. Add the key suite to rows."
        )
    suite = suites[0] if suites else ""
    return replace(source, records=tuple(replace(one, suite=one.suite or suite) for one in source.records))


def _run(workspace: Workspace, name: str) -> Gated:
    with closing(RunStore.open(workspace.store_file)) as store:
        facts = next(facts for run, *_, facts in store.runs() if run == name)
        records = store.records(name)
    known = "selected" in facts
    return Gated(
        f"run {name}", records,
        selected={suite: (chosen, planned) for suite, (chosen, planned) in facts.get("selected", {}).items()},
        max_unscored=facts.get("max_unscored", {}), aliases=facts.get("aliases", {}),
        note="" if known else "an older evalkit stored this run: whether it ran its whole plan is not known", run=name,
    )  # fmt: skip


def _lines(path: Path, shown: str) -> Gated:
    """A results.jsonl, whose lines are trials, or rows of scores."""
    if not path.is_file():
        raise UsageError(f"{shown}: there is no such file.")
    with path.open("rb") as lines:
        first = next((line for line in lines if line.strip()), b"")
    if not first:
        raise UsageError(f"{shown}: the file is empty.")
    if b'"trial"' in first:
        note = "results.jsonl does not say whether a run ran its whole plan: gates are decided as if it did"
        return Gated(shown, _results(path, shown), note=note)
    from evalkit.reading.score_rows import read_scores

    with path.open("rb") as lines:
        return Gated(shown, read_scores(lines, shown), is_run=False)


def _results(path: Path, shown: str) -> tuple[TrialRecord, ...]:
    records: dict[str, TrialRecord] = {}
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            try:
                plain: dict[str, Any] = json.loads(line)
                record = TrialRecord.from_dict({**plain, "is_demo": bool(plain.get("demo"))})
                Measured.of(record)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                message = "is no trial of a results.jsonl. Run the same command again: stored answers are kept."
                raise UnreadableFile([Problem(shown, message, number)]) from None
            if record.trial in records:
                message = f"the trial {record.trial!r} is there twice. Keep one run a file."
                raise UnreadableFile([Problem(shown, message, number)])
            records[record.trial] = record
    return tuple(records.values())


def _baseline(workspace: Workspace, file: Path) -> Gated:
    found = load_baseline(workspace, file)
    records = tuple(map(record_of_measured, found.trials))
    return Gated(f"baseline {file.stem}", records, is_run=False, answers_of=found.run)
