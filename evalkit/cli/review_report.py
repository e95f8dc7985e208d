"""``evalkit review report RUN``: the judges' rates beside those of people, and how far each can be trusted."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from evalkit.cli.places import workspace_at
from evalkit.cli.review_sheets import run_of
from evalkit.errors import UsageError
from evalkit.record import TrialRecord
from evalkit.reporting.phrases import counted
from evalkit.reporting.review_words import counted_words, names_words, rate_words
from evalkit.reporting.safe_text import for_terminal
from evalkit.reporting.summary import DEMO_STAMP
from evalkit.review import Label
from evalkit.reviewed import Reviewed, reviewed
from evalkit.reviewing import (
    CorrectedRates,
    ErrorRow,
    PairAgreement,
    Settled,
    agreements,
    disputes,
    error_sentences,
    judge_errors,
    krippendorff_alpha,
    settled,
)

MAX_DISPUTED = 20
ALL = "all"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that ``report`` prints; ``rates`` are by target, the last for all of them where there are several.

    ``categories`` are the same by target and category, where a target has several.
    """

    run: str
    state: Reviewed
    rates: dict[str, CorrectedRates]
    categories: dict[tuple[str, str], CorrectedRates]
    errors: tuple[ErrorRow, ...]
    pairs: tuple[PairAgreement, ...]
    alpha: float | None
    disputed: tuple[Settled, ...]
    is_demo: bool


def run(arguments: argparse.Namespace) -> int:
    """Exit 0.

    Raises:
        UsageError: there is no such run, or nobody labelled any of it.
    """
    workspace = workspace_at(Path.cwd())
    name, records = run_of(workspace, arguments.run)
    state = reviewed(workspace.store_file, name, records)
    if not state.labels:
        raise UsageError(f"Run {name}: nobody labelled any of its answers. Begin with: evalkit review {name}")
    report = _report(name, records, state)
    if arguments.json:
        print(json.dumps(_plain(report)))
    else:
        stamp = [DEMO_STAMP] if report.is_demo else []
        print(for_terminal_lines([*stamp, *_lines(report), *stamp]))
    return 0


def for_terminal_lines(lines: Sequence[str]) -> str:
    """The lines with hostile text made harmless."""
    return "\n".join(for_terminal(part) for line in lines for part in line.split("\n"))


def _report(run: str, records: Sequence[TrialRecord], state: Reviewed) -> Report:
    independent = [label for label in state.labels if not label.adjudicates]
    rows = [(row.target or ALL, row.category, row.rates) for row in state.table().rows]
    rates = {target: found for target, category, found in rows if category is None}
    categories = {(target, category): found for target, category, found in rows if category is not None}
    return Report(
        run, state, rates, categories, judge_errors(state.population, state.labels), agreements(independent),
        krippendorff_alpha([label.value for label in said.labels] for said in settled(independent).values()),
        disputes(state.labels), any(record.is_demo for record in records),
    )  # fmt: skip


def _lines(report: Report) -> list[str]:
    state = report.state
    head = f"run {report.run}: {state.labelled} of {counted(len(state.population), 'answer')} carry labels"
    blind = [label.blind for said in settled(state.labels).values() for label in said.labels]
    seen = f", {blind.count(True)} of {counted(len(blind), 'label')} blind"
    rows = [{"target": target, **_cells(rates)} for target, rates in report.rates.items()]
    lines = [f"{head} of {names_words(state.names)}{seen}", "", "pass rates, with 95 % intervals", _table(rows)]
    lines += [*_caution_lines(report), *_category_lines(report)]
    lines += ["", "the judges against the labels", *(f"  {line}" for line in error_sentences(report.errors))]
    return [*lines, *_reviewer_lines(report), *_dispute_lines(report)]


def _caution_lines(report: Report) -> list[str]:
    """What is to be known of the rates; what holds for every target is said once."""
    several = len(report.rates) > 1
    first = next(iter(report.rates.values()))
    common = [one for one in first.warnings if all(one in rates.warnings for rates in report.rates.values())]
    lines = []
    for target, rates in report.rates.items():
        of = f"{target}: " if several else ""
        if rates.why_not:
            way_out = "" if any(rates.way_out in warning for warning in rates.warnings) else f". {rates.way_out}"
            lines.append(f"{of}no corrected rate: {rates.why_not}; it may be anything in {_range(rates)}{way_out}")
        lines += [f"{of}{warning}" for warning in rates.warnings if warning not in common]
    return [*lines, *common]


