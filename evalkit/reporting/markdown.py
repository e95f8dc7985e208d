"""The summary of a run as GitHub markdown, for a pull request: the most important first, the rest folded away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from evalkit.gates import GateOutcome, GateResult, false_red_sentence
from evalkit.record import TrialRecord
from evalkit.report_page.commands import rerun_command
from evalkit.reporting import phrases, scores, tables
from evalkit.reporting.figure_nouns import Delta, RunFigures
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.layout import Column
from evalkit.reporting.markdown_tables import (
    delta_table,
    judge_table,
    rates_table,
    reviewed_table,
    suite_table,
    table,
    text_table,
)
from evalkit.reporting.review_words import names_words
from evalkit.reporting.run_words import fact_lines
from evalkit.reporting.safe_text import for_markdown, for_summary, for_terminal
from evalkit.reporting.summary import DEMO_STAMP, Summary, TargetSummary
from evalkit.reporting.verdict_line import verdict_line
from evalkit.reviewing import ReviewedRates
from evalkit.stats import percent

GITHUB_COMMENT = 65_536
"""The most characters that GitHub takes in a comment."""

LISTED = (200, 100, 50, 20, 10, 5, 1)
"""How many failing probes and errors are shown each: the most that fits."""

OPEN = 20
"""Of those, how many are shown without unfolding."""

PRETTY = 12_000
"""Characters up to which tables are lined up: what is longer is not read as text, and blanks were a third of it."""

_LINED_UP = re.compile(r" +(?=\|)|(?<=\|) +| {2,}|-{2,}")
COMMANDS = 3
MAX_REASON = 300
CUT = "\n\n*Cut here: GitHub takes no more in a comment. The whole is in the run's results.jsonl and report.html.*\n"


def summary_markdown(
    run: FinishedRun,
    figures: RunFigures,
    *,
    against: tuple[str, Sequence[Delta]] | None = None,
    limit: int = GITHUB_COMMENT,
) -> str:
    """The facts of the terminal's summary in at most ``limit`` characters, with every rate's interval and provenance.

    A demo run's stamp is the first and the last line. ``against`` is an earlier run's name and the changes since.
    """
    text = ""
    for listed in LISTED:
        for is_whole in (True, False):
            text = _text(_blocks(run, figures, against, listed, is_whole=is_whole))
            if len(text) > min(limit, PRETTY):
                text = _narrow(text)
            if len(text) <= limit:
                return text
    return text[: limit - len(CUT)] + CUT


def _text(blocks: Iterable[str]) -> str:
    return "\n\n".join(block for block in blocks if block) + "\n"


def _narrow(text: str) -> str:
    """The same without the blanks and dashes that only make tables pretty to read as text."""
    lines = text.split("\n")
    return "\n".join(_LINED_UP.sub(_one, line) if line[:1] == "|" else line for line in lines)


def _one(found: re.Match[str]) -> str:
    return " " if found.group()[0] == " " else "--"


def _blocks(
    run: FinishedRun, figures: RunFigures, against: tuple[str, Sequence[Delta]] | None, listed: int, *, is_whole: bool
) -> list[str]:
    """Everything of a run; what is not ``is_whole`` leaves the folded tables out, and says so."""
    summary = run.summary
    stamp = [f"**{DEMO_STAMP}**"] if summary.run.is_demo else []
    folded = [
        _details("All rates with their 95 % intervals", rates_table(figures, [*figures.rows, *figures.suites])),
        _details("Judges and suites, by hash", judge_table(figures.judges), suite_table(figures.asked)),
    ]
    left_out = "More tables are left out here: GitHub takes no longer comment. See report.html or results.jsonl."
    return [
        *stamp,
        f"# evalkit run {for_markdown(summary.run.run_id)}",
        _verdict(run),
        *_gate_blocks(run.gate_results),
        *_overview(summary, figures),
        *_change_blocks(figures, against),
        *_reviewed_blocks(run),
        *(block for target in summary.targets for block in _target_blocks(target, summary)),
        *_score_blocks(summary),
        *_failing_blocks(summary, listed),
        *_record_blocks("Errors", summary.errors, summary, listed),
        *(folded if is_whole else [left_out]),
        _details("The run", items(fact_lines(summary))),
        *stamp,
    ]


def _verdict(run: FinishedRun) -> str:
    if not run.is_finished:
        return f"**NOT FINISHED: {for_markdown('; '.join(run.sentences))}**"
    if run.status is None:
        return items(run.sentences)
    return f"**{for_markdown(verdict_line(run.status, run.summary, run.sentences))}**"


def _overview(summary: Summary, figures: RunFigures) -> list[str]:
    if len(summary.targets) < 2:
        return []
    totals, rows = [target.total for target in summary.targets], figures.targets
    columns = tables.quality_columns(totals, summary.total)
    if figures.tells_failures:
        columns.append(Column("fabricated", tuple(percent(row.fabrications.rate) for row in rows)))
        columns.append(Column("over-refused", tuple(percent(row.over_refusals.rate) for row in rows)))
    columns += tables.cost_columns(totals, summary.total)
    return ["## Targets", table("target", [target.label for target in summary.targets], columns)]


def _change_blocks(figures: RunFigures, against: tuple[str, Sequence[Delta]] | None) -> list[str]:
    """What changed since an earlier run, then how this run's targets differ: paired, probe by probe."""
    blocks = []
    if against is not None:
        name, deltas = against
        nothing = "No target of it is in this run, so nothing can be compared."
        blocks += [f"## Against {for_markdown(name)}", delta_table(deltas) if deltas else nothing]
        said = (delta.comparison for delta in deltas)
        blocks.append(items(dict.fromkeys(found.sentence for found in said if found.verdict != "HELD")))
    if figures.deltas:
        blocks += ["## Between the targets, probe by probe", delta_table(figures.deltas)]
        said = (delta.comparison for delta in figures.deltas)
        blocks.append(items(dict.fromkeys(found.sentence for found in said if found.verdict == "INCOMPARABLE")))
    return blocks


