"""The summary at the end of a run, as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from typing import Literal

from evalkit.gates import GateOutcome, GateResult, false_red_sentence
from evalkit.record import TrialRecord
from evalkit.reporting import money, phrases, scores, tables
from evalkit.reporting.layout import cut, display_width, figures_width, folded, padded, squeezed, table
from evalkit.reporting.run_words import file_lines
from evalkit.reporting.safe_text import for_terminal, shortened
from evalkit.reporting.summary import DEMO_STAMP, Summary
from evalkit.reporting.verdict_line import verdict_line

Style = Literal["plain", "good", "bad", "note", "title"]

MAX_LISTED = 40
MAX_ERROR_CHARS = 2_000
MIN_REASON_WIDTH = 24
MIN_OVERVIEW_LABEL_WIDTH = 16


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text and how it may be coloured."""

    text: str
    style: Style = "plain"


Section = list[Line]


def summary_lines(
    summary: Summary,
    gate_results: Sequence[GateResult],
    status_sentences: Sequence[str],
    *,
    width: int = 80,
    status: int | None = None,
) -> list[Line]:
    """Everything a run has to say, never wider than ``width``, hostile text made harmless.

    The verdict where the exit ``status`` is known, then the rates per target and category, targets side by side,
    failing probes, errors, gates, what they decide, and where everything is. A demo run's stamp comes first and last.
    """
    stamp = [Line(DEMO_STAMP, "note")] if summary.run.is_demo else []
    verdict = [] if status is None else _folded(verdict_line(status, summary, status_sentences), width, "title")
    said = status_sentences if status is None else ()
    sections = [
        stamp,
        verdict,
        *_target_sections(summary, width),
        *_overview_sections(summary, width),
        *_score_sections(summary, width),
        _failing_section(summary, width),
        _error_section(summary, width),
        gate_section(gate_results, {record.suite for record in summary.records}, said, width),
        _closing_section(summary, width),
        stamp,
    ]
    lines = [line for section in sections if section for line in (*section, Line(""))]
    return [Line(cut(line.text, width), line.style) for line in lines[:-1]]


def _target_sections(summary: Summary, width: int) -> list[Section]:
    rows = [row for target in summary.targets for row in target.rows]
    if not rows:
        return []
    labels = [for_terminal(row.name) for row in rows]
    # One table cut into blocks: every target's columns stand under each other.
    trust = [item for target in summary.targets for item in target.trust]
    columns = [
        *tables.category_columns(rows, summary.total),
        *tables.trust_columns(summary, trust, with_corrected=False),
    ]
    header, rule, *lines = table("category", labels, columns, width)
    sections, start = [], 0
    for target in summary.targets:
        end = start + len(target.rows)
        title = _folded(f"{target.label} ({target.role})", width, "title")
        said = [*phrases.weighting_notes(target), *phrases.target_notes(target.total), *phrases.trust_notes(target)]
        notes = [line for note in said for line in _folded(note, width, "note")]
        sections.append([*title, *map(Line, (header, rule, *lines[start:end])), *notes])
        start = end
    return sections


def _overview_sections(summary: Summary, width: int) -> list[Section]:
    """The targets side by side: one table, or two where the labels would have to give way too much."""
    if len(summary.targets) < 2:
        return []
    totals = [target.total for target in summary.targets]
    names, shared = _short_labels(summary)
    labels = [names[target.label] for target in summary.targets]
    title = Line(f"targets, all {shared}" if shared else "targets", "title")
    quality, cost = tables.quality_columns(totals, summary.total), tables.cost_columns(totals, summary.total)
    wanted = min(MIN_OVERVIEW_LABEL_WIDTH, max(map(display_width, labels)))
    if not cost or figures_width([*quality, *cost]) + wanted <= width:
        return [[title, *map(Line, table("target", labels, [*quality, *cost], width))]]
    return [
        [title, *map(Line, table("target", labels, quality, width))],
        list(map(Line, table("target", labels, cost, width))),
    ]


def _score_sections(summary: Summary, width: int) -> list[Section]:
    """Mean scores by condition of every target, and its lowest ones; categories and signals where there is one."""
    groups = scores.score_groups(summary)
    is_single = len({group.target for group in groups}) == 1
    sections = []
    for group in groups:
        labels = [for_terminal(item.condition) for item in group.table.conditions]
        lines = table("condition", labels, scores.condition_columns(group), width)
        notes = [*scores.notes(group), *scores.extremes(group.table.conditions[0])]
        if is_single:
            names = [for_terminal(row.category) for row in group.table.categories]
            lines += ["", *table("category", names, scores.category_columns(group), width)]
        if is_single and group.signals:
            names = [for_terminal(name) for name, _ in group.signals]
            lines += ["", *table("mean of", names, scores.signal_columns(group), width)]
        section = [*_folded(group.title, width, "title"), *map(Line, lines)]
        sections.append(section + [line for note in notes for line in _folded(note, width, "note")])
    if groups:
        sections.append(_folded(scores.legend(), width, "note"))
    return sections


