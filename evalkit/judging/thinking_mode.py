"""The ``thinking_mode`` judge: did the target think where the probe wants thinking, and only there?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from evalkit.generation import Reply
from evalkit.judging.base import RuleJudge
from evalkit.transcript import Answer, Case
from evalkit.verdict import Outcome, Verdict

_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class ThinkingModePolicy:
    """How many words of thinking a probe that should think needs, and how many one that should not may have."""

    least_words: int
    most_words: int


@dataclass(frozen=True, slots=True)
class _Mode:
    """What one answer did: words in its thinking, whether any of them is a word, and the outcome with its reason."""

    words: int
    thought: bool
    outcome: Outcome
    reason: str


class ThinkingModeJudge(RuleJudge):
    """Passes when the answer thinks as ``expect.thinks`` says; where that says nothing, it only measures."""

    name = "thinking_mode"
    version = "1"

    def __init__(self, policy: ThinkingModePolicy) -> None:
        self._policy = policy

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        if not case.answers:
            return self.verdict("unscored", "there is no answer to judge")
        modes = [self._mode(answer, case.probe.expect.thinks) for answer in case.answers]
        order: tuple[Outcome, ...] = ("fail", "unscored", "pass")
        outcome = min((mode.outcome for mode in modes), key=order.index)
        number = next(number for number, mode in enumerate(modes) if mode.outcome == outcome)
        shown, answer = modes[number], case.answers[number]
        where = f"answer {number + 1}: " if len(modes) > 1 else ""
        total = shown.words + len(answer.answer.split())
        return self.verdict(
            outcome, where + shown.reason,
            flags=("unclosed_thinking",) if "unclosed" in answer.thinking_flags else (),
            labels=(("thought", shown.thought), ("found", ", ".join(answer.thinking_flags) or "plain")),
            signals=(
                ("thinking_words", shown.words), ("thinking_share", round(shown.words / total, 3) if total else 0.0),
            ),
        )  # fmt: skip

    def _mode(self, answer: Answer, wanted: str | None) -> _Mode:
        thought = _WORD.search(answer.thinking) is not None
        words = len(answer.thinking.split()) if thought else 0
        outcome, reason = self._decided(answer, words, wanted)
        return _Mode(words, thought, outcome, reason)

    def _decided(self, answer: Answer, words: int, wanted: str | None) -> tuple[Outcome, str]:
        said = f"{words} {'word' if words == 1 else 'words'} of thinking"
        if "unclosed" in answer.thinking_flags:
            if answer.finish == "length":
                return "fail", f"{said}, cut at max_new_tokens before any answer; raise it to tell more"
            return "fail", f"{said} without an end: there is no answer behind them"
        if wanted is None:
            return "pass", f"{said}, none asked for or forbidden"
        if "untagged" in answer.thinking_flags:
            return "unscored", "headed paragraphs read like thinking and carry no tags; a person must look"
        if wanted == "yes":
            least = self._policy.least_words
            return ("pass", said) if words >= least else ("fail", f"{said}, at least {least} wanted")
        most = self._policy.most_words
        return ("pass", said) if words <= most else ("fail", f"{said} where at most {most} are wanted")
