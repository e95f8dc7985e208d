"""The judges' rates beside what people's labels make of them."""

from __future__ import annotations

from evalkit.report_page.embedding import shown
from evalkit.report_page.table_markup import Cell, interval_drawing, table, words
from evalkit.reporting.review_words import names_words
from evalkit.reviewing import Rate, RateRow, ReviewedRates
from evalkit.stats import percent

_EVERY = "all"
_COLUMNS = ("read by people", "as the judges say", "with labels in their place", "corrected")
_MEANING = (
    "With labels in their place: each label counts instead of its verdict, the judges are believed in the rest. "
    "Corrected: what people would have said of every answer."
)


def reviewed_block(found: ReviewedRates | None) -> str:
    """A row for every target and category; nothing where nobody labelled anything."""
    if found is None or not found.labelled:
        return ""
    targets = {row.target for row in found.rows}
    first = "target, category" if len(targets) > 1 else f"category of {targets.pop() or 'every target'}"
    rows = [(_name(row) if len(targets) > 1 else row.category or _EVERY, _cells(row)) for row in found.rows]
    who = f" by {names_words(found.reviewers)}" if found.reviewers else ""
    note = f"{found.labelled} of {found.answers} answers carry labels{who}. {_MEANING}"
    made = table("Pass rates as judged, as reviewed, and corrected", [first, *_COLUMNS], rows)
    return f'{made}<p class="quiet">{shown(note)}</p>{_cautions(found)}'


def _cautions(found: ReviewedRates) -> str:
    """What to mind of every row, folded: a long review has much of it."""
    said = [f"{_name(row)}: {sentence}" for row in found.rows for sentence in _sentences(row)]
    items = "".join(f"<li>{shown(sentence)}</li>" for sentence in said)
    head = f"<details><summary>What to mind: {len(said)}</summary>"
    return f'{head}<ul class="notes">{items}</ul></details>' if said else ""


def _sentences(row: RateRow) -> tuple[str, ...]:
    why = f"no corrected rate: {row.rates.why_not}. {row.rates.way_out}" if row.rates.why_not else ""
    return (*row.rates.warnings, *((why,) if why else ()))


def _name(row: RateRow) -> str:
    return f"{row.target or 'every target'}, {row.category or _EVERY}"


def _cells(row: RateRow) -> list[Cell]:
    rates = row.rates
    read = words(f"{rates.reviewed_n} of {rates.n}")
    return [read, _cell(rates.automated), _cell(rates.reviewed), _cell(rates.corrected)]


def _cell(rate: Rate) -> Cell:
    bounds = f'<span class="bounds">{100 * rate.low:.1f}–{100 * rate.high:.1f}</span>'
    if rate.rate is None:
        return Cell(f'<span class="rate">unknown</span>{bounds}', is_quiet=True)
    counts = "" if rate.part is None else f' <span class="counts">{rate.part}/{rate.whole}</span>'
    drawing = interval_drawing(rate.rate, rate.low, rate.high)
    return Cell(
        f'<div class="drawn">{drawing}<div><span class="rate">{percent(rate.rate)}</span>{counts}{bounds}</div></div>'
    )
