"""The ``degeneration`` judge: is the text that a user would receive broken?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from evalkit.generation import Reply
from evalkit.judging import template_leak
from evalkit.judging.base import RuleJudge
from evalkit.judging.collapse import (
    characters,
    clauses,
    copies,
    drift,
    emptiness,
    fragments,
    grids,
    loops,
    near_loops,
    numbered_copies,
    slips,
    slots,
    soup,
    soup_marks,
    thinking_loops,
    turns,
)
from evalkit.judging.collapse.asked import Asked, PromptReader
from evalkit.judging.collapse.finding import Finding, Passage
from evalkit.judging.collapse.languages import Languages
from evalkit.judging.collapse.measures import Measures, measure
from evalkit.judging.collapse.policy import VERSION, DegenerationPolicy
from evalkit.judging.collapse.recital import RecitalFinder
from evalkit.judging.collapse.salad import SaladFinder, find_loose_signs
from evalkit.target import Settings
from evalkit.transcript import Answer, Case
from evalkit.verdict import Span, Verdict

_OPENER = re.compile(r"\s*(?:<\|?/?(?:think|thinking|thought|reasoning|channel)\b|\[THINK\])", re.IGNORECASE)
_CLOSER = re.compile(
    r"</(?:think|thinking|thought|reasoning)>|\[/THINK\]|<channel\|>|<\|(?:end|return|call)\|>", re.IGNORECASE
)


class DegenerationJudge(RuleJudge):
    """Fails a collapsed answer: one that loops, leaks, drifts, recites, is no writing, or is not there."""

    name = "degeneration"
    version = VERSION

    def __init__(self, policy: DegenerationPolicy) -> None:
        self.policy = policy
        self._languages = Languages(policy.function_words)
        self._prompts = PromptReader(policy)
        self._recital = RecitalFinder(policy)
        self._salad = SaladFinder(policy, self._languages)

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        if not case.answers:
            return self.verdict("unscored", "there is no answer to judge")
        asked = self._prompts.read(case)
        answers = [(answer, Passage.of(answer.answer, is_cut=answer.finish == "length")) for answer in case.answers]
        findings = [
            (number, finding)
            for number, (answer, passage) in enumerate(answers)
            for finding in self._findings(answer, passage, asked)
        ]
        flags = tuple(
            dict.fromkeys(flag for answer, passage in answers for flag in self._flags(answer, passage, asked))
        )
        spans = tuple(
            Span(*finding.extent, why=finding.sentence, answer=number)
            for number, finding in findings
            if finding.extent is not None
        )
        signals = _signals([measure(passage) for _, passage in answers], len(findings))
        if findings:
            number, first = findings[0]
            where = f"answer {number + 1}: " if len(case.answers) > 1 else ""
            return self.verdict(
                "fail", where + first.sentence, flags=("collapsed", *flags), spans=spans,
                labels=_labels([finding for _, finding in findings]), signals=signals,
            )  # fmt: skip
        return self.verdict("pass", "the text is not broken", flags=flags, signals=signals)

    def _findings(self, answer: Answer, passage: Passage, asked: Asked) -> list[Finding]:
        """What is broken in one answer, in characters of its whole text, the clearest first; one of each kind."""
        found = [_moved(finding, answer.answer_start) for finding in self._in_answer(passage, asked)]
        found += [_moved(finding, _thinking_start(answer)) for finding in self._in_thinking(answer, asked)]
        unclosed = _find_unclosed(answer)
        if unclosed is not None:
            found = [unclosed, *(finding for finding in found if finding.kind != "empty")]
            found.sort(key=lambda finding: finding.kind == "unclosed_thinking")
        return list({finding.kind: finding for finding in reversed(found)}.values())[::-1]

    def _in_answer(self, passage: Passage, asked: Asked) -> Iterator[Finding]:
        empty = self._empty(passage, asked)
        if empty is not None:
            yield empty
            return
        if not passage.text:
            return
        policy = self.policy
        yield from _repetitions(grids.without_grids(passage, asked), asked, policy, self._languages)
        for finding in (
            characters.find_alternating_case(passage, asked, policy),
            turns.find_leak(passage, asked),
            turns.find_invented_turn(passage, asked),
            soup.find_soup(passage, asked, policy),
            soup_marks.find_debris(passage, asked),
            fragments.find_fragments(passage, asked, self._languages),
            self._salad.find(passage, asked),
            find_loose_signs(passage, asked),
            drift.find_drift(passage, asked, policy, self._languages),
            self._recital.find(passage, asked),
        ):
            if finding is not None:
                yield finding

    def _in_thinking(self, answer: Answer, asked: Asked) -> Iterator[Finding]:
        """Only loops count in thinking."""
        if not answer.thinking:
            return
        passage = Passage.of(answer.thinking, "the thinking", answer.finish == "length" and not answer.answer)
        found = [*_repetitions(passage, asked, self.policy, self._languages)]
        circle = None if found or asked.has("repetition") else thinking_loops.find_circle(passage.visible, self.policy)
        yield from found if circle is None else [circle]

    def _empty(self, passage: Passage, asked: Asked) -> Finding | None:
        whole = start, end = 0, len(passage.text)
        if passage.line is None:
            start, end = template_leak.text_between(passage.visible)
            if (start, end) != whole and asked.has("template"):
                start, end = whole
        return emptiness.find_empty(passage.text[start:end], whole, asked, self.policy)

    def _flags(self, answer: Answer, passage: Passage, asked: Asked) -> Iterator[str]:
        """What is worth knowing and of itself no collapse; no marker of a template stands in a plain line."""
        if answer.finish == "length" and _find_unclosed(answer) is not None:
            yield "cut_while_thinking"
        if passage.line is None and not asked.has("template"):
            leak = template_leak.find_marker(passage.visible)
            if template_leak.leading_end(passage.visible):
                yield "leading_token"
            if leak is not None and leak.is_trailing:
                yield "trailing_token"
        if drift.is_other_language(passage, asked, self._languages):
            yield "other_language"


def _repetitions(passage: Passage, asked: Asked, policy: DegenerationPolicy, languages: Languages) -> list[Finding]:
    """The first loop of words, the first run of characters."""
    words = (
        loops.find_exact(passage, asked, policy)
        or loops.find_stammer(passage, asked, policy, languages)
        or near_loops.find_returning(passage, asked, policy)
        or clauses.find_counting_clauses(passage, asked, policy)
        or numbered_copies.find_numbered_copies(passage, asked, policy)
        or slots.find_refilled(passage, asked, policy)
        or slips.find_slips(passage, asked)
    )
    run = characters.find_run(passage, asked, policy) if words is None else None
    if words is None and run is None:
        words = loops.find_scattered(passage, asked, policy) or copies.find_copies(passage, asked, policy)
    return [finding for finding in (words, run) if finding is not None]


def _find_unclosed(answer: Answer) -> Finding | None:
    """Thinking that never ends and no answer, whoever ended it."""
    was_cut = answer.finish == "length"
    if answer.answer.strip() or not (answer.text.strip() or (was_cut and answer.thinking)):
        return None
    if not (answer.thinking or _OPENER.match(answer.text)):
        return None
    if "unclosed" not in answer.thinking_flags and _CLOSER.search(answer.text):
        return None
    sentence = "the thinking never ends and there is no answer"
    if was_cut:
        sentence += f": cut after {answer.new_tokens} tokens, raise max_new_tokens to see one"
    return Finding("unclosed_thinking", sentence, (0, len(answer.text)))


def _thinking_start(answer: Answer) -> int | None:
    """Where the thinking starts in the text; None when several blocks were joined or it came in a field of its own."""
    found = answer.text.find(answer.thinking) if answer.thinking else -1
    return None if found < 0 else found


def _moved(finding: Finding, offset: int | None) -> Finding:
    if offset is None or finding.extent is None:
        return Finding(finding.kind, finding.sentence, None)
    return Finding(finding.kind, finding.sentence, (finding.extent[0] + offset, finding.extent[1] + offset))


def _labels(findings: list[Finding]) -> Settings:
    kinds = list(dict.fromkeys(finding.kind for finding in findings))
    more = (("further_kinds", ", ".join(kinds[1:])),) if len(kinds) > 1 else ()
    return (("collapse_kind", kinds[0]), *more)


def _signals(measured: Sequence[Measures], findings: int) -> Settings:
    """Soft measures, the worst of the answers, and the number of findings."""
    worst = Measures(*map(max, zip(*measured, strict=True)))
    return (
        ("repeated_share", round(worst.repeated_share, 4)), ("zlib_ratio", round(worst.zlib_ratio, 2)),
        ("longest_repeat", worst.longest_repeat), ("duplicate_line_share", round(worst.duplicate_line_share, 4)),
        ("findings", findings),
    )  # fmt: skip
