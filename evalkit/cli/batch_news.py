"""What ``evalkit judge --batch`` says while its batches are under way, on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from evalkit.reporting.phrases import counted, duration

if TYPE_CHECKING:
    from evalkit.engines.servers.batch_engine import BatchNews


class BatchScreen:
    """A line when a batch is sent, taken up or ended; how it goes on one line of a terminal, else when that changed."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._going: list[str] = []
        self._is_drawn = False

    def take(self, news: BatchNews) -> None:
        is_first = news.batch not in self._last
        is_new = is_first or self._last[news.batch] != news.done
        self._last[news.batch] = news.done
        self._going = [batch for batch in self._going if batch != news.batch]
        self._going += [news.batch] if news.phase != "ended" else []
        if news.phase != "processing":
            self._line(news_text(news))
        elif sys.stderr.isatty():
            print(f"\r\x1b[2K{news_text(news)}", end="", file=sys.stderr, flush=True)
            self._is_drawn = True
        elif is_new:
            self._line(news_text(news))

    def interrupted(self) -> None:
        """Says that nothing is lost."""
        if self._going:
            self._line(f"{_named(sorted(self._going))} on without this command. Run it again to take up the results.")

    def _line(self, text: str) -> None:
        print(f"\r\x1b[2K{text}" if self._is_drawn else text, file=sys.stderr, flush=True)
        self._is_drawn = False


def news_text(news: BatchNews) -> str:
    """One sentence or, while the batch is processed, one line of figures."""
    from evalkit.engines.servers.pricing import dollars

    questions, left = counted(news.total, "question"), duration(news.left_s)
    if news.phase == "submitted":
        cost = "" if news.most_usd is None else f", at most {dollars(news.most_usd)}"
        return (
            f"Batch {news.batch} is sent: {questions} to {news.model}{cost}; it ends within {left}. "
            "This command may be stopped: run again, it takes up the results."
        )
    if news.phase == "resumed":
        return (
            f"Batch {news.batch} of an earlier command is taken up: {questions} to {news.model}, {left} left. "
            "Nothing is sent or paid again."
        )
    if news.phase == "ended":
        return f"Batch {news.batch} has ended: {news.done} of {questions} finished."
    return f"evalkit: batch {news.batch}  {news.model}  {news.done}/{news.total} finished  {left} left"


def _named(batches: list[str]) -> str:
    return f"Batch {batches[0]} goes" if len(batches) == 1 else f"Batches {', '.join(batches)} go"
