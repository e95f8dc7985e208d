"""What the host is doing in one line of text, cut with sense where there is little room."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit.host.clock import clock_text
from evalkit.reporting.safe_text import for_terminal

if TYPE_CHECKING:
    from evalkit.host.messages import Status

NAME = "evalkit: "
GAP = "  "
UNKNOWN = "-"
LEAST_TARGET = 8
"""A target's name is not cut to fewer columns than these; then what stands last goes."""


@dataclass(frozen=True, slots=True)
class _Part:
    """``rank``: what has the lowest goes first, and leaves ``short``."""

    text: str
    rank: int = 9
    short: str = ""


def status_text(status: Status, log: str = "", width: int | None = None) -> str:
    """``evalkit: generating demo+steady:nf4:naked:greedy  214/384 answers (56 stored)  812 tok/s  0:12 left``

    ``evalkit: judging claude-haiku:served:naked:greedy  40/96 questions  0:31 left  $0.03 (up to $0.11) of $5.00``

    A server's questions are told beside what is generated here. Where a ``width`` in columns is given, what matters
    least is left out first, then the target's name is cut in its middle.
    """
    return NAME + status_words(status, log, None if width is None else width - len(NAME))


def status_words(status: Status, log: str = "", width: int | None = None) -> str:
    """The same without the name in front."""
    parts = [part for part in _parts(status, log) if part.text]
    if width is None:
        return for_terminal(_joined(parts))
    for rank in sorted({part.rank for part in parts}):
        if columns(_joined(parts)) <= width:
            break
        if rank == 9:
            parts = _with_shorter_target(parts, status, width)
            break
        shorter = (_Part(part.short, 9) if part.rank == rank else part for part in parts)
        parts = [part for part in shorter if part.text]
    while len(parts) > 1 and columns(_joined(parts)) > width:
        parts = parts[:-1]
    return cut(for_terminal(_joined(parts)), width)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: two for a wide character, none for a combining one."""
    return sum(map(_columns_of, text))


def cut(text: str, width: int) -> str:
    """The text in at most ``width`` columns, with ``…`` at its end where something is missing."""
    if columns(text) <= width:
        return text
    return f"{_head(text, width - 1)}…" if width > 0 else ""


def cut_middle(text: str, width: int) -> str:
    """The text in at most ``width`` columns, with ``…`` in its middle where something is missing."""
    if columns(text) <= width:
        return text
    tail = _head(text[::-1], (width - 1) // 2)[::-1]
    return f"{_head(text, width - 1 - columns(tail))}…{tail}"


def _parts(status: Status, log: str) -> list[_Part]:
    target, _, memory = status.target.partition(", ")
    parts = [_silence(status, log), _Part(f"{_doing(status)} {target}".strip()), *_loading(status, memory)]
    if status.phase == "judging":
        parts.append(_Part(f"{status.judged}/{status.questions} questions"))
    elif status.total:
        stored = f" ({status.stored} stored)" if status.stored else ""
        parts.append(_Part(f"{status.done}/{status.total} answers{stored}", 3, f"{status.done}/{status.total}"))
        if status.judged < status.questions:
            parts.append(_Part(f"{status.judged}/{status.questions} questions", 2))
    if status.phase == "generating" and status.rate >= 0.5 and not status.silent_s:
        parts.append(_Part(f"{status.rate:.0f} tok/s", 4))
    parts += _left(status)
    if status.usd or status.most_usd:
        parts.append(_Part(_money(status), 6, _dollars(status.usd)))
    return parts


def _doing(status: Status) -> str:
    return "reading the files of" if status.phase == "starting" and status.target else status.phase


def _silence(status: Status, log: str) -> _Part:
    if not status.silent_s:
        return _Part("")
    silence = f"no sign of life for {clock_text(status.silent_s)}"
    return _Part(silence + (f", see {log}" if log else ""), 7, silence)


def _loading(status: Status, memory: str) -> list[_Part]:
    share = "" if status.loaded is None else f"{int(100 * status.loaded)} %"
    if status.phase == "starting":
        return [_Part(share, 5)]
    if status.phase != "loading":
        return []
    return [_Part(" of ".join(filter(None, (share, status.loading))), 5, share), _Part(memory, 1)]


def _left(status: Status) -> list[_Part]:
    """``-`` while something is generated or judged and nobody knows yet."""
    if status.silent_s or status.phase in ("starting", "waiting", "idle"):
        return []
    if status.left_s is None:
        return [_Part(f"{UNKNOWN} left", 2)] if status.phase != "loading" else []
    left = f"{clock_text(status.left_s)} left"
    if not status.to_load:
        return [_Part(left)]
    models = "1 more model" if status.to_load == 1 else f"{status.to_load} more models"
    return [_Part(f"about {left}, {models} to load", 4, f"about {left}")]


def _money(status: Status) -> str:
    """``$0.03 (up to $0.11) of $5.00``: spent, about the most of this stage, allowed."""
    spent, most = _dollars(status.usd), status.most_usd > status.usd
    if not status.max_usd:
        return f"{spent} of up to {_dollars(status.most_usd)}" if most else spent
    return f"{spent}{f' (up to {_dollars(status.most_usd)})' if most else ''} of {_dollars(status.max_usd)}"


def _dollars(amount: float) -> str:
    return f"${amount:.2f}" if amount >= 0.01 or not amount else "under $0.01"


def _joined(parts: list[_Part]) -> str:
    return GAP.join(part.text for part in parts)


def _with_shorter_target(parts: list[_Part], status: Status, width: int) -> list[_Part]:
    """The target's name cut so that all the rest has room, as far as that leaves something of it."""
    name = status.target.partition(", ")[0]
    room = max(LEAST_TARGET, columns(name) - (columns(_joined(parts)) - width))
    whole = f"{_doing(status)} {name}".strip()
    return [
        _Part(f"{_doing(status)} {cut_middle(name, room)}") if name and part.text == whole else part for part in parts
    ]


def _head(text: str, width: int) -> str:
    taken = 0
    for place, character in enumerate(text):
        taken += _columns_of(character)
        if taken > width:
            return text[:place]
    return text


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
