"""Readings as plain JSON values and back, each probe in microseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

from evalkit import probe as nouns
from evalkit.errors import Problem
from evalkit.probe import Expectation, Generate, Message, Probe, Turn
from evalkit.reading.frozen_values import Pairs
from evalkit.reading.readings import FileReading

_OWN = ("id", "line", "turns", "expect", "why", "perturbation")
"""Fields that differ from probe to probe; the others are kept once for all probes that share them."""
_SHARED = tuple(item.name for item in fields(Probe) if item.name not in _OWN)
_shared_of = attrgetter(*_SHARED)
_EXPECTED = tuple((item.name, item.default) for item in fields(Expectation))
_expected_of = attrgetter(*(name for name, _ in _EXPECTED))
_NOUNS: dict[str, Any] = {
    name: kind for name, kind in vars(nouns).items() if isinstance(kind, type) and is_dataclass(kind)
}
"""What a value may be beside plain ones; nothing else can be made from a file."""
_ROLES = ("user", "system", "assistant")


def packed(readings: Iterable[FileReading]) -> list[Any]:
    """The readings of a suite without problems as lists, texts, numbers and mappings."""
    shared: dict[Any, int] = {}
    expected: dict[Expectation, int] = {}
    files = []
    for reading in readings:
        rows = [
            [
                shared.setdefault(_shared_of(probe), len(shared)),
                probe.id,
                probe.line,
                [_packed_turn(turn) for turn in probe.turns],
                expected.setdefault(probe.expect, len(expected)),
                probe.why,
                _packed(probe.perturbation),
            ]
            for probe in reading.probes
        ]
        files.append([reading.file, rows, [[note.file, note.message, note.line, note.path] for note in reading.notes]])
    return [[_packed_plain(values) for values in shared], [_asked(one) for one in expected], files]


def unpacked(data: Any) -> tuple[FileReading, ...]:
    """The inverse of ``packed``.

    Raises:
        ValueError, TypeError, KeyError, IndexError, AttributeError: the data is something else.
    """
    all_shared, all_expected, files = data
    makers = [_probe_maker(values) for values in all_shared]
    expected = [Expectation(**{name: _unpacked(value) for name, value in one.items()}) for one in all_expected]
    readings = []
    for file, rows, notes in files:
        probes = tuple(
            makers[which](
                _text(name),
                _whole(line),
                tuple([_unpacked_turn(turn) for turn in turns]),
                expected[what],
                None if why is None else _text(why),
                _unpacked(noise),
            )
            for which, name, line, turns, what, why, noise in rows
        )
        readings.append(FileReading(_text(file), probes, (), tuple(Problem(*note) for note in notes)))
    return tuple(readings)


def _probe_maker(values: list[Any]) -> Callable[..., Probe]:
    """Makes the probes that share these values from their own ones."""
    shared = dict(zip(_SHARED, map(_unpacked, values), strict=True))
    order = [item.name for item in fields(Probe)]
    places = [order.index(name) for name in _OWN]
    template: list[Any] = [shared.get(name) for name in order]

    def make(*own: Any) -> Probe:
        arguments = template.copy()
        for place, value in zip(places, own, strict=True):
            arguments[place] = value
        return Probe(*arguments)

    return make


def _packed_turn(turn: Turn) -> Any:
    """A user's words as text, another's with the role, a place to answer as a mapping."""
    if isinstance(turn, Generate):
        return {"generate": _packed(turn.decoding)}
    return turn.content if turn.role == "user" else [turn.role, turn.content]


def _unpacked_turn(turn: Any) -> Turn:
    if isinstance(turn, str):
        return Message("user", turn)
    if isinstance(turn, dict):
        return Generate(_unpacked(turn["generate"]))
    role, content = turn
    return Message(_ROLES[_ROLES.index(role)], _text(content))  # type: ignore[arg-type]  # one of the three


def _asked(expectation: Expectation) -> dict[str, Any]:
    """The fields that are asked for."""
    found = zip(_EXPECTED, _expected_of(expectation), strict=True)
    return {name: _packed(value) for (name, default), value in found if value is not default and value != default}


def _packed(value: Any) -> Any:
    """Tuples as lists; a mapping, which is held as pairs, and a noun as mappings, so that they stay apart."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Pairs):
        return {"pairs": [_packed_plain(pair) for pair in value]}
    if isinstance(value, tuple):
        return _packed_plain(value)
    kind = type(value).__name__
    if kind in _NOUNS:
        changed = {item.name: getattr(value, item.name) for item in fields(value)}
        return {kind: {name: _packed(inner) for name, inner in changed.items()}}
    return value


def _packed_plain(values: Iterable[Any]) -> list[Any]:
    return [_packed(item) for item in values]


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_unpacked(item) for item in value)
    if not isinstance(value, dict):
        return value
    [(kind, inner)] = value.items()
    if kind == "pairs":
        return Pairs(_unpacked(pair) for pair in inner)
    return _NOUNS[kind](**{name: _unpacked(part) for name, part in inner.items()})


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("no whole number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("no text")
    return value
