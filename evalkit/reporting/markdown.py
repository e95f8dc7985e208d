"""The summary of a run as GitHub markdown, for a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from tabulate import tabulate

from evalkit.gates import GateOutcome, GateResult, false_red_sentence
from evalkit.record import TrialRecord
from evalkit.reporting import money, phrases, scores, tables
from evalkit.reporting.layout import Column
from evalkit.reporting.safe_text import for_markdown
from evalkit.reporting.summary import DEMO_STAMP, Summary, TargetSummary
from evalkit.reporting.verdict_line import verdict_line

MAX_LISTED = 200
"""Failing probes and errors shown each: GitHub refuses comments over 65,536 characters."""

MAX_REASON = 300


def summary_markdown(
    summary: Summary,
    gate_results: Sequence[GateResult] = (),
    status_sentences: Sequence[str] = (),
    *,
    status: int | None = None,
) -> str:
    """The facts of the terminal's summary, with provenance and the bounds of every rate.

    A demo run's stamp is the first and the last line; the verdict follows the title where the exit ``status`` is known.
    """
    stamp = [f"**{DEMO_STAMP}**"] if summary.run.is_demo else []
    blocks = [
        *stamp,
        f"# evalkit run {for_markdown(summary.run.run_id)}",
        _verdict(status, summary, status_sentences),
        *_target_blocks(summary),
        *_score_blocks(summary),
        *_failing_blocks(summary),
        *_record_blocks("Errors", summary.errors, summary),
        *_gate_blocks(gate_results),
        "## Run",
        _run_facts(summary),
        *stamp,
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _verdict(status: int | None, summary: Summary, sentences: Sequence[str]) -> str:
    if status is None:
        return _items(sentences)
    return f"**{for_markdown(verdict_line(status, summary, sentences))}**"


def _target_blocks(summary: Summary) -> list[str]:
    blocks = []
    if len(summary.targets) > 1:
        totals = [target.total for target in summary.targets]
        columns = [
            *tables.quality_columns(totals, summary.total),
            *tables.cost_columns(totals, summary.total),
        ]
        blocks += ["## Targets", _table("target", [target.label for target in summary.targets], columns)]
    for target in summary.targets:
        blocks += [f"## {for_markdown(target.label)} ({for_markdown(target.role)})", _category_table(target, summary)]
        notes = [*phrases.weighting_notes(target), *phrases.target_notes(target.total), *phrases.trust_notes(target)]
        blocks.append(_items(notes))
    return blocks


def _score_blocks(summary: Summary) -> list[str]:
    blocks = []
    for group in scores.score_groups(summary):
        conditions = group.table.conditions
        blocks += [
            f"## {for_markdown(group.title[0].upper() + group.title[1:])}",
            _table("condition", [item.condition for item in conditions], scores.condition_columns(group)),
            _table("category", [row.category for row in group.table.categories], scores.category_columns(group)),
            _signal_table(group),
            _items([*scores.notes(group), *(note for item in conditions for note in scores.extremes(item))]),
        ]
    return [*blocks, for_markdown(scores.legend())] if blocks else []


def _signal_table(group: scores.ScoreGroup) -> str:
    names = [name for name, _ in group.signals]
    return _table("mean of", names, scores.signal_columns(group)) if names else ""


def _category_table(target: TargetSummary, summary: Summary) -> str:
    columns = tables.category_columns(target.rows, summary.total)
    if summary.total.unscored:
        columns.append(tables.bounds_column(target.rows))
    if summary.total.fabricated:
        columns.append(Column("fabricated", tuple(str(row.fabricated) for row in target.rows)))
    columns += tables.trust_columns(summary, target.trust, with_corrected=True)
    return _table("category", [row.name for row in target.rows], columns)


def _table(label_header: str, labels: Sequence[str], columns: Sequence[Column]) -> str:
    cells = [column.cells for column in columns]
    return tabulate(
        list(zip([for_markdown(label) for label in labels], *cells, strict=True)),
        headers=[label_header, *(column.header for column in columns)],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["left", *("right" for _ in columns)],
    )


def _failing_blocks(summary: Summary) -> list[str]:
    expected = summary.expected_failures
    reference = f"Reference targets: {expected} failing, as they may; not listed." if expected else ""
    return [*_record_blocks("Failing probes", summary.failing, summary), reference]


def _record_blocks(title: str, records: Sequence[TrialRecord], summary: Summary) -> list[str]:
    if not records:
        return []
    rows = [
        (
            for_markdown(f"{record.file}:{record.line}"),
            for_markdown(f"{record.probe}:s{record.sample}" if record.sample else record.probe),
            for_markdown(record.target),
            for_markdown(_shortened(record.reason)),
        )
        for record in records[:MAX_LISTED]
    ]
    listed = tabulate(rows, headers=["where", "probe", "target", "reason"], tablefmt="pipe", disable_numparse=True)
    left = len(records) - MAX_LISTED
    where = f"{summary.run.out}/results.jsonl" if summary.run.out else "results.jsonl"
    return [f"## {title}: {len(records)}", listed, f"… and {left} more in {for_markdown(where)}" if left > 0 else ""]


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_REASON else text[: MAX_REASON - 1] + "…"


_MARKS: dict[GateOutcome, str] = {
    "pass": "ok",
    "warn": "**warning**",
    "fail": "**BREACHED**",
    "undecided": "not decided",
    "not_applicable": "n.a.",
}


def _gate_blocks(results: Sequence[GateResult]) -> list[str]:
    if not results:
        return []
    rows = [(_MARKS[item.outcome], for_markdown(item.gate.name), for_markdown(item.sentence)) for item in results]
    table = tabulate(rows, headers=["", "gate", "measured"], tablefmt="pipe", disable_numparse=True)
    return ["## Gates", table, for_markdown(false_red_sentence(results))]


def _run_facts(summary: Summary) -> str:
    run = summary.run
    facts = [
        ("started", datetime.fromtimestamp(run.started_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("time", phrases.duration(run.wall_s)),
        ("tokens", phrases.token_sentence(summary)),
        ("store", phrases.store_sentence(summary.total)),
        ("reviewed", run.reviewed),
        ("noise", run.noise),
        ("judges", money.judge_sentence(summary)),
        ("money", money.money_sentence(summary)),
        *(("plan", plan) for plan in run.plans),
        *(("adapter", footer) for footer in run.footers),
        *(("note", note) for note in run.notes),
        *run.provenance,
        ("log", run.log),
        ("command", run.command),
    ]
    return _items(f"{name}: {value}" for name, value in facts if value)


def _items(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {for_markdown(sentence)}" for sentence in sentences)