def _failing_section(summary: Summary, width: int) -> Section:
    failing = summary.failing
    lines = []
    if failing:
        folder = _common_folder(failing)
        names, _ = _short_labels(summary)
        whose = ""
        if len({record.target for record in failing}) == 1:
            whose = f" of {names[failing[0].target]}"
            names = {failing[0].target: ""}
        where = f", in {for_terminal(folder)}" if folder else ""
        lines += _folded(f"failing probes{whose}: {len(failing)}{where}", width, "title")
        lines += [_failing_line(record, folder, names, width) for record in failing[:MAX_LISTED]]
        lines += _more(len(failing) - MAX_LISTED, summary, width)
    if summary.expected_failures:
        lines.append(Line(f"reference targets: {summary.expected_failures} failing, as they may; not listed", "note"))
    return lines


def _failing_line(record: TrialRecord, folder: str, names: dict[str, str], width: int) -> Line:
    file = record.file.removeprefix(f"{folder}/") if folder else record.file
    head = for_terminal(f"{file}:{record.line} {_probe(record)} {names[record.target]}".rstrip())
    return Line(cut(f"{squeezed(head, width - 3 - MIN_REASON_WIDTH)} — {for_terminal(record.reason)}", width), "bad")


def _error_section(summary: Summary, width: int) -> Section:
    errors = summary.errors
    if not errors:
        return []
    lines = [Line(f"errors: {len(errors)}", "title")]
    # One cause usually takes many trials with it: the reason in full once, then the trials it cost.
    by_reason = sorted(errors[:MAX_LISTED], key=lambda record: record.reason)
    for reason, records in groupby(by_reason, key=lambda record: record.reason):
        said = shortened(for_terminal(reason), MAX_ERROR_CHARS)
        lines += [Line(line, "bad") for line in folded(said, width, 2)]
        lines += [Line(f"  {squeezed(for_terminal(record.trial), width - 2)}") for record in records]
    return lines + _more(len(errors) - MAX_LISTED, summary, width)


_MARKS: dict[GateOutcome, tuple[str, Style]] = {
    "pass": ("ok", "good"),
    "warn": ("WARNING", "note"),
    "fail": ("BREACHED", "bad"),
    "undecided": ("not decided", "note"),
    "not_applicable": ("n.a.", "note"),
}


def gate_section(
    results: Sequence[GateResult], present: Collection[str], status_sentences: Sequence[str], width: int
) -> Section:
    """A gate's result each; those of suites that are not ``present`` are only counted."""
    lines = [Line("gates", "title")] if results else []
    absent = Counter(result.gate.suite for result in results if result.gate.suite not in present)
    for suite, count in absent.items():
        what = f"{phrases.counted(count, 'gate')} of suite {suite}, which is not in this run"
        lines += _folded(what, width, "note", "n.a.")
    for result in results:
        if result.gate.suite in absent:
            continue
        mark, style = _MARKS[result.outcome]
        sentence = result.sentence.removeprefix("not decided: ").removeprefix("not applicable: ")
        lines += _folded(f"{result.gate.name}: {sentence}", width, style, mark)
    chance = false_red_sentence(results)
    for sentence in (*([chance] if chance else []), *status_sentences):
        lines += _folded(sentence, width, "note")
    return lines


def _closing_section(summary: Summary, width: int) -> Section:
    run = summary.run
    facts = [
        *(("plan", plan) for plan in run.plans),
        *(("adapter", footer) for footer in run.footers),
        *(("note", note) for note in run.notes),
        ("reviewed", run.reviewed),
        ("noise", run.noise),
        ("tokens", phrases.token_sentence(summary)),
        ("store", phrases.store_sentence(summary.total)),
        ("judges", money.judge_sentence(summary)),
        ("money", money.money_sentence(summary)),
        ("time", phrases.duration(run.wall_s)),
        *(("files", line) for line in file_lines(summary)),
        ("log", run.log),
    ]
    return [line for name, text in facts if text for line in _folded(text, width, "plain", name)]


def _folded(text: str, width: int, style: Style, mark: str = "") -> Section:
    """A sentence over as many lines as it needs, indented beside its mark."""
    indent = 13 if mark in {word for word, _ in _MARKS.values()} else 9 if mark else 0
    lines = folded(for_terminal(text), width - indent)
    return [Line(f"{padded(mark if number == 0 else '', indent)}{line}", style) for number, line in enumerate(lines)]


def _more(count: int, summary: Summary, width: int) -> Section:
    if count <= 0:
        return []
    where = f"{summary.run.out}/review.csv" if summary.run.out else "review.csv"
    return _folded(f"… and {count} more in {where}", width, "note")


def _probe(record: TrialRecord) -> str:
    return f"{record.probe}:s{record.sample}" if record.sample else record.probe


def _short_labels(summary: Summary) -> tuple[dict[str, str], str]:
    names, shared = tables.distinguishing([target.label for target in summary.targets])
    return {label: for_terminal(name) for label, name in names.items()}, for_terminal(shared)


def _common_folder(records: Sequence[TrialRecord]) -> str:
    """The folder that holds every one of these files, or nothing."""
    parents = [PurePosixPath(record.file).parent.parts for record in records]
    shared = 0
    while all(len(parts) > shared for parts in parents) and len({parts[shared] for parts in parents}) == 1:
        shared += 1
    return "/".join(parents[0][:shared])
