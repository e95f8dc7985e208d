"""Who judged a run, and what exactly was asked: judges and suites by name and digest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from evalkit.identity import canonical
from evalkit.record import TrialRecord
from evalkit.reporting.figure_nouns import JudgeRow, SuiteRow


@dataclass(slots=True)
class _Seen:
    suites: set[str] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)
    models: dict[str, None] = field(default_factory=dict)


def judge_rows(records: Iterable[TrialRecord], calibrated: Collection[str]) -> tuple[JudgeRow, ...]:
    """Every judge under every hash, by name; ``calibrated`` are the hashes of judges of which trust is known."""
    found: dict[tuple[str, str, str, bool], _Seen] = {}
    for record in records:
        for verdict in record.verdicts:
            key = (
                verdict["judge"], str(verdict.get("judge_version", "")), str(verdict.get("judge_hash", "")),
                bool(verdict.get("required", True)),
            )  # fmt: skip
            seen = found.get(key) or found.setdefault(key, _Seen())
            seen.suites.add(record.suite)
            seen.outcomes[verdict["outcome"]] += 1
            for question in verdict.get("asked", ()):
                seen.models[str(question["model"])] = None
    return tuple(
        JudgeRow(
            judge, version, judge_hash, tuple(sorted(seen.suites)), required, seen.outcomes.total(),
            seen.outcomes["pass"], seen.outcomes["fail"], seen.outcomes["unscored"], tuple(seen.models),
            judge_hash in calibrated,
        )
        for (judge, version, judge_hash, required), seen in sorted(found.items())
    )  # fmt: skip


def suite_rows(records: Sequence[TrialRecord]) -> tuple[SuiteRow, ...]:
    """The suites by name; a digest is the one that a baseline of the run holds."""
    found: dict[str, set[tuple[str, str]]] = {}
    for record in records:
        found.setdefault(record.suite, set()).add((record.probe, record.probe_hash))
    trials = Counter(record.suite for record in records)
    return tuple(
        SuiteRow(suite, _digest(sorted(found[suite])), len(found[suite]), trials[suite]) for suite in sorted(found)
    )


def _digest(value: object) -> str:
    return sha256(canonical(value).encode("ascii")).hexdigest()