def _reviewed_blocks(run: FinishedRun) -> list[str]:
    """What people's labels make of the rates, and what a reader must know of that."""
    if run.reviewed is None:
        return []
    rows = run.reviewed.rows
    said = dict.fromkeys(warning for row in rows if row.category is None for warning in row.rates.warnings)
    return ["## Reviewed by people", reviewed_table(rows), items([labels_sentence(run.reviewed), *said])]


def labels_sentence(found: ReviewedRates) -> str:
    """Who read how much of a run."""
    return f"{found.labelled} of {found.answers} answers of subjects carry labels, by {names_words(found.reviewers)}"


def _target_blocks(target: TargetSummary, summary: Summary) -> list[str]:
    notes = [*phrases.weighting_notes(target), *phrases.target_notes(target.total), *phrases.trust_notes(target)]
    title = f"## {for_markdown(target.label)} ({for_markdown(target.role)})"
    return [title, _category_table(target, summary), items(notes)]


def _category_table(target: TargetSummary, summary: Summary) -> str:
    rows = target.rows
    columns = tables.category_columns(rows, summary.total)
    if summary.total.unscored:
        columns.append(tables.bounds_column(rows))
    if summary.total.fabricated:
        columns.append(Column("fabricated", tuple(f"{row.fabricated}/{row.answered}" for row in rows)))
    if summary.total.over_refused:
        columns.append(Column("over-refused", tuple(f"{row.over_refused}/{row.answered}" for row in rows)))
    columns += tables.trust_columns(summary, target.trust, with_corrected=True)
    return table("category", [row.name for row in rows], columns)


def _score_blocks(summary: Summary) -> list[str]:
    """Each judge's means by condition; its categories, signals and extremes folded below."""
    blocks = []
    for group in scores.score_groups(summary):
        conditions = group.table.conditions
        names = [name for name, _ in group.signals]
        blocks += [
            f"## {for_markdown(group.title[0].upper() + group.title[1:])}",
            table("condition", [item.condition for item in conditions], scores.condition_columns(group)),
            items(scores.notes(group)),
            _details(
                "By category, what was measured, the lowest and the highest",
                table("category", [row.category for row in group.table.categories], scores.category_columns(group)),
                table("mean of", names, scores.signal_columns(group)) if names else "",
                items(note for item in conditions for note in scores.extremes(item)),
            ),
        ]
    return [*blocks, for_markdown(scores.legend())] if blocks else []


def _failing_blocks(summary: Summary, listed: int) -> list[str]:
    expected = summary.expected_failures
    reference = f"Reference targets: {expected} failing, as they may; not listed." if expected else ""
    commands = [for_terminal(rerun_command(r.trial, summary.run.command)) for r in summary.failing[:COMMANDS]]
    fence = "`" * max(3, 1 + max((command.count("`") for command in commands), default=0))
    block = "\n".join([f"{fence}sh", *commands, fence]) if commands else ""
    return [*_record_blocks("Failing probes", summary.failing, summary, listed, block), reference]


def _record_blocks(
    title: str, records: Sequence[TrialRecord], summary: Summary, listed: int, after: str = ""
) -> list[str]:
    if not records:
        return []
    rows = [
        (
            for_markdown(f"{record.file}:{record.line}"),
            for_markdown(f"{record.probe}:s{record.sample}" if record.sample else record.probe),
            for_markdown(record.target),
            for_markdown(_shortened(record.reason)),
        )
        for record in records[:listed]
    ]
    headers = ("where", "probe", "target", "reason")
    more = rows[OPEN:]
    left = len(records) - listed
    where = f"{summary.run.out}/results.jsonl" if summary.run.out else "results.jsonl"
    return [
        f"## {title}: {len(records)}",
        text_table(headers, rows[:OPEN]),
        after,
        _details(f"{len(more)} more", text_table(headers, more)) if more else "",
        f"… and {left} more in {for_markdown(where)}" if left > 0 else "",
    ]


def _details(title: str, *blocks: str) -> str:
    """Folded away until somebody looks."""
    inside = "\n\n".join(block for block in blocks if block)
    return f"<details><summary>{for_summary(title)}</summary>\n\n{inside}\n\n</details>"


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_REASON else text[: MAX_REASON - 1] + "…"


_MARKS: dict[GateOutcome, str] = {
    "pass": "ok",
    "warn": "**warning**",
    "fail": "**BREACHED**",
    "undecided": "not decided",
    "not_applicable": "n.a.",
}
_GRAVITY: tuple[GateOutcome, ...] = ("fail", "undecided", "warn", "pass", "not_applicable")


def _gate_blocks(results: Sequence[GateResult]) -> list[str]:
    if not results:
        return []
    ordered = sorted(results, key=lambda item: _GRAVITY.index(item.outcome))
    rows = [(_MARKS[item.outcome], for_markdown(item.gate.name), for_markdown(item.sentence)) for item in ordered]
    return ["## Gates", text_table(("", "gate", "measured"), rows), for_markdown(false_red_sentence(results))]


def items(sentences: Iterable[str]) -> str:
    """A list of sentences, each made harmless."""
    return "\n".join(f"- {for_markdown(sentence)}" for sentence in sentences)
