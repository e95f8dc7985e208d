"""What the store keeps of a run's report beside its trials, as plain values and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from typing import Any, TypeVar

from evalkit.gates import Gate, GateResult
from evalkit.reporting.summary import RunFacts

Noun = TypeVar("Noun", RunFacts, Gate, GateResult)


def kept_report(facts: RunFacts, results: Sequence[GateResult], sentences: Sequence[str]) -> dict[str, Any]:
    """The facts, gates and sentences of a run, ready for JSON."""
    return {"facts": asdict(facts), "gates": [asdict(result) for result in results], "sentences": list(sentences)}


def restored_facts(kept: Mapping[str, Any]) -> RunFacts | None:
    """The facts of a run; None where this is not what an evalkit kept of one."""
    return _noun(RunFacts, kept.get("facts"))


def restored_results(kept: Mapping[str, Any]) -> tuple[GateResult, ...]:
    """What came of the run's gates; one of which too little was kept is left out."""
    found = []
    for plain in kept.get("gates", ()):
        gate = _noun(Gate, plain.get("gate"))
        result = None if gate is None else _noun(GateResult, {**plain, "gate": gate})
        found += [] if result is None else [result]
    return tuple(found)


def _noun(noun: type[Noun], plain: Any) -> Noun | None:
    """Keys that this evalkit does not know are left out, those that an older one did not write have their default."""
    if not isinstance(plain, Mapping):
        return None
    known = fields(noun)
    needed = [item.name for item in known if item.default is MISSING and item.default_factory is MISSING]
    if any(name not in plain for name in needed):
        return None
    return noun(**{item.name: _tuples(plain[item.name]) for item in known if item.name in plain})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
