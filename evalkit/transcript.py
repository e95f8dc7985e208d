"""The trial's full conversation, thinking and answer kept apart."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from evalkit.generation import Finish
from evalkit.probe import Message, Probe


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the target: ``text`` as it came (end tokens removed), split into ``thinking`` and ``answer``.

    ``answer_start`` is where ``answer`` begins in ``text``, in characters. An answer with thinking in its midst stands
    in several ``pieces``: for each its place in ``answer``, then in ``text``. ``thinking_flags`` say how the thinking
    was found (``implicit``, ``unclosed``, ``late``, ``multiple``, ``empty``, ``untagged``). ``new_tokens`` counts both
    parts.
    """

    text: str
    answer: str
    thinking: str = ""
    answer_start: int = 0
    raw_text: str = ""
    finish: Finish = "stop"
    new_tokens: int = 0
    identity: str = ""
    pieces: tuple[tuple[int, int], ...] = ()
    thinking_flags: tuple[str, ...] = ()

    def in_text(self, start: int, end: int) -> tuple[int, int]:
        """Where characters ``start`` to ``end`` of ``answer`` stand in ``text``."""
        first = self._place(start)
        return first, max(first, self._place(end - 1) + 1) if end > start else first

    def _place(self, position: int) -> int:
        if not self.pieces:
            return self.answer_start + position
        index = bisect_right(self.pieces, position, key=lambda piece: piece[0]) - 1
        in_answer, in_text = self.pieces[max(index, 0)]
        return in_text + position - in_answer


@dataclass(frozen=True, slots=True)
class Transcript:
    """The conversation as it happened: ``messages`` in order (the answers among them), ``answers`` the target's."""

    messages: tuple[Message, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """What a judge sees: the probe, the target's label, the transcript, and the ``system`` text in front of it."""

    probe: Probe
    target_label: str
    transcript: Transcript
    system: str = ""

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers to judge: the last one, or all with ``judge_turns: all``."""
        every = self.transcript.answers
        return every if self.probe.judge_turns == "all" else every[-1:]

    @property
    def prompt(self) -> str:
        """All the user's words of the conversation."""
        return self.probe.prompt
