"""The trials of a run with their texts: results.jsonl for machines, review.csv for people."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

from evalkit.record import TrialRecord
from evalkit.reporting.kept_as_text import kept_as_text
from evalkit.reporting.safe_text import for_csv
from evalkit.reporting.summary import DEMO_STAMP, RunFacts, record_order
from evalkit.transcript import Answer

RUN_FIELDS = ("worker", "stored", "stored_age_s", "generation_s")
"""What may differ between two runs of the same thing, kept apart under ``run``."""
QUESTION_RUN_FIELDS = ("cost_usd", "attempts", "stored")
"""The same of what judges asked."""

REVIEW_COLUMNS = (
    "trial", "file", "line", "category", "target", "prompt", "expected", "answer", "thinking", "verdict", "reason",
    "flags", "stamp", "human_label", "human_failure_kind", "human_note",
)  # fmt: skip
_TRIAL_FIELDS = tuple(item.name for item in fields(TrialRecord) if item.name not in ("is_demo", *RUN_FIELDS))
_LINE_FIELDS = ("demo", *_TRIAL_FIELDS)
_ANSWER_FIELDS = ("text", "answer", "thinking", "raw_text", "finish")
_of_trial, _of_run, _of_answer = attrgetter(*_TRIAL_FIELDS), attrgetter(*RUN_FIELDS), attrgetter(*_ANSWER_FIELDS)
_ROWS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class TrialTexts:
    """What a record leaves out: the conversation as (role, content) pairs, and the target's answers.

    ``questions`` holds what judges asked and were replied, by identity; ``text_hash`` is what labels belong to.
    """

    messages: tuple[tuple[str, str], ...] = ()
    answers: tuple[Answer, ...] = ()
    questions: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    text_hash: str | None = None


TrialPair = tuple[TrialRecord, TrialTexts]


def results_jsonl(records_with_texts: Iterable[TrialPair], *, run: RunFacts) -> Iterator[str]:
    """One line of ASCII JSON per trial, sorted; all but the key ``run`` is the same at any number of workers."""
    for record, texts in _sorted(records_with_texts, run):
        line = dict(zip(_LINE_FIELDS, (record.is_demo or run.is_demo, *_of_trial(record)), strict=True))
        asks = bool(record.asked) or any(verdict.get("asked", True) for verdict in record.verdicts)
        if asks:
            line["verdicts"] = [_with_words(verdict, texts) for verdict in record.verdicts]
            line = _with_words(line, texts)
        line["messages"] = [{"role": role, "content": content} for role, content in texts.messages]
        line["answers"] = [dict(zip(_ANSWER_FIELDS, _of_answer(answer), strict=True)) for answer in texts.answers]
        line["text_hash"] = texts.text_hash
        line["run"] = {"id": run.run_id, **dict(zip(RUN_FIELDS, _of_run(record), strict=True)), "asked": []}
        if asks:
            line["run"]["asked"] = [
                {name: question[name] for name in ("identity", *QUESTION_RUN_FIELDS)} for question in record.questions
            ]
        yield _json(line) + "\n"


_encoded = json.JSONEncoder(allow_nan=False, check_circular=False, default=str).encode


def _json(line: dict[str, Any]) -> str:
    """ASCII JSON; a line without NaN and infinities, as nearly all are, is not looked through for them."""
    try:
        return _encoded(line)
    except (ValueError, TypeError):  # or a judge of the user names its signals by something that is no text
        return _encoded(_finite(line))


def _with_words(holder: dict[str, Any], texts: TrialTexts) -> dict[str, Any]:
    """A verdict or a trial with the words of what it asked of models, if anything; the one given stays as it is."""
    asked = holder.get("asked", ())
    if not asked and "asked" in holder:
        return holder
    return {**holder, "asked": [_question(question, texts) for question in asked]}


def _question(question: dict[str, Any], texts: TrialTexts) -> dict[str, Any]:
    """What a judge asked, with its words and the reply's; both None where there is no reply."""
    kept = {name: value for name, value in question.items() if name not in QUESTION_RUN_FIELDS}
    asked, reply = texts.questions.get(question["identity"], (None, None))
    return {**kept, "question": asked, "reply": reply}


def _finite(value: Any) -> Any:
    """The value with NaN and infinities as text, which JSON has no numbers for."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def review_csv(records_with_texts: Iterable[TrialPair], *, run: RunFacts) -> Iterator[str]:
    """One row per trial for a person to judge, with empty columns for what they find.

    Begins with a byte-order mark and ends rows with CRLF, as spreadsheets want; no cell is a formula.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow(REVIEW_COLUMNS)
    pairs = _sorted(records_with_texts, run)
    for start in range(0, len(pairs), _ROWS_AT_ONCE):
        writer.writerows([_review_row(record, texts, run) for record, texts in pairs[start : start + _ROWS_AT_ONCE]])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _review_row(record: TrialRecord, texts: TrialTexts, run: RunFacts) -> tuple[str, ...]:
    last = texts.answers[-1] if texts.answers else None
    return (
        for_csv(record.trial),
        _cell(record.file),
        str(record.line),
        _cell(record.category),
        _cell(record.target),
        _text_cell(conversation_text(texts.messages)),
        _text_cell(record.expected),
        _text_cell(last.answer) if last else "",
        _text_cell(last.thinking) if last and last.thinking else "",
        _cell(record.outcome),
        _text_cell(record.reason),
        _cell(" ".join(record.flags)),
        DEMO_STAMP if record.is_demo or run.is_demo else "",
        "",
        "",
        "",
    )


_cell = lru_cache(maxsize=128)(for_csv)
"""A cell of what many trials have in common."""


def _text_cell(text: str) -> str:
    return kept_as_text(for_csv(text))


def conversation_text(messages: Sequence[tuple[str, str]]) -> str:
    """What led to the last answer: the bare prompt, or every message with its role where there is more than one."""
    asked = messages[:-1] if messages and messages[-1][0] == "assistant" else messages
    if len(asked) == 1:
        return asked[0][1]
    return "\n\n".join(f"{role}: {content}" for role, content in asked)


def _sorted(records_with_texts: Iterable[TrialPair], run: RunFacts) -> list[TrialPair]:
    order = record_order(run.targets)
    return sorted(records_with_texts, key=lambda pair: order(pair[0]))
