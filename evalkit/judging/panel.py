"""Brings the verdicts of a trial's judges to one decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from typing import get_args

from evalkit.errors import EvalkitError, JudgeError
from evalkit.generation import Reply
from evalkit.judging.base import Judge, RuleJudge
from evalkit.probe import JudgeUse
from evalkit.transcript import Case
from evalkit.verdict import Decision, Outcome, Verdict

DEGENERATION = "degeneration"


def asks(judge: Judge) -> bool:
    """Whether the judge may ask a model; only then does the host drive rounds for it."""
    return getattr(type(judge), "ask", None) is not RuleJudge.ask


def read_all(
    judges: tuple[tuple[JudgeUse, Judge], ...],
    case: Case,
    replies: tuple[tuple[Reply, ...], ...],
    hashes: Sequence[str],
) -> Decision:
    """Lets every judge read its own replies and decides; ``replies`` and ``hashes`` are in the order of ``judges``.

    Raises:
        JudgeError: a judge raised, returned no Verdict, or none of them is required.
    """
    verdicts = tuple(
        read_one(use, judge, case, own, stamp) for (use, judge), own, stamp in zip(judges, replies, hashes, strict=True)
    )
    return decide(verdicts)


def decide(verdicts: tuple[Verdict, ...]) -> Decision:
    """Any required fail fails; else any required unscored leaves it unscored; else it passes.

    Optional verdicts never change the outcome. The reason is that of the first verdict that decided, the
    degeneration judge's before the others where it failed.

    Raises:
        JudgeError: no verdict is required, so nothing could decide.
    """
    required = [verdict for verdict in verdicts if verdict.required]
    if not required:
        names = ", ".join(verdict.judge for verdict in verdicts) or "none"
        raise JudgeError(f"No required judge gave a verdict (optional ones: {names}). Make one of them required.")
    outcomes: tuple[Outcome, ...] = ("fail", "unscored", "pass")
    for outcome in outcomes:
        deciding = [verdict for verdict in required if verdict.outcome == outcome]
        if deciding:
            first = min(deciding, key=lambda verdict: (verdict.judge == DEGENERATION) != (outcome == "fail"))
            return Decision(outcome, f"{first.judge}: {first.reason}", verdicts)
    raise JudgeError(f"Judge {required[0].judge!r} gave the outcome {required[0].outcome!r}.")


def read_one(use: JudgeUse, judge: Judge, case: Case, replies: tuple[Reply, ...], stamp: str) -> Verdict:
    """One judge's verdict, under the name it was used by, with its hash.

    Raises:
        JudgeError: it raised, or returned no Verdict with a finite score.
    """
    return replace(_read(use, judge, case, replies), judge=use.use, judge_hash=stamp, required=use.required)


def _read(use: JudgeUse, judge: Judge, case: Case, replies: tuple[Reply, ...]) -> Verdict:
    try:
        verdict = judge.read(case, replies)
    except EvalkitError:
        raise
    except Exception as error:
        raise JudgeError(
            f"Judge {use.use!r} broke on probe {case.probe.id!r}: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(verdict, Verdict) or verdict.outcome not in get_args(Outcome):
        raise JudgeError(
            f"Judge {use.use!r} broke on probe {case.probe.id!r}: read must return a Verdict with outcome pass, fail "
            f"or unscored; found {verdict!r}."
        )
    if verdict.score is not None and not (isinstance(verdict.score, (int, float)) and isfinite(verdict.score)):
        raise JudgeError(
            f"Judge {use.use!r} broke on probe {case.probe.id!r}: the score of its Verdict must be a finite number or "
            f"None; found {verdict.score!r}."
        )
    return verdict
