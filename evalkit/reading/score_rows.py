"""Plain rows of scores, one judge's of one answer each, as trials that gates can look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from evalkit.errors import Problem, UnreadableFile
from evalkit.reading.answer_rows import parsed_line
from evalkit.reading.schema_fields import wrong
from evalkit.reading.validate import problems_of
from evalkit.reading.yaml_nodes import Document
from evalkit.reading.yaml_parts import Node
from evalkit.record import TrialOutcome, TrialRecord
from evalkit.verdict import Outcome

UNNAMED = "scores"
"""The target of rows that name none."""


class ScoreRow(BaseModel):
    """One line; what ``evalkit judge --out`` writes is one. Other keys may stand beside these."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    probe: str | int | None = None
    id: str | int | None = None
    judge: str
    score: float | None = Field(default=None, allow_inf_nan=False)
    suite: str = ""
    category: str = ""
    cluster: str | None = None
    target: str = UNNAMED
    condition: str = "naked"
    sample: int | None = Field(default=None, ge=0)
    outcome: Outcome | None = None
    flags: list[str] = Field(default_factory=list)
    labels: dict[str, Any] = Field(default_factory=dict)
    signals: dict[str, Any] = Field(default_factory=dict)
    judge_hash: str = ""

    @model_validator(mode="after")
    def _has_a_probe(self) -> ScoreRow:
        if self.probe is None and self.id is None:
            wrong("the key 'probe' is missing. Add it.")
        return self

    @property
    def name(self) -> str:
        return str(self.id if self.probe is None else self.probe)

    @property
    def label(self) -> str:
        """The target as a label of four parts, so that its condition is known."""
        if self.target.count(":") == 3:
            return self.target
        return f"{self.target.replace(':', '-')}:stored:{self.condition.replace(':', '-')}:stored"

    @property
    def verdict(self) -> dict[str, Any]:
        kept = {"judge", "score", "flags", "labels", "signals", "judge_hash"}
        return {**self.model_dump(include=kept), "outcome": self.outcome or "unscored", "required": True}


@dataclass(frozen=True, slots=True)
class _Placed:
    row: ScoreRow
    line: int


def read_scores(lines: Iterable[bytes], shown: str) -> tuple[TrialRecord, ...]:
    """The trials that the rows of a file make up, in their order; rows of several judges of one answer are one trial.

    A judge's second row of one probe and target is its second sample, unless rows number their samples. ``shown`` names
    the file in messages.

    Raises:
        UnreadableFile: with every line that is no row.
    """
    problems: list[Problem] = []
    trials: dict[tuple[str, str, str, int], list[_Placed]] = {}
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _row(line, shown, number)
        if isinstance(row, Problem):
            problems.append(row)
            continue
        own = (row.suite, row.label, row.name, row.judge)
        sample = seen[own] if row.sample is None else row.sample
        seen[own] += 1
        trials.setdefault((row.suite, row.label, row.name, sample), []).append(_Placed(row, number))
    if problems:
        raise UnreadableFile(problems)
    return tuple(_record(shown, sample, rows) for (*_, sample), rows in trials.items())


def _row(line: bytes, shown: str, number: int) -> ScoreRow | Problem:
    plain = parsed_line(line, shown, number)
    if isinstance(plain, Problem):
        return plain
    try:
        return ScoreRow.model_validate(plain)
    except ValidationError as error:
        return problems_of(error, ScoreRow, Document(shown, plain, root=Node(number)))[0]


def _record(shown: str, sample: int, rows: Sequence[_Placed]) -> TrialRecord:
    first = rows[0].row
    scores = [item.row.score for item in rows if item.row.score is not None]
    suffix = f":s{sample}" if sample else ""
    return TrialRecord(
        trial=f"{shown}::{first.name}[{first.label}]{suffix}", suite=first.suite, file=shown, line=rows[0].line,
        probe=first.name, category=first.category, target=first.label, outcome=_outcome(rows), reason="",
        sample=sample, cluster=first.cluster, score=scores[0] if scores else None,
        flags=tuple(dict.fromkeys(flag for item in rows for flag in item.row.flags)),
        verdicts=tuple(item.row.verdict for item in rows),
    )  # fmt: skip


def _outcome(rows: Sequence[_Placed]) -> TrialOutcome:
    """That of all judges together: any fail is a fail, else anything unscored is unscored."""
    outcomes = [item.row.outcome or "unscored" for item in rows]
    if "fail" in outcomes:
        return "fail"
    return "unscored" if "unscored" in outcomes else "pass"
