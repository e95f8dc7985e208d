"""What was measured of a judge against people's labels, and where it may be quoted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evalkit.agreement import Agreement, CorrectedRate, corrected_rate
from evalkit.record import TrialRecord

EVERY_CATEGORY = "all"
WITHOUT_LABELS = ("degeneration", "text")
"""Judges of form: what they find is there to be seen, so no column of trust is shown for them."""


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Where labels came from: the file, who gave them, how many, and whether they saw a verdict first (None: unsaid).

    ``is_third_party`` is true for stored responses of others, on which the project itself was built: what is measured
    on them is shown and never used to correct a rate.
    """

    file: str
    by: tuple[str, ...]
    n: int
    blind: bool | None
    is_third_party: bool = False


@dataclass(frozen=True, slots=True)
class Calibration:
    """The agreement of one judge (its exact hash) with labels of one suite's category; ``all`` is all of them."""

    judge: str
    judge_hash: str
    suite: str
    category: str
    languages: tuple[str, ...]
    source: LabelSource
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the judge of a group of trials can be trusted, and the group's rate corrected for its errors.

    ``corrected`` is of the judge's own verdicts; None where it cannot be given, and ``why_not`` says why.
    """

    calibration: Calibration
    corrected: CorrectedRate | None
    why_not: str


def trust_in(records: Sequence[TrialRecord], category: str, known: Iterable[Calibration]) -> Trust | None:
    """The measured trust in the judge of these trials, which are of one suite and ``category`` (or ``all``).

    Where several judges decide, the one that agrees least with people; None where none was calibrated with this very
    hash, suite and category.
    """
    suites = {record.suite for record in records}
    if len(suites) != 1:
        return None
    hashes = {
        (verdict["judge"], verdict["judge_hash"])
        for record in records
        for verdict in record.verdicts
        if verdict["required"] and verdict["judge"] not in WITHOUT_LABELS
    }
    names = [name for name, _ in hashes]
    found = [
        item
        for item in known
        if (item.judge, item.judge_hash) in hashes
        and names.count(item.judge) == 1
        and item.suite in suites
        and item.category == category
        and item.agreement.accuracy is not None
    ]
    if not found:
        return None
    least = min(found, key=lambda item: (item.agreement.accuracy or 0.0, item.judge))
    outcomes = [
        verdict["outcome"] for record in records for verdict in record.verdicts if verdict["judge"] == least.judge
    ]
    passed, scored = outcomes.count("pass"), outcomes.count("pass") + outcomes.count("fail")
    why_not = "its labels are of stored answers of others" if least.source.is_third_party else ""
    why_not = why_not or least.agreement.why_no_correction or ("" if scored else "nothing was scored")
    return Trust(least, None if why_not else corrected_rate(passed, scored, least.agreement), why_not)
