"""The figure of ``equals``, as tables print it: with a unit, and with how far it may be off."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evalkit.reading.gate_schema import GateRule
from evalkit.reading.suggestions import shortened

_FIGURE = re.compile(
    r"\s*(?P<value>[+−-]?\d+(?:\.\d+)?)\s*(?P<unit>%|points?)?"
    r"(?:\s*(?:±|\+/-|\+-)\s*(?P<tolerance>\d+(?:\.\d+)?)\s*(?:%|points?)?)?\s*\Z"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A value in the metric's own unit: a proportion of a rate. ``complaint`` is what is wrong, and where."""

    value: float = 0.0
    tolerance: float = 0.0
    complaint: tuple[str, str] | None = None


def figure_of(entry: GateRule) -> Figure:
    """What ``equals`` and ``tolerance`` of a gate say."""
    found = _FIGURE.match(entry.equals if isinstance(entry.equals, str) else _written(entry.equals or 0.0))
    if found is None:
        shown = shortened(repr(entry.equals))
        return _wrong("equals", f"expected a figure such as 96.3, or text such as 96.3 ± 0.05; found {shown}.")
    printed, unit = found["value"].replace("−", "-"), (found["unit"] or "").rstrip("s")
    is_rate = entry.metric.endswith("_rate")
    mistake = _unit_mistake(entry, float(printed), unit) if is_rate else _plain_mistake(entry, float(printed), unit)
    if mistake:
        return _wrong("equals", mistake)
    given = entry.tolerance if found["tolerance"] is None else float(found["tolerance"])
    if found["tolerance"] is not None and entry.tolerance is not None:
        return _wrong("tolerance", "equals gives a tolerance already. Keep one of the two.")
    if given is None and entry.metric != "count":
        half = 0.5 / 10 ** len(printed.partition(".")[2])
        return _wrong(
            "equals",
            f"equals needs a tolerance, how far the printed figure may be off: of {printed}, {half:g} each way.",
        )
    scale = 100 if is_rate else 1
    return Figure(float(printed) / scale, (given or 0.0) / scale)


def _unit_mistake(entry: GateRule, value: float, unit: str) -> str:
    """What is wrong with the unit or the size of a rate's figure."""
    wanted, unit_words = ("point", "points") if entry.against else ("%", "%")
    what = "a difference of rates is in points" if entry.against else "a rate is in per cent"
    if unit not in ("", wanted):
        return f"equals of {what}, found {unit}. Write {value:g} {unit_words}."
    if not unit and 0 < abs(value) <= 1:
        return (
            f"equals of {what}, as tables print it, and {value:g} may be a proportion. Say which: "
            f"'{100 * value:g} {unit_words}' or '{value:g} {unit_words}'."
        )
    low = -100 if entry.against else 0
    if not low <= value <= 100:
        return f"expected from {low} to 100 {'points' if entry.against else 'per cent'}, found {value:g}."
    return ""


def _plain_mistake(entry: GateRule, value: float, unit: str) -> str:
    if unit:
        return f"{unit} is for rates, and {entry.metric} is a plain number. Take it out."
    if entry.metric == "count" and value < 0:
        return f"expected at least 0, found {value:g}."
    return ""


def _written(value: float) -> str:
    """A number as a person wrote it: 96.3, and 21 for 21.0."""
    text = f"{value:.12f}".rstrip("0")
    return text.rstrip(".")


def _wrong(field: str, message: str) -> Figure:
    return Figure(complaint=(field, message))
