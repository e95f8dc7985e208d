"""Phrases that several captions share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalkit.tally import Share

RATE_TICKS = ((0.0, "0"), (0.25, "25"), (0.5, "50"), (0.75, "75"), (1.0, "100 %"))


def percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.0f} %"


def bounds(low: float, high: float) -> str:
    """``84.0–97.2 %``."""
    return f"{100 * low:.1f}–{100 * high:.1f} %"


def counted(number: int, noun: str, nouns: str = "") -> str:
    """``1 target``, ``4 targets``."""
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"


def whiskers(shares: Iterable[Share]) -> str:
    """What the whiskers of rates are."""
    if any(share.has_families for share in shares):
        return (
            "Whiskers are 95 % intervals: Wilson's, or one that respects families of probes where a family has several "
            "trials."
        )
    return "Whiskers are Wilson's 95 % intervals."


def of_all(shared: str) -> str:
    """Names what every label shared and was left out."""
    return f"All targets: {shared}." if shared else ""


def joined(sentences: Sequence[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
