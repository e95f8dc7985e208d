"""Which transcripts are good enough to learn from, and why the others are not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evalkit.datasets.candidate import Candidate
from evalkit.judging.template_leak import mentions_template
from evalkit.review import Label

Dedup = Literal["best", "first", "all"]
DEDUPS: tuple[Dedup, ...] = ("best", "first", "all")

CLOSED = frozenset({"stop", "stop_string"})
"""How an answer ends that the model ended itself."""


_BROKEN = re.compile("[\ufffd\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is taken. ``min_scores`` are (judge, least score), all of which must hold.

    ``reviewed``: only what a person labelled correct. ``is_picked``: the targets were chosen by name, so reference
    targets among them are meant. ``only_judge`` is the judge that all scores are by, where there is but one.
    ``special_tokens`` are those of the run's tokenizers that no common marker covers.
    """

    min_scores: tuple[tuple[str, float], ...] = ()
    reviewed: bool = False
    dedup: Dedup = "best"
    with_system: bool = False
    with_thinking: bool = False
    is_picked: bool = False
    only_judge: str | None = None
    special_tokens: tuple[str, ...] = ()

    @property
    def ranking_judge(self) -> str | None:
        """Whose score says which answer of a probe is best; None: the first that a required judge of it gave."""
        return self.min_scores[0][0] if self.min_scores else self.only_judge


@dataclass(frozen=True, slots=True)
class Selection:
    """What is kept, in the order of the run; ``left_out`` counts the others by reason, in words.

    ``approved`` is how many were good enough before a probe's other answers were left out.
    """

    kept: tuple[Candidate, ...]
    approved: int
    left_out: Mapping[str, int]


def select(
    candidates: Sequence[Candidate], labels: Mapping[str, Label], wanted: Wanted, tied: Collection[str] = ()
) -> Selection:
    """The transcripts to learn from; ``labels`` are people's, by text hash; of ``tied`` texts they decide nothing.

    A person's correct or wrong goes over the judges' pass or fail; nothing goes over a collapse.
    """
    left_out: Counter[str] = Counter()
    approved = []
    for candidate in candidates:
        is_tied = candidate.text_hash in tied
        why = why_not(candidate, labels.get(candidate.text_hash), wanted, is_tied=is_tied)
        if why is None:
            approved.append(candidate)
        else:
            left_out[why] += 1
    kept = deduplicated(approved, wanted.dedup, wanted.ranking_judge)
    if len(kept) < len(approved):
        left_out["another answer of the probe is kept"] = len(approved) - len(kept)
    return Selection(kept, len(approved), dict(left_out))


def why_not(candidate: Candidate, label: Label | None, wanted: Wanted, *, is_tied: bool = False) -> str | None:
    """The first reason against a transcript, in words; None where there is none."""
    record = candidate.record
    if record.outcome == "error":
        return "error, no answer"
    if not candidate.answers:
        return "the store has no answer"
    if record.role == "reference" and not wanted.is_picked:
        return "a reference target's, which is expected to misbehave"
    if record.outcome == "unscored":
        return "unscored"
    if record.is_collapsed:
        return "collapsed"
    unfit = _unfit_text(candidate, wanted)
    return unfit or ("reviewers differ" if is_tied else _unapproved(candidate, label, wanted))


def deduplicated(candidates: Iterable[Candidate], dedup: Dedup, judge: str | None) -> tuple[Candidate, ...]:
    """One for each probe: the best by ``judge``'s score, of equals the first, or just the first; ``all`` keeps all.

    An answer without a score is worse than any with one.
    """
    found = tuple(candidates)
    if dedup == "all":
        return found
    chosen: dict[str, Candidate] = {}
    for candidate in found:
        known = chosen.get(candidate.probe)
        if known is None or (dedup == "best" and _rank(candidate, judge) > _rank(known, judge)):
            chosen[candidate.probe] = candidate
    kept = {id(candidate) for candidate in chosen.values()}
    return tuple(candidate for candidate in found if id(candidate) in kept)


def _rank(candidate: Candidate, judge: str | None) -> float:
    score = candidate.score(judge)
    return float("-inf") if score is None else score


def _unfit_text(candidate: Candidate, wanted: Wanted) -> str | None:
    said = [message.content for message in candidate.asked]
    if not all(text.strip() for text in (*(answer.answer for answer in candidate.answers), *said)):
        return "empty"
    if any(answer.finish not in CLOSED for answer in candidate.answers):
        return "cut or refused before its end"
    contents = [
        message.content
        for message in candidate.messages(with_system=wanted.with_system, with_thinking=wanted.with_thinking)
    ]
    if any(mentions_template(text) or any(token in text for token in wanted.special_tokens) for text in contents):
        return "special tokens in the text"
    return "broken characters in the text" if any(map(_is_broken, contents)) else None


def _is_broken(text: str) -> bool:
    """Whether bytes were lost in it: U+FFFD, or half a surrogate pair."""
    return _BROKEN.search(text) is not None


def _unapproved(candidate: Candidate, label: Label | None, wanted: Wanted) -> str | None:
    if label is not None and label.truth is False:
        return "labelled wrong"
    if wanted.reviewed and label is None:
        return "not reviewed"
    if wanted.reviewed and label is not None and label.truth is None:
        return f"labelled {label.value}"
    if candidate.record.outcome == "fail" and not (label is not None and label.truth):
        return "failed"
    for judge, least in wanted.min_scores:
        score = candidate.scores.get(judge)
        if score is None:
            return f"no score by {judge}"
        if score < least:
            return f"{judge} below {least:g}"
    return None
