"""The ``text`` judge: literal assertions on the answer, thinking excluded."""

from __future__ import annotations

from collections.abc import Iterator

from evalkit.generation import Reply
from evalkit.judging.base import RuleJudge
from evalkit.judging.documents import json_finding, python_finding
from evalkit.judging.final_choice import final_letter, final_word
from evalkit.judging.final_number import final_number
from evalkit.judging.wording import (
    Finding,
    equality_findings,
    length_findings,
    pattern_findings,
    shown,
    wording_findings,
)
from evalkit.probe import Expectation, NumberExpectation, Probe
from evalkit.transcript import Answer, Case
from evalkit.verdict import Span, Verdict

_ROUNDING = 1e-9


class TextJudge(RuleJudge):
    """Evaluates every text assertion of the probe on every judged answer; all must hold."""

    name = "text"
    version = "2"

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        if not case.probe.expect.has_text_assertion:
            return self.verdict("unscored", "the probe asserts nothing about the text")
        if not case.answers:
            return self.verdict("unscored", "there is no answer to judge")
        judged = [
            (number, answer, finding)
            for number, answer in enumerate(case.answers)
            for finding in _findings(case.probe, answer.answer)
        ]
        many = len(case.answers) > 1
        broken = [
            (f"answer {number + 1}: " if many else "") + finding.sentence
            for number, _, finding in judged
            if not finding.holds
        ]
        spans = tuple(span for number, answer, finding in judged for span in _spans(number, answer, finding))
        if broken:
            return self.verdict("fail", "; ".join(broken), spans=spans)
        if len(judged) == 1:
            return self.verdict("pass", judged[0][2].sentence, spans=spans)
        return self.verdict("pass", f"all {len(judged)} assertions hold", spans=spans)


def _findings(probe: Probe, answer: str) -> Iterator[Finding]:
    expect = probe.expect
    yield from wording_findings(expect, answer)
    yield from pattern_findings(expect, answer)
    yield from equality_findings(expect, answer)
    if expect.number is not None:
        yield _number_finding(expect.number, answer, probe.language)
    if expect.choice is not None:
        yield _choice_finding(expect, answer)
    if expect.json is not None:
        yield json_finding(expect.json, answer)
    if expect.python:
        yield python_finding(answer)
    yield from length_findings(expect, answer)


def _number_finding(expected: NumberExpectation, answer: str, language: str | None) -> Finding:
    tolerance = f" ± {expected.tolerance:g}" if expected.tolerance else ""
    wanted = f"number: expected {expected.value:.15g}{tolerance}"
    found = final_number(answer, language)
    if found is None:
        return Finding(False, f"{wanted}; found no number")
    slack = expected.tolerance + _ROUNDING * max(1.0, abs(expected.value))
    holds = any(abs(value - expected.value) <= slack for value in found.values)
    return Finding(holds, f"{wanted}; found {found.written}", ((found.start, found.end),))


def _choice_finding(expect: Expectation, answer: str) -> Finding:
    wanted = (expect.choice or "").strip().strip("()[].:").strip()
    is_letter = len(wanted) == 1
    found = final_letter(answer) if is_letter else final_word(answer, wanted)
    if found is None:
        return Finding(False, f"choice: expected {wanted!r}; found no final choice in {shown(answer)}")
    extents = ((found.start, found.end),)
    if len(found.options) > 1:
        several = " and ".join(repr(option) for option in found.options)
        return Finding(False, f"choice: expected {wanted!r} alone; found several as final: {several}", extents)
    chosen = found.options[0]
    holds = chosen == wanted if expect.case_sensitive and not is_letter else chosen.casefold() == wanted.casefold()
    return Finding(holds, f"choice: expected {wanted!r}; found {chosen!r}", extents)


def _spans(number: int, answer: Answer, finding: Finding) -> tuple[Span, ...]:
    return tuple(Span(*answer.in_text(*extent), finding.sentence, number) for extent in finding.extents)
