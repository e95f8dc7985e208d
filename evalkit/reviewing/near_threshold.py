"""Trials whose score lies close to the bound that decided them."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, isfinite
from typing import Any

from evalkit.record import TrialRecord

NEAREST = 0.05
"""The share of a judge's scored trials that counts as close."""

Scored = tuple[float, str, str]
"""A score, the outcome it had, and the trial."""


def near_a_threshold(records: Sequence[TrialRecord]) -> set[str]:
    """Of each judge of each suite, the trials whose scores are nearest to where its passes and fails part.

    A record does not say the bound; it lies between the last score that fails and the first that passes (either may
    be the higher). Where these overlap the score did not decide, and none is near.
    """
    groups: dict[tuple[str, str, str], list[Scored]] = {}
    for record in records:
        for verdict in record.verdicts:
            score: Any = verdict.get("score")
            if type(score) in (int, float) and isfinite(score) and verdict["outcome"] in ("pass", "fail"):
                key = (record.suite, verdict["judge"], verdict.get("judge_hash", ""))
                groups.setdefault(key, []).append((float(score), verdict["outcome"], record.trial))
    return {trial for scored in groups.values() for trial in _nearest(scored)}


def _nearest(scored: Sequence[Scored]) -> set[str]:
    passes = [score for score, outcome, _ in scored if outcome == "pass"]
    fails = [score for score, outcome, _ in scored if outcome == "fail"]
    if not passes or not fails:
        return set()
    if min(passes) > max(fails):
        bound = (min(passes) + max(fails)) / 2
    elif max(passes) < min(fails):
        bound = (max(passes) + min(fails)) / 2
    else:
        return set()
    ranked = sorted(scored, key=lambda one: (abs(one[0] - bound), one[2]))
    return {trial for _, _, trial in ranked[: ceil(NEAREST * len(ranked))]}
