"""Every trial as the page reads it: plain values, each text once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evalkit.record import TrialRecord
from evalkit.report_page.commands import rerun_command
from evalkit.report_page.marks import marks_of
from evalkit.reporting.exports import TrialTexts
from evalkit.reporting.finished import FinishedRun
from evalkit.review import Label
from evalkit.transcript import Answer

_EMPTY: tuple[Any, ...] = ([], {}, "")


class Texts:
    """Texts by number, equal ones once: prompts come again on every target, answers in the baseline."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        """The number of this text."""
        return self._places.setdefault(text, len(self._places))

    @property
    def all(self) -> list[str]:
        return list(self._places)


def page_data(run: FinishedRun, *, baseline: FinishedRun | None, labels: Iterable[Label]) -> dict[str, Any]:
    """What the page's script works with."""
    texts, summary = Texts(), run.summary
    said: dict[str, list[Label]] = {}
    for label in labels:
        said.setdefault(label.text_hash, []).append(label)
    before = _Before(run, baseline)
    trials = []
    for record in summary.records:
        own = run.texts.get(record.trial, TrialTexts())
        trial = _trial(record, own, said.get(own.text_hash or "", ()), texts)
        trial["command"] = texts.place(rerun_command(record.trial, summary.run.command))
        then = before.of(record)
        if baseline is not None and then is not None:
            trial["before"] = _outcome_and_answers(then, baseline.texts.get(then.trial, TrialTexts()), texts)
        trials.append(trial)
    return {
        "run": summary.run.run_id,
        "demo": summary.run.is_demo,
        "targets": [{"label": target.label, "role": target.role} for target in summary.targets],
        "baseline": None if baseline is None else baseline.summary.run.run_id,
        "trials": trials,
        "texts": texts.all,
    }


def trial_key(trial: str) -> str:
    """What links call a trial: 12 hexadecimal digits of its id's SHA-256, the same in every run of it."""
    return hashlib.sha256(trial.encode("utf-8", "surrogatepass")).hexdigest()[:12]


class _Before:
    """The trials of the run that answers are compared with."""

    def __init__(self, run: FinishedRun, baseline: FinishedRun | None) -> None:
        records = () if baseline is None else baseline.summary.records
        is_one_to_one = baseline is not None and len(baseline.summary.targets) == len(run.summary.targets) == 1
        self._by_id = {record.trial: record for record in records}
        self._by_probe = {(record.file, record.probe, record.sample): record for record in records if is_one_to_one}

    def of(self, record: TrialRecord) -> TrialRecord | None:
        """The same trial, also under an id its probe had; where each run has one target, that of the same probe."""
        tail = record.trial.rpartition("[")[2]
        names = (record.trial, *(f"{record.file}::{name}[{tail}" for name in record.formerly))
        found = next((self._by_id[name] for name in names if name in self._by_id), None)
        return found or self._by_probe.get((record.file, record.probe, record.sample))


def _trial(record: TrialRecord, own: TrialTexts, said: Sequence[Label], texts: Texts) -> dict[str, Any]:
    facts = {
        "key": trial_key(record.trial),
        "trial": record.trial,
        "suite": record.suite,
        "file": record.file,
        "line": record.line,
        "probe": record.probe,
        "category": record.category,
        "subcategory": record.subcategory,
        "target": record.target,
        "sample": record.sample,
        "language": record.language,
        "tags": list(record.tags),
        "flags": list(record.flags),
        "step": record.step,
        "score": _plain(record.score),
        "stored": record.stored,
        "seconds": _plain(record.generation_s),
        "tokens": [record.prompt_tokens, record.new_tokens],
        "expected": texts.place(record.expected) if record.expected else None,
        "perturbed": _plain(record.perturbation),
        "messages": _messages(own, texts),
        "verdicts": [_verdict(verdict, own, texts) for verdict in record.verdicts],
        "asked": [_question(question, own, texts) for question in record.asked],
        "people": [_label(label, texts) for label in said],
    }
    return {**_said(facts), **_outcome_and_answers(record, own, texts)}


def _outcome_and_answers(record: TrialRecord, own: TrialTexts, texts: Texts) -> dict[str, Any]:
    marks = marks_of(record.verdicts, own.answers)
    return {
        "outcome": record.outcome,
        "reason": texts.place(record.reason),
        "answers": [_answer(answer, found, texts) for answer, found in zip(own.answers, marks, strict=True)],
    }


def _answer(answer: Answer, marks: Sequence[Any], texts: Texts) -> dict[str, Any]:
    facts: dict[str, Any] = {"text": texts.place(answer.answer), "finish": answer.finish}
    if answer.thinking:
        facts["thinking"] = texts.place(answer.thinking)
    if answer.raw_text and answer.raw_text != answer.answer:
        facts["raw"] = texts.place(answer.raw_text)
    if answer.thinking_flags:
        facts["notes"] = list(answer.thinking_flags)
    if marks:
        facts["marks"] = [
            [mark.start, mark.end, mark.verdict, texts.place(mark.why), int(mark.in_thinking)] for mark in marks
        ]
    return facts


def _messages(own: TrialTexts, texts: Texts) -> list[list[Any]]:
    """Role, text, and which of the target's answers it is (-1: none): what a probe put into its mouth is no answer."""
    found: list[list[Any]] = []
    following = 0
    last = len(own.messages) - 1
    for place, (role, content) in enumerate(own.messages):
        number = -1
        if role == "assistant" and following < len(own.answers):
            is_own = place == last or content == own.answers[following].answer
            number = following if is_own else -1
            following += is_own
        found.append([role, texts.place(content) if number < 0 else -1, number])
    return found


def _verdict(verdict: Mapping[str, Any], own: TrialTexts, texts: Texts) -> dict[str, Any]:
    facts = {
        "judge": str(verdict.get("judge", "")),
        "outcome": str(verdict.get("outcome", "")),
        "reason": texts.place(str(verdict.get("reason", ""))),
        "score": _plain(verdict.get("score")),
        "flags": list(verdict.get("flags", ())),
        "labels": _plain(verdict.get("labels") or {}),
        "signals": _plain(verdict.get("signals") or {}),
        "version": str(verdict.get("judge_version", "")),
        "hash": str(verdict.get("judge_hash", "")),
        "optional": not verdict.get("required", True),
        "asked": [_question(question, own, texts) for question in verdict.get("asked", ())],
    }
    return _said(facts)


def _question(question: Mapping[str, Any], own: TrialTexts, texts: Texts) -> dict[str, Any]:
    asked, reply = own.questions.get(str(question.get("identity", "")), ("", ""))
    return {
        "judge": str(question.get("judge", "")),
        "of": str(question.get("model") or question.get("target") or ""),
        "cost": _plain(question.get("cost_usd")),
        "failed": question.get("failed"),
        "question": texts.place(asked),
        "reply": texts.place(reply),
    }


def _label(label: Label, texts: Texts) -> dict[str, Any]:
    return {
        "value": label.value,
        "kind": label.failure_kind,
        "by": label.reviewer,
        "at": label.at,
        "note": texts.place(label.note),
        "blind": label.blind,
        "decides": label.adjudicates,
    }


def _said(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is absent, empty or false; a zero says something."""
    return {
        name: value for name, value in facts.items() if value is not None and value is not False and value not in _EMPTY
    }


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinities; they are shown by name."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
