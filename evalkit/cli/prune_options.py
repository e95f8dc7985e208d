"""What the command line of ``evalkit list runs --prune`` says."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

NEWEST, DAYS = 10, 14.0
"""What stays where the command line says nothing of it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays. ``names``, where given, are the only runs that may go; ``keep`` never do."""

    newest: int | None
    days: float | None
    names: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


def add_to(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("with runs --prune").add_argument
    add("--prune", action="store_true", help="show what old runs take that nothing needs; --yes removes them")
    add("--newest", type=_count, metavar="N", help=f"the N newest runs stay ({NEWEST}, unless --days is given)")
    add("--days", type=_days, metavar="D", help=f"runs of the last D days stay ({DAYS:g}, unless --newest is given)")
    add("--keep", action="append", default=[], metavar="RUN", help="this run stays (again for more)")
    add("--yes", action="store_true", help="remove them")


def kept_by(arguments: argparse.Namespace) -> Kept:
    """What the command line says; runs that it names go whatever their age."""
    names, keep = tuple(arguments.names), tuple(arguments.keep)
    if names or arguments.newest is not None or arguments.days is not None:
        return Kept(arguments.newest, arguments.days, names, keep)
    return Kept(NEWEST, DAYS, names, keep)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 up; found {text!r}")
    return int(text)


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of days, such as 30; found {text!r}")
    return days
