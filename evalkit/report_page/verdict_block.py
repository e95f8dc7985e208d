"""The first thing a reader sees: what the run came to, why, and which gates hold."""

from __future__ import annotations

from collections.abc import Iterable

from evalkit.gates import GateOutcome, GateResult, false_red_sentence
from evalkit.report_page.embedding import shown
from evalkit.report_page.links import trials_link
from evalkit.reporting import phrases
from evalkit.reporting.figure_nouns import RunFigures
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.run_words import fact_lines
from evalkit.reporting.summary import DEMO_STAMP, Summary
from evalkit.stats import percent

UNFINISHED = ("NOT FINISHED", "bad", "■")
_WORDS = {0: ("PASSED", "good", "✓"), 1: ("FAILED", "bad", "✗"), None: ("FINISHED", "none", "·")}
_GATES: dict[GateOutcome, tuple[str, str, str]] = {
    "pass": ("holds", "good", "✓"),
    "warn": ("warning", "mid", "!"),
    "fail": ("breached", "bad", "✗"),
    "undecided": ("not decided", "mid", "?"),
    "not_applicable": ("not applicable", "none", "–"),
}
_SHOWN_ABOVE = ("note: ", "reviewed: ")
_ORDER: tuple[GateOutcome, ...] = ("fail", "undecided", "warn", "pass", "not_applicable")


def verdict_word(run: FinishedRun) -> str:
    """``PASSED``, ``FAILED``, how pytest ended otherwise, or ``FINISHED`` where nobody kept the status."""
    return _word(run)[0]


def verdict_kind(run: FinishedRun) -> str:
    """``good``, ``bad`` or ``none``, as the page colours it."""
    return _word(run)[1]


def stamp_block(run: FinishedRun) -> str:
    """The stamp of a demo run, nothing elsewhere."""
    return f'<p class="stamp">{shown(DEMO_STAMP)}</p>' if run.summary.run.is_demo else ""


def verdict_block(run: FinishedRun, figures: RunFigures) -> str:
    """Word, reasons, the counts that matter most, gates, notes."""
    word, kind, sign = _word(run)
    return (
        f'<div class="verdict {kind}"><p class="word"><span class="sign" aria-hidden="true">{sign}</span>{word}</p>'
        f'<div class="why">{_reasons(run)}{_ended(run)}</div></div>'
        f"{_counts(run, figures)}{_gates(run.gate_results)}{_notes(run.summary)}"
    )


def facts_block(summary: Summary) -> str:
    """Where the run came from: plans, adapters, time, tokens, money, engines, the command."""
    lines = [f"run: {summary.run.run_id}", *fact_lines(summary)]
    facts = [line.partition(": ") for line in lines if not line.startswith(_SHOWN_ABOVE)]
    rows = "".join(f"<div><dt>{shown(name)}</dt><dd>{shown(value)}</dd></div>" for name, _, value in facts)
    return f'<dl class="facts">{rows}</dl>'


def _word(run: FinishedRun) -> tuple[str, str, str]:
    return _WORDS.get(run.status, ("STOPPED", "bad", "■")) if run.is_finished else UNFINISHED


def _reasons(run: FinishedRun) -> str:
    sentences = run.sentences or (_plain_sentence(run.summary),)
    return "".join(f"<p>{shown(sentence)}</p>" for sentence in sentences)


def _plain_sentence(summary: Summary) -> str:
    failing, errors = len(summary.failing), len(summary.errors)
    return (
        f"{phrases.counted(failing, 'failing probe')}, {phrases.counted(errors, 'error')}, "
        f"{phrases.counted(summary.total.n, 'trial')}"
    )


def _ended(run: FinishedRun) -> str:
    if not run.is_finished:
        return ""
    known = {
        None: "Its exit status is not known.", 0: "Exit status 0.", 1: "Exit status 1.",
    }  # fmt: skip
    return f'<p class="quiet">{known.get(run.status, f"Stopped early: pytest’s exit status {run.status}.")}</p>'


def _counts(run: FinishedRun, figures: RunFigures) -> str:
    summary, total = run.summary, figures.total
    failing, expected = len(summary.failing), summary.expected_failures
    references = sum(target.role == "reference" for target in summary.targets)
    targets = phrases.counted(len(summary.targets), "target") + (f", {references} for reference" if references else "")
    reference = f"{expected} more on reference targets, as they may" if expected else ""
    subjects = "subject" if references else None
    tiles = [
        _tile(total.n, "trials", targets),
        _tile(failing, "failing probes", reference, outcome="fail", role=subjects),
        _tile(total.unscoreds.part, "unscored", _of(total.unscoreds.rate), outcome="unscored"),
        _tile(total.collapses.part, "collapsed", _of(total.collapses.rate), flag="collapsed"),
        _tile(total.fabrications.part, "fabricated", _of(total.fabrications.rate), flag="fabricated"),
        _tile(total.over_refusals.part, "over-refusals", _of(total.over_refusals.rate), kind="over refusal"),
    ]
    if total.errors.part:
        tiles.append(_tile(total.errors.part, "errors", _of(total.errors.rate), outcome="error"))
    return f'<ul class="tiles" aria-label="Counts over all targets">{"".join(tiles)}</ul>'


def _tile(count: int, name: str, small: str, **chosen: str | None) -> str:
    """A count with its name; where there are any, a link to these trials."""
    inner = (
        f'<strong>{count}</strong> <span class="name">{name.removesuffix("s") if count == 1 else name}</span>'
        f'<span class="quiet">{shown(small)}</span>'
    )
    return f"<li>{trials_link(inner, **chosen) if chosen and count else inner}</li>"


def _of(rate: float | None) -> str:
    return "" if rate is None else f"{percent(rate)} of answered"


def _gates(results: Iterable[GateResult]) -> str:
    ordered = sorted(results, key=lambda result: _ORDER.index(result.outcome))
    if not ordered:
        return '<p class="quiet none">No gate decided this run.</p>'
    rows = "".join(_gate(result) for result in ordered)
    chance = false_red_sentence(ordered)
    note = f'<p class="quiet">{shown(chance[0].upper() + chance[1:])}.</p>' if chance else ""
    head = '<h2 class="verdict-part" id="gates-name">Gates</h2>'
    return f'{head}<ul class="gates" aria-labelledby="gates-name">{rows}</ul>{note}'


def _gate(result: GateResult) -> str:
    word, kind, sign = _GATES[result.outcome]
    return (
        f'<li class="{kind}"><span class="state"><span aria-hidden="true">{sign}</span> {word}</span>'
        f"<div><strong>{shown(result.gate.name)}</strong><p>{shown(result.sentence)}</p></div></li>"
    )


def _notes(summary: Summary) -> str:
    notes = [*((summary.run.reviewed,) if summary.run.reviewed else ()), *summary.run.notes]
    if not notes:
        return ""
    rows = "".join(f"<li>{shown(note)}</li>" for note in notes)
    return (
        f'<h2 class="verdict-part" id="notes-name">Notes</h2><ul class="notes" aria-labelledby="notes-name">{rows}</ul>'
    )
