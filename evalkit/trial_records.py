"""A finished trial with its judges' decision as a record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, fields, is_dataclass
from operator import attrgetter
from typing import Any

from evalkit.generation import Failure, Generation, Reply
from evalkit.host.messages import Settled
from evalkit.host.plan import split_text
from evalkit.identity import probe_hash
from evalkit.matrix import Trial
from evalkit.probe import Expectation, is_asserted
from evalkit.record import TrialRecord
from evalkit.target import Target
from evalkit.verdict import Decision, Span, Verdict

_VERDICT = tuple(item.name for item in fields(Verdict))
_verdict_values = attrgetter(*_VERDICT)
_SPAN = tuple(item.name for item in fields(Span))
_span_values = attrgetter(*_SPAN)
_LAST: dict[str, tuple[str, dict[str, Any]]] = {}
"""What each judge said last, and its ``repr``, which tells 0 from 0.0."""
_NOTHING: dict[str, Any] = {}
_IN_FRONT = ("behaviour", "recommendation", "case_sensitive")
_EXPECTED = tuple(item.name for item in fields(Expectation) if item.name not in _IN_FRONT)
_expected_values = attrgetter(*_EXPECTED)


def record_of(trial: Trial, settled: Settled, decision: Decision | None, worker: str) -> TrialRecord:
    """The trial's record; without a decision that of an error, whose reason is still to be filled in."""
    answers = [reply for reply in settled.replies if isinstance(reply, Generation)]
    ages = [time.time() - answer.created_at for answer in answers if answer.is_stored]
    probe = trial.probe
    asked = asked_by_judges(settled)
    return TrialRecord(
        trial=trial.id, suite=probe.suite, file=probe.file, line=probe.line, probe=probe.id,
        category=probe.category, target=trial.target.label, sample=trial.sample, subcategory=probe.subcategory,
        cluster=probe.cluster, tags=probe.tags, language=probe.language, expected=expected_words(probe.expect),
        role=trial.target.role, is_demo=trial.target.model.is_demo,
        outcome=decision.outcome if decision else "error",
        reason=decision.reason if decision else "",
        score=decision.score if decision else None,
        flags=decision.flags if decision else (),
        verdicts=_verdicts(decision, asked, is_every=probe.judge_turns == "all") if decision else (),
        asked=() if decision else tuple(
            {"judge": probe.judges[index].use, **question} for index, own in asked.items() for question in own
        ),
        generations=tuple([answer.identity for answer in answers]),
        finishes=tuple([answer.finish for answer in answers]),
        prompt_tokens=sum([answer.prompt_tokens for answer in answers]),
        new_tokens=sum([answer.new_tokens for answer in answers]),
        system_placement=answers[0].system_placement if answers else "none",
        stored=bool(answers) and len(ages) == len(answers),
        stored_age_s=max(ages, default=None),
        generation_s=None if ages else sum([answer.total_s or 0.0 for answer in answers]),
        worker=worker,
        probe_hash=probe_hash(probe),
        formerly=probe.formerly,
        step=trial.target.step,
        perturbation=None if probe.perturbation is None else asdict(probe.perturbation),
        words=len(split_text(answers[-1].text).answer.split()) if answers else None,
    )  # fmt: skip


def asked_by_judges(settled: Settled) -> dict[int, list[dict[str, Any]]]:
    """What the judges of a trial asked of models, by the judge's place, as ``TrialRecord.verdicts`` holds it."""
    targets = dict(settled.judge_targets)
    return {index: _questions(replies, targets.get(index, ())) for index, replies in settled.judge_replies}


def _questions(replies: Sequence[Reply], targets: Sequence[Target | None]) -> list[dict[str, Any]]:
    found = []
    for reply, target in zip(replies, targets, strict=True):
        if target is not None:
            found.append(
                {
                    "target": target.label,
                    "model": target.model.location if target.engine.is_server else target.model.shown,
                    "identity": reply.identity,
                    "cost_usd": reply.cost_usd,
                    "attempts": reply.attempts if isinstance(reply, Generation) else None,
                    "stored": isinstance(reply, Generation) and reply.is_stored,
                    "failed": reply.kind if isinstance(reply, Failure) else None,
                }
            )
    return found


def _verdicts(
    decision: Decision, asked: dict[int, list[dict[str, Any]]], *, is_every: bool
) -> tuple[dict[str, Any], ...]:
    """``is_every``: all answers were judged, so that a span's ``answer`` counts from the first of them."""
    found = [_plain(verdict) for verdict in decision.verdicts]
    for index, plain in enumerate(found):
        if is_every:
            plain["every_answer"] = True
        plain["asked"] = asked.get(index, ())
    return tuple(map(_as_before, found))


def _as_before(plain: dict[str, Any]) -> dict[str, Any]:
    """What its judge said the last time, where that is the same to the last digit, as most passes of short answers are.

    A run keeps all its records, which hold such a verdict once then; nobody changes one.
    """
    said = repr(plain)
    last, before = _LAST.get(plain["judge"], ("", plain))
    if said == last:
        return before
    _LAST[plain["judge"]] = said, plain
    return plain


def _plain(verdict: Verdict) -> dict[str, Any]:
    """Tuples of pairs as dicts: what JSON and xdist can carry. An empty tuple, unlike a list, weighs nothing."""
    found: dict[str, Any] = dict(zip(_VERDICT, _verdict_values(verdict), strict=True))
    found["spans"] = tuple([dict(zip(_SPAN, _span_values(span), strict=True)) for span in verdict.spans])
    found["labels"] = {name: _listed(value) for name, value in verdict.labels} if verdict.labels else _NOTHING
    found["signals"] = {name: _listed(value) for name, value in verdict.signals} if verdict.signals else _NOTHING
    return found


def _listed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, (list, tuple)) else value


def expected_words(expect: Expectation) -> str:
    """The expectation in one line for people who review by hand."""
    parts = [expect.behaviour or ""]
    if expect.recommendation:
        parts.append(f"[{expect.recommendation}]")
    parts += [
        f"{name}: {_words(asdict(value) if is_dataclass(value) and not isinstance(value, type) else value)}"
        for name, value in zip(_EXPECTED, _expected_values(expect), strict=True)
        if value is not None and is_asserted(value)
    ]
    return " ".join(part for part in parts if part)


def _words(value: object) -> str:
    if value is True or (isinstance(value, dict) and not any(value.values())):
        return "wanted"
    if isinstance(value, (tuple, list)):
        return "; ".join(" | ".join(item) if isinstance(item, (tuple, list)) else str(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items() if item is not None)
    return str(value)
