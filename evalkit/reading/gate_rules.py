"""What a gate may ask, beyond the types of its keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from evalkit.comparing import METRICS
from evalkit.reading.gate_figures import figure_of
from evalkit.reading.gate_schema import GateRule
from evalkit.reading.suggestions import did_you_mean, shortened

Mistake = tuple[tuple[str, ...], str]
"""The field it is about, none for the whole gate, and a sentence."""

_BOUNDS = ("at_least", "above", "at_most", "below", "fail_below", "fail_above")
_BASELINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_KINDS = ("baseline", "target", "condition")


def gate_mistakes(entry: GateRule) -> Iterator[Mistake]:
    """Everything that is wrong with one gate."""
    yield from _nothing_asked(entry)
    yield from _ranges(entry)
    yield from _zones(entry)
    yield from _equals(entry)
    yield from _against(entry)
    yield from _end(entry)
    yield from _measured(entry)


def _nothing_asked(entry: GateRule) -> Iterator[Mistake]:
    if entry.against is None and entry.equals is None and not _given(entry, _BOUNDS[:4]):
        zone = _given(entry, _BOUNDS[4:])
        if zone:
            why = f"{zone[0]} is where it fails, and nothing says where it passes"
        else:
            why = f"gate {entry.name!r} asks for nothing"
        yield (), f"{why}. Add at_least, above, at_most, below or equals."


def _ranges(entry: GateRule) -> Iterator[Mistake]:
    """Bounds that no value of the metric can reach."""
    is_rate = entry.metric.endswith("_rate")
    for name in _given(entry, _BOUNDS):
        value = getattr(entry, name)
        if is_rate and entry.against and not -1 <= value <= 1:
            yield (name,), f"expected a difference of rates from -1 to 1, found {value:g}.{_as_share(value)}"
        elif is_rate and not entry.against and not 0 <= value <= 1:
            yield (name,), f"expected a proportion from 0 to 1, found {value:g}.{_as_share(value)}"
        elif entry.metric == "count" and value < 0:
            yield (name,), f"expected at least 0, found {value:g}."


def _as_share(value: float) -> str:
    return f" Write {value / 100:g}." if 1 < abs(value) <= 100 else ""


def _zones(entry: GateRule) -> Iterator[Mistake]:
    for first, second, side in (("at_least", "above", "lower"), ("at_most", "below", "upper")):
        if len(_given(entry, (first, second))) == 2:
            yield (second,), f"{first} and {second} are both {side} bounds. Keep one of them."
    low = next(iter(_given(entry, ("at_least", "above"))), None)
    high = next(iter(_given(entry, ("at_most", "below"))), None)
    if low and high:
        lower, upper = getattr(entry, low), getattr(entry, high)
        is_strict = low == "above" or high == "below"
        if lower > upper or (is_strict and lower == upper):
            how = "above" if lower > upper else "the same as"
            yield (), f"gate {entry.name!r} cannot hold: {low} {lower:g} is {how} {high} {upper:g}."
    for fail, bound, pair, larger in (
        ("fail_below", low, "at_least or above", "above"), ("fail_above", high, "at_most or below", "below"),
    ):  # fmt: skip
        value = getattr(entry, fail)
        if value is None or entry.equals is not None:
            continue
        if bound is None:
            if _given(entry, _BOUNDS[:4]) or entry.against:
                yield (fail,), f"{fail} goes with {pair}: what is between the two warns. Add one, or take it out."
            continue
        edge = getattr(entry, bound)
        if (value > edge) if fail == "fail_below" else (value < edge):
            yield (fail,), f"{fail} {value:g} is {larger} {bound} {edge:g}, so that nothing warns. Change one of them."


def _equals(entry: GateRule) -> Iterator[Mistake]:
    if entry.equals is None:
        if entry.tolerance is not None:
            yield ("tolerance",), "tolerance is how far from equals still passes, and there is no equals. Add it."
        return
    beside = _given(entry, _BOUNDS)
    if beside:
        yield ("equals",), f"equals stands alone, found {' and '.join(beside)} beside it. Keep one of them."
    complaint = figure_of(entry).complaint
    if complaint:
        yield (complaint[0],), complaint[1]


def _against(entry: GateRule) -> Iterator[Mistake]:
    if entry.against is None:
        if entry.margin is not None:
            yield ("margin",), "margin is how much worse a comparison may be. Add against, or take it out."
        return
    kind, colon, name = entry.against.partition(":")
    if kind not in _KINDS:
        forms = "baseline, baseline:NAME, target:GLOB or condition:NAME"
        near = did_you_mean(kind, _KINDS)
        yield ("against",), f"expected {forms}, found {shortened(entry.against)!r}. {near}"
    elif not name and (colon or kind != "baseline"):
        yield ("against",), f"{kind}: needs a name after the colon, such as {kind}:{_EXAMPLES[kind]}."
    elif kind == "baseline" and name and not _BASELINE.match(name):
        yield (
            ("against",),
            f"a baseline's name is made of letters, digits, '.', '_' and '-', found {shortened(name)!r}.",
        )
    if entry.metric not in METRICS:
        yield ("metric",), f"against compares {', '.join(METRICS[:-1])} and {METRICS[-1]}, not {entry.metric}."
    if entry.margin is None:
        return
    if _given(entry, _BOUNDS) or entry.equals is not None:
        yield ("margin",), "margin asks whether it regressed, and bounds ask for more. Keep one of them."
    elif entry.metric.endswith("_rate") and entry.margin > 1:
        yield (
            ("margin",),
            f"expected a difference of rates from 0 to 1, found {entry.margin:g}.{_as_share(entry.margin)}",
        )


_EXAMPLES = {"baseline": "main", "target": "'base:*'", "condition": "naked"}


def _end(entry: GateRule) -> Iterator[Mistake]:
    if entry.end == "estimate":
        return
    if entry.equals is not None:
        yield ("end",), "equals checks the printed value, which has no ends. Take end out."
    elif entry.metric in ("median_score", "worst_score", "count"):
        yield ("end",), f"{entry.metric} has no interval, so no {entry.end} end. Take end out."
    elif entry.against is not None and not _given(entry, _BOUNDS):
        yield (
            ("end",),
            "without bounds the verdict of the comparison decides, not an end. Add a bound, or take end out.",
        )


def _measured(entry: GateRule) -> Iterator[Mistake]:
    """What a count is of, and whose scores are meant."""
    is_count = entry.metric == "count"
    if is_count and (entry.flag is None) == (entry.signal is None):
        found = "both" if entry.flag is not None else "neither"
        yield (), f"count needs a flag or a signal to count, found {found}. Give one, such as flag: collapsed."
    for name in _given(entry, ("flag", "signal")):
        if not is_count:
            yield (name,), f"{name} is for the metric count, and this is {entry.metric}. Take it out."
    if is_count and entry.signal is not None and entry.signal_from is None:
        yield ("signal",), "a signal needs from, the smallest value that counts, such as from: 0.5."
    if entry.signal_from is not None and entry.signal is None:
        yield ("from",), "from is the smallest signal that counts, and there is no signal. Add it, or take from out."
    if entry.judge is not None and not entry.metric.endswith("_score") and entry.signal is None:
        yield ("judge",), f"judge is for scores and signals, and this is {entry.metric}. Take it out."


def _given(entry: GateRule, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if getattr(entry, name) is not None]
