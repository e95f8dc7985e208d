"""Finds answers that recite instructions or only repeat the prompt."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.policy import DegenerationPolicy

_GRAM = 6
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"[^\s.!?。！？\n:][^.!?。！？\n]*(?:[.!?。！？]+(?![\w])|\n|$|[.!?](?=\w)[^.!?\n]*)")
_MIN_LINES = 3
_ECHO_MIN_WORDS = 4


class RecitalFinder:
    """Knows the look of instructions to a model, from the policy's lines."""

    def __init__(self, policy: DegenerationPolicy) -> None:
        self._policy = policy
        self._lines = [re.compile(line, re.IGNORECASE) for line in policy.instruction_lines]

    def find(self, passage: Passage, asked: Asked) -> Finding | None:
        """Recited instructions, or the prompt itself instead of an answer."""
        return self._echo(passage, asked) or self._system(passage, asked) or self._lines_alone(passage, asked)

    def _echo(self, passage: Passage, asked: Asked) -> Finding | None:
        if asked.has("repetition", "words", "languages", "variants"):
            return None
        said, given = _words(passage.text), _words(asked.prompt)
        if said == given and len(given) >= 2 and asked.has("more"):
            return Finding("echo", "the answer only repeats the prompt", _whole(passage))
        if len(given) < _ECHO_MIN_WORDS or not _ECHO_MIN_WORDS <= len(said) <= 3 * len(given) + 3:
            return None
        share = self._policy.echo_share
        covered = _copied(said, given, min(_GRAM, _ECHO_MIN_WORDS))
        if sum(covered) < share * len(said) or len(set(said) & set(given)) < share * len(set(given)):
            return None
        return Finding("echo", "the answer only repeats the prompt", _whole(passage))

    def _system(self, passage: Passage, asked: Asked) -> Finding | None:
        if not asked.system or asked.has("instructions"):
            return None
        said, given = _words(passage.text), _words(asked.system)
        covered = _copied(said, given, _GRAM)
        number = sum(covered)
        if number < self._policy.recited_min_words or number < self._policy.recited_share * len(said):
            return None
        lines = [line for line in _sentences(passage.text) if any(pattern.search(line) for pattern in self._lines)]
        if not lines:
            return None
        sentence = f"{number} of the answer's {len(said)} words are recited from its instructions"
        return Finding("regurgitation", sentence, _whole(passage))

    def _lines_alone(self, passage: Passage, asked: Asked) -> Finding | None:
        """Sentences that instruct a model: much of the answer, or all of a short one; a lone line is not yet one."""
        if asked.has("instructions", "template", "dialogue"):
            return None
        sentences = _sentences(passage.visible)
        kinds = {number for line in sentences for number, pattern in enumerate(self._lines) if pattern.search(line)}
        matched = [line for line in sentences if any(pattern.search(line) for pattern in self._lines)]
        few = 2 <= len(sentences) <= _MIN_LINES and len(matched) == len(sentences)
        few = few and (len(sentences) < _MIN_LINES or len(kinds) >= 2)
        many = len(matched) >= _MIN_LINES and len(kinds) >= 2 and len(matched) >= 0.4 * len(sentences)
        if not (few or many):
            return None
        sentence = f"the answer recites instructions to a model: {shown(matched[0])}"
        return Finding("regurgitation", sentence, _whole(passage))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _sentences(text: str) -> list[str]:
    found = (match.group().strip() for match in _SENTENCE.finditer(text))
    return [line for line in found if any(char.isalpha() for char in line)]


def _copied(said: Sequence[str], given: Sequence[str], size: int) -> list[bool]:
    """For each word said whether it lies in a run of ``size`` words of the given ones."""
    size = max(1, min(size, len(given)))
    grams = {tuple(given[index : index + size]) for index in range(len(given) - size + 1)}
    covered = [False] * len(said)
    last = 0
    for index in range(len(said) - size + 1):
        if tuple(said[index : index + size]) in grams:
            for place in range(max(index, last), index + size):
                covered[place] = True
            last = index + size
    return covered


def _whole(passage: Passage) -> tuple[int, int]:
    return 0, len(passage.text)
