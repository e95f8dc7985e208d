"""What a failing probe prints: where, the prompt, the answer with its evidence marked, the reason, how to run it."""

from __future__ import annotations

import shlex

from evalkit.errors import UnreadableFile
from evalkit.matrix import Trial
from evalkit.probe import Generate, Message, Turn
from evalkit.reporting.safe_text import for_terminal, shortened
from evalkit.transcript import Answer
from evalkit.trial_judging import Judged
from evalkit.verdict import Decision, Span, Verdict

_SHOWN_CHARS = 600
_CONTEXT_CHARS = 160
_REASON_CHARS = 1_000
_ERROR_CHARS = 4_000


def failure_lines(trial: Trial, judged: Judged, nodeid: str) -> list[str]:
    """The lines of one failing probe, hostile characters removed; long texts are cut where the cut is said."""
    probe, case, decision = trial.probe, judged.case, judged.decision
    assert case is not None, "only passes come without what the judges saw"
    assert decision is not None
    lines = [f"{probe.file}:{probe.line}: {probe.id} ({probe.category}) on {trial.target.label}"]
    if probe.why:
        lines.append(f"tests: {for_terminal(probe.why)}")
    answers = iter(case.transcript.answers)
    # An assistant turn of the probe was put into the target's mouth; it is no answer.
    generated = iter([isinstance(turn, Generate) for turn in probe.turns if not _is_asked(turn)])
    for message in case.transcript.messages:
        if message.role == "assistant" and next(generated, False):
            answer = next(answers)
            lines.append(f"answer: {_answer(answer, _spans(decision, case.answers, answer))}{_ending(answer)}")
        else:
            lines.append(f"{message.role}: {_cut(for_terminal(message.content))}")
    if probe.expect.behaviour:
        lines.append(f"expected: {for_terminal(probe.expect.behaviour)}")
    lines += [_verdict(verdict) for verdict in decision.verdicts if verdict.outcome != "pass"]
    lines.append(f"run it alone: pytest {shlex.quote(nodeid)}")
    return lines


def reason_text(reason: str) -> str:
    """A verdict's reason on one line: a judge may quote a whole answer in it."""
    return shortened(for_terminal(reason), _REASON_CHARS)


def error_text(error: BaseException) -> str:
    """An error's sentences, a line for each problem of a file; what a judge or a server said in it is made harmless."""
    said = [str(problem) for problem in error.problems] if isinstance(error, UnreadableFile) else [str(error)]
    return "\n".join(shortened(for_terminal(line), _ERROR_CHARS) for line in said)


def _is_asked(turn: Turn) -> bool:
    return isinstance(turn, Message) and turn.role != "assistant"


def _verdict(verdict: Verdict) -> str:
    optional = "" if verdict.required else " (optional)"
    return f"{verdict.judge}{optional}: {verdict.outcome}: {reason_text(verdict.reason)}"


def _spans(decision: Decision, judged_answers: tuple[Answer, ...], answer: Answer) -> list[Span]:
    """The spans of failing judges in this answer, in order."""
    position = next((index for index, other in enumerate(judged_answers) if other is answer), None)
    spans = (span for verdict in decision.verdicts if verdict.outcome == "fail" for span in verdict.spans)
    return sorted((span for span in spans if span.answer == position), key=lambda span: (span.start, span.end))


def _answer(answer: Answer, spans: list[Span]) -> str:
    """The answer with evidence between » and «; when long, the part around the first evidence."""
    pieces, end = [], 0
    for span in spans:
        if span.start >= end:
            pieces += [answer.text[end : span.start], "»", answer.text[span.start : span.end], "«"]
            end = span.end
    marked = for_terminal("".join([*pieces, answer.text[end:]]))
    first = marked.find("»")
    if first > _SHOWN_CHARS - _CONTEXT_CHARS:
        marked = f"… {marked[first - _CONTEXT_CHARS :]}"
    return _cut(marked)


def _ending(answer: Answer) -> str:
    return f" [cut at {answer.new_tokens} tokens]" if answer.finish == "length" else ""


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}… ({len(text)} characters)"
