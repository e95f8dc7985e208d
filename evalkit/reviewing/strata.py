"""Why a trial is worth reading: the first reason that holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evalkit.gates import GateResult
from evalkit.measured import Measured
from evalkit.record import TrialRecord
from evalkit.review import Stratum
from evalkit.reviewing.gate_reach import within_reach
from evalkit.reviewing.near_threshold import near_a_threshold

TARGETED: tuple[Stratum, ...] = ("regression", "dispute", "abstention", "near_threshold", "new_kind", "gate")
"""In order of precedence. Gates come last: near a bound every pass may flip one, and the narrower reason says more."""
RANDOM: tuple[Stratum, ...] = ("failed", "passed")
OF_FORM = ("degeneration",)
"""A judge of form may fail what a judge of content passes: they do not contradict each other."""

Key = tuple[str, str, str]


def strata_of(
    records: Sequence[TrialRecord], gates: Sequence[GateResult] = (), baseline: Sequence[Measured] = ()
) -> dict[str, Stratum]:
    """The stratum of every trial without an error, by trial id."""
    reasons: tuple[tuple[Stratum, set[str]], ...] = (
        ("regression", _regressed(records, baseline)),
        ("dispute", {record.trial for record in records if is_disputed(record)}),
        ("abstention", {record.trial for record in records if record.outcome == "unscored"}),
        ("near_threshold", near_a_threshold(records)),
        ("new_kind", _of_new_kinds(records, baseline)),
        ("gate", within_reach(gates, records)),
    )
    return {record.trial: _first(record, reasons) for record in records if record.outcome != "error"}


def _first(record: TrialRecord, reasons: Sequence[tuple[Stratum, set[str]]]) -> Stratum:
    for stratum, trials in reasons:
        if record.trial in trials:
            return stratum
    return "passed" if record.outcome == "pass" else "failed"


def is_disputed(record: TrialRecord) -> bool:
    """Whether judges of content, or members of a panel, said both pass and fail."""
    if "disagreement" in record.flags:
        return True
    said = {verdict["outcome"] for verdict in record.verdicts if verdict["judge"] not in OF_FORM}
    return {"pass", "fail"} <= said


def _regressed(records: Sequence[TrialRecord], baseline: Sequence[Measured]) -> set[str]:
    """Fails of what mostly passed in the baseline, on the same target or on its only one."""
    before: dict[Key, list[bool]] = {}
    for trial in baseline:
        if trial.outcome in ("pass", "fail"):
            before.setdefault((trial.target, trial.suite, trial.probe), []).append(trial.outcome == "pass")
    targets = {trial.target for trial in baseline}
    found = set()
    for record in records:
        target = record.target if record.target in targets or len(targets) != 1 else next(iter(targets))
        samples = next((before[key] for key in _keys(record, target) if key in before), [])
        if record.outcome == "fail" and 2 * sum(samples) > len(samples):
            found.add(record.trial)
    return found


def _keys(record: TrialRecord, target: str) -> list[Key]:
    """The probe as it is called now, and as it was called formerly (``suite/id`` or ``id``)."""
    split = (former.rpartition("/") for former in record.formerly)
    return [
        (target, record.suite, record.probe),
        *((target, suite or record.suite, probe) for suite, _, probe in split),
    ]


def _of_new_kinds(records: Sequence[TrialRecord], baseline: Sequence[Measured]) -> set[str]:
    """Fails of a kind that the baseline has nowhere in the suite and category, though it looked there."""
    kinds: dict[tuple[str, str], set[str]] = {}
    for trial in baseline:
        kinds.setdefault((trial.suite, trial.category), set()).update(kinds_of(trial))
    return {
        record.trial
        for record in records
        if record.outcome == "fail"
        and (record.suite, record.category) in kinds
        and kinds_of(Measured.of(record)) - kinds[(record.suite, record.category)]
    }


def kinds_of(trial: Measured) -> set[str]:
    """The kinds of failure that a baseline keeps of a trial."""
    kinds: Mapping[str, bool] = {
        "collapsed": trial.collapsed, "fabricated": trial.fabricated, "over_refusal": trial.over_refusal,
    }  # fmt: skip
    return {kind for kind, holds in kinds.items() if holds}
