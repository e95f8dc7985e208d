"""What one stored trial measured, without its texts: what comparisons work on and baselines hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any

from evalkit.record import TrialOutcome, TrialRecord

OVER_REFUSAL = "OVER_REFUSAL"
UNKEPT = ("reason",)
"""Fields that may quote an answer, which a committed file must not."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One trial's numbers. Judges are named once each; a second use of the same judge is ``NAME#2``.

    ``judges`` holds the hash of every required judge that gave a verdict, ``optional_judges`` of every other.
    ``scores`` and ``signals`` are by judge, in the order of the verdicts. ``words`` are None where
    there is no answer, or where an older evalkit wrote the record.
    """

    trial: str
    suite: str
    probe: str
    category: str
    target: str
    outcome: TrialOutcome
    file: str = ""
    line: int = 0
    sample: int = 0
    role: str = "subject"
    cluster: str | None = None
    formerly: tuple[str, ...] = ()
    probe_hash: str = ""
    collapsed: bool = False
    fabricated: bool = False
    over_refusal: bool = False
    scores: Mapping[str, float] = field(default_factory=dict)
    signals: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    judges: Mapping[str, str] = field(default_factory=dict)
    optional_judges: Mapping[str, str] = field(default_factory=dict)
    words: int | None = None
    finishes: tuple[str, ...] = ()
    generations: tuple[str, ...] = ()
    is_demo: bool = False
    reason: str = ""
    language: str | None = None

    @classmethod
    def of(cls, record: TrialRecord) -> Measured:
        """What this record measured."""
        verdicts = dict(_named(record.verdicts))
        required = {name: bool(verdict.get("required", True)) for name, verdict in verdicts.items()}
        hashes = {name: str(verdict.get("judge_hash", "")) for name, verdict in verdicts.items()}
        return cls(
            trial=record.trial, suite=record.suite, probe=record.probe, category=record.category,
            target=record.target, outcome=record.outcome, file=record.file, line=record.line, sample=record.sample,
            role=record.role, cluster=record.cluster, formerly=record.formerly, probe_hash=record.probe_hash,
            collapsed=record.is_collapsed, fabricated="fabricated" in record.flags,
            over_refusal=any(_is_over_refusal(verdict) for verdict in record.verdicts),
            scores={name: verdict["score"] for name, verdict in verdicts.items() if _is_number(verdict.get("score"))},
            signals={name: found for name, verdict in verdicts.items() if (found := _signals(verdict))},
            judges={name: value for name, value in hashes.items() if required[name]},
            optional_judges={name: value for name, value in hashes.items() if not required[name]},
            words=record.words, finishes=record.finishes, generations=record.generations, is_demo=record.is_demo,
            reason=record.reason, language=record.language,
        )  # fmt: skip

    @classmethod
    def names(cls) -> frozenset[str]:
        """The fields that ``to_dict`` may give."""
        return frozenset(_DEFAULTS) - set(UNKEPT)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON: no fields that hold their default, no ``reason``, signals to six digits."""
        plain: dict[str, Any] = {}
        for item in fields(self):
            value = _rounded(self.signals) if item.name == "signals" else getattr(self, item.name)
            if item.name not in UNKEPT and (item.name in NEEDED or value != _DEFAULTS[item.name]):
                plain[item.name] = list(value) if isinstance(value, tuple) else value
        return plain

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Measured:
        """The inverse of ``to_dict``, for what that keeps.

        Raises:
            KeyError: a field without a default is missing.
            TypeError: a field is not of its type, or unknown.
        """
        for name in NEEDED:
            if name not in data:
                raise KeyError(name)
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**plain)


def _named(verdicts: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Each verdict with its judge's name, numbered from the second use on."""
    uses: dict[str, int] = {}
    for verdict in verdicts:
        judge = verdict["judge"]
        uses[judge] = uses.get(judge, 0) + 1
        yield (judge if uses[judge] == 1 else f"{judge}#{uses[judge]}"), verdict


def _is_over_refusal(verdict: Mapping[str, Any]) -> bool:
    return (verdict.get("labels") or {}).get("failure_type") == OVER_REFUSAL


def _signals(verdict: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in (verdict.get("signals") or {}).items() if type(value) in (float, int)}


def _rounded(signals: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Six digits, and only finite numbers: more would make a committed file larger, or no JSON."""
    return {
        judge: {name: float(f"{value:.6g}") for name, value in own.items() if isfinite(value)}
        for judge, own in signals.items()
    }


def _is_number(value: object) -> bool:
    return type(value) in (float, int) and isfinite(value)  # type: ignore[arg-type]


NEEDED = ("trial", "suite", "probe", "category", "target", "outcome")
_DEFAULTS: dict[str, Any] = {
    item.name: {} if item.name in ("scores", "signals", "judges", "optional_judges") else item.default
    for item in fields(Measured)
}
