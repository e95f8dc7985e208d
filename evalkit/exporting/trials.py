"""The trials of a run as a flat table: one row a trial, its texts included."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from typing import Any

from evalkit.exporting.columns import ExportColumn, ExportTable, Row, Value
from evalkit.measured import Measured
from evalkit.record import TrialRecord
from evalkit.reporting.exports import TrialTexts, conversation_text
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.safe_text import utf8_safe
from evalkit.reviewing.population import Settled, settled
from evalkit.tally import is_over_refusal

C = ExportColumn
TRIAL_COLUMNS = (
    C("run", "text", "the run's name"),
    C("demo", "truth", "whether a demo model was used: the numbers mean nothing"),
    C("trial", "text", "`file::probe[target]`, with `:s1` for the second sample and so on; names the row"),
    C("suite", "text", "the suite"),
    C("file", "text", "the probe's file, from the workspace"),
    C("line", "integer", "the probe's line in it"),
    C("probe", "text", "the probe's id"),
    C("category", "text", "the probe's category"),
    C("subcategory", "text", "and subcategory"),
    C("cluster", "text", "the family of probes that it stands or falls with"),
    C("language", "text", "the language that the probe names"),
    C("tags", "text", "its tags, a blank between"),
    C("target", "text", "the target's label"),
    C("weights", "text", "its first part: model and adapters"),
    C("quantisation", "text", "its second part"),
    C("condition", "text", "its third part"),
    C("decoding", "text", "its fourth part"),
    C("role", "text", "`subject`, or `reference` for a target that is expected to misbehave"),
    C("sample", "integer", "0 for the first"),
    C("step", "integer", "the training step of the target's last adapter of which one is known"),
    C("outcome", "text", "`pass`, `fail`, `unscored` or `error`"),
    C("reason", "text", "why, in a sentence"),
    C("score", "number", "the first score that a required judge gave"),
    C("collapsed", "truth", "whether a judge flags the answer as collapsed"),
    C("fabricated", "truth", "whether a judge says that it makes something up"),
    C("over_refused", "truth", "whether a judge says that it refuses what should have been answered"),
    C("flags", "text", "every flag, a blank between"),
    C("outcomes", "text", "JSON: by judge, what it says; a second use of a judge is `NAME#2`"),
    C("scores", "text", "JSON: by judge, its score"),
    C("judge_hashes", "text", "JSON: by judge, the hash of its code's version, policy and settings"),
    C("expected", "text", "what the probe expects, in words"),
    C("prompt", "text", "what led to the last answer; with several messages each with its role"),
    C("answer", "text", "the last answer without its thinking"),
    C("thinking", "text", "the thinking before it"),
    C("finish", "text", "why the last answer ended: `stop`, `stop_string`, `length`, `cycle`"),
    C("answers", "integer", "how many answers the target gave"),
    C("prompt_tokens", "integer", "read, over all answers"),
    C("new_tokens", "integer", "written, over all answers"),
    C("words", "integer", "of the last answer, without its thinking"),
    C("stored", "truth", "whether every answer came from the store"),
    C("stored_age_s", "number", "the age of the oldest of these, in seconds"),
    C("generation_s", "number", "seconds of generating, where nothing came from the store"),
    C("text_hash", "text", "names the text that people's labels belong to"),
    C("label", "text", "what people say of the answer: `correct`, `wrong`, or empty where nobody decided"),
    C("reviewers", "text", "who said so, a blank between"),
    C("probe_hash", "text", "covers what of the probe can change an answer or its verdict"),
)  # fmt: skip


def trial_table(run: FinishedRun) -> ExportTable:
    """One row a trial, in the order of results.jsonl."""
    said = settled(run.labels)
    rows = (
        _row(run, record, run.texts.get(record.trial, TrialTexts()), said) for record in run.summary.records
    )  # fmt: skip
    return ExportTable(TRIAL_COLUMNS, tuple(rows))


def _row(run: FinishedRun, record: TrialRecord, texts: TrialTexts, said: Mapping[str, Settled]) -> Row:
    plain = {**_facts(run, record), **_judged(record), **_texts(texts), **_labels(texts, said)}
    return tuple(clean(plain[column.name]) for column in TRIAL_COLUMNS)


def clean(value: Any) -> Value:
    """The value as any format can hold it: no number that is not finite, no lone surrogate."""
    if isinstance(value, str):
        return utf8_safe(value)
    if isinstance(value, float) and not isfinite(value):
        return None
    assert value is None or isinstance(value, bool | int | float)
    return value


def _facts(run: FinishedRun, record: TrialRecord) -> dict[str, Any]:
    weights, quantisation, condition, decoding = label_parts(record.target)
    return {
        "run": run.run_id, "demo": record.is_demo or run.summary.run.is_demo, "trial": record.trial,
        "suite": record.suite, "file": record.file, "line": record.line, "probe": record.probe,
        "category": record.category, "subcategory": record.subcategory, "cluster": record.cluster,
        "language": record.language, "tags": " ".join(record.tags) or None, "target": record.target, "weights": weights,
        "quantisation": quantisation, "condition": condition, "decoding": decoding, "role": record.role,
        "sample": record.sample, "step": record.step, "expected": record.expected, "answers": len(record.generations),
        "prompt_tokens": record.prompt_tokens, "new_tokens": record.new_tokens, "words": record.words,
        "stored": record.stored, "stored_age_s": record.stored_age_s, "generation_s": record.generation_s,
        "probe_hash": record.probe_hash, "finish": record.finishes[-1] if record.finishes else None,
    }  # fmt: skip


def label_parts(label: str) -> tuple[str, str | None, str | None, str | None]:
    """Weights, quantisation, condition and decoding; a label of another make is all weights."""
    parts = label.split(":")
    return (parts[0], parts[1], parts[2], parts[3]) if len(parts) == 4 else (label, None, None, None)


def _judged(record: TrialRecord) -> dict[str, Any]:
    measured = Measured.of(record)
    judges = [*measured.judges, *measured.optional_judges]
    outcomes = dict(zip(_in_order(record), (verdict["outcome"] for verdict in record.verdicts), strict=True))
    hashes = {**measured.judges, **measured.optional_judges}
    return {
        "outcome": record.outcome, "reason": record.reason, "score": record.score, "collapsed": record.is_collapsed,
        "fabricated": "fabricated" in record.flags, "over_refused": is_over_refusal(record),
        "flags": " ".join(record.flags) or None, "outcomes": _json(outcomes), "scores": _json(dict(measured.scores)),
        "judge_hashes": _json({name: hashes[name] for name in judges}),
    }  # fmt: skip


def _in_order(record: TrialRecord) -> list[str]:
    """The judges of the verdicts by the names that ``Measured`` gives them."""
    uses: dict[str, int] = {}
    names = []
    for verdict in record.verdicts:
        judge = verdict["judge"]
        uses[judge] = uses.get(judge, 0) + 1
        names.append(judge if uses[judge] == 1 else f"{judge}#{uses[judge]}")
    return names


def _texts(texts: TrialTexts) -> dict[str, Any]:
    last = texts.answers[-1] if texts.answers else None
    return {
        "prompt": conversation_text(texts.messages), "answer": last.answer if last else None,
        "thinking": (last.thinking or None) if last else None, "text_hash": texts.text_hash,
    }  # fmt: skip


def _labels(texts: TrialTexts, said: Mapping[str, Settled]) -> dict[str, Any]:
    found = said.get(texts.text_hash or "")
    if found is None:
        return {"label": None, "reviewers": None}
    value = None if found.truth is None else ("correct" if found.truth else "wrong")
    return {"label": value, "reviewers": " ".join(sorted({label.reviewer for label in found.labels}))}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)