def _cells(rates: CorrectedRates) -> dict[str, str]:
    return {
        "reviewed": f"{rates.reviewed_n}/{rates.n}", "judges": counted_words(rates.automated),
        "judges and labels": counted_words(rates.reviewed),
        "corrected": "-" if rates.why_not else rate_words(rates.corrected),
    }  # fmt: skip


def _table(rows: Sequence[dict[str, str]]) -> str:
    return tabulate(rows, headers="keys", disable_numparse=True, stralign="left")


def _category_lines(report: Report) -> list[str]:
    """The same by category, wide where little was read; of several targets each with a column that names it."""
    if not report.categories:
        return []
    several = len(report.rates) > 1
    rows = [
        {
            **({"target": target} if several else {}), "category": category, **_cells(rates),
            "corrected": rate_words(rates.corrected),
        }
        for (target, category), rates in report.categories.items()
    ]  # fmt: skip
    lines = ["", "by category", _table(rows)]
    if any(rates.why_not for rates in report.categories.values()):
        draw = f"evalkit review {report.run} --category NAME --budget N"
        lines.append(f"unknown: too little was drawn and read. Have more of a category read: {draw}")
    return lines


def _range(rates: CorrectedRates) -> str:
    return f"{100 * rates.corrected.low:.1f}–{100 * rates.corrected.high:.1f} %"


def _reviewer_lines(report: Report) -> list[str]:
    if not report.pairs:
        return []
    lines = ["", "reviewers"]
    for pair in report.pairs:
        kappa = "not defined" if pair.kappa is None else f"{pair.kappa:.2f}"
        lines.append(
            f"  {pair.first} and {pair.second}: {pair.agreeing} of {pair.n} labels agree, Cohen's kappa {kappa}"
        )
    alpha = "not defined" if report.alpha is None else f"{report.alpha:.2f}"
    return [*lines, f"  all: Krippendorff's alpha {alpha}"]


def _dispute_lines(report: Report) -> list[str]:
    if not report.disputed:
        return []
    still = sum(said.is_open for said in report.disputed)
    wait = f", {still} of them undecided" if still else ", all of them decided"
    lines = ["", f"disputed: {len(report.disputed)}{wait}"]
    trials = {trial.text_hash: trial.trial for trial in reversed(report.state.population)}
    for said in report.disputed[:MAX_DISPUTED]:
        lines.append(f"  {trials[said.text_hash]}: {', '.join(map(_said, said.labels))} → {came_to(said)}")
    if len(report.disputed) > MAX_DISPUTED:
        lines.append(f"  … and {len(report.disputed) - MAX_DISPUTED} more")
    if any(not said.is_adjudicated for said in report.disputed):
        lines.append(f"next: evalkit review disputes {report.run}")
    return lines


def _said(label: Label) -> str:
    why = f" ({label.note})" if label.note else ""
    return f"{label.reviewer} {label.value}{why}"


def came_to(said: Settled) -> str:
    """What the reviewers of a text come to, in a word or two."""
    if said.is_open:
        return "undecided"
    outcome = {True: "correct", False: "wrong", None: "nobody can say"}[said.truth]
    return f"{outcome}, adjudicated" if said.is_adjudicated else outcome


def _plain(report: Report) -> dict[str, Any]:
    trials = {trial.text_hash: trial.trial for trial in reversed(report.state.population)}
    overall = report.rates.get(ALL) or next(iter(report.rates.values()))
    return {
        "run": report.run, "demo": report.is_demo, "labelled": report.state.labelled,
        "answers": len(report.state.population), "reviewers": list(report.state.names),
        "targets": {name: asdict(rates) for name, rates in report.rates.items() if name != ALL},
        "all": asdict(overall),
        "categories": [
            {"target": None if target == ALL else target, "category": category, **asdict(rates)}
            for (target, category), rates in report.categories.items()
        ],
        "judge_errors": [asdict(row) for row in report.errors], "sentences": list(error_sentences(report.errors)),
        "pairs": [asdict(pair) for pair in report.pairs], "alpha": report.alpha,
        "disputed": [
            {
                "trial": trials[said.text_hash], "text_hash": said.text_hash, "came_to": came_to(said),
                "labels": [label.to_dict() for label in said.labels],
            }
            for said in report.disputed
        ],
    }  # fmt: skip
