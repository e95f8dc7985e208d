"""Rates of a review in words."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.reviewing import CorrectedRates, Rate


def rate_words(rate: Rate) -> str:
    """``97.9 % (95.1–99.3)``; without a rate only what it may be."""
    ends = f"{100 * rate.low:.1f}–{100 * rate.high:.1f}"
    return f"unknown ({ends})" if rate.rate is None else f"{100 * rate.rate:.1f} % ({ends})"


def counted_words(rate: Rate) -> str:
    """``289/300 96.3 % (93.5–97.9)``."""
    return rate_words(rate) if not rate.whole else f"{rate.part}/{rate.whole} {rate_words(rate)}"


def names_words(names: Sequence[str]) -> str:
    """``anna``, ``anna and ben``, ``anna, ben and carl``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def reviewed_sentence(labelled: int, n: int, names: Sequence[str], rates: CorrectedRates) -> str:
    """``11 of 300 answers carry labels of anna and ben; corrected pass rate 97.9 % (95.1–99.3)``."""
    carry = "carries" if labelled == 1 else "carry"
    what = f"corrected pass rate {rate_words(rates.corrected)}"
    if rates.why_not:
        what = f"no corrected pass rate: {rates.why_not}. {rates.way_out}"
    return f"{labelled} of {n} answers {carry} labels of {names_words(names)}; {what}"
