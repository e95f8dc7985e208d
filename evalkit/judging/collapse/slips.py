"""Finds sentences said again and again that differ by a slip of one letter, an opening word or a modal verb."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.plain_line import PlainLine
from evalkit.judging.masking import Extent

_ENDS = (re.compile(r"\n+|(?<=[.!?;])\s+"), re.compile(r"\n+|(?<=[.!?;,])\s+"))
_COPIES = (4, 6)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_LEAST_WORDS = 5
_LONGEST = 60
_LEAST_LETTERS = 4
_LAGS = 4
_SLIPS = 2
_WORDS_TO_A_SLIP = 5
_MODALS = re.compile(
    r"can|could|may|might|will|would|should|must|shall|pued[ae]n?|podrían?|podrán?|suelen?|deben?|va|kann|können|könnten?|"
    r"mag|darf|soll|sollten?|sollen|wird|werden|würden?|muss|müssen|peut|peuvent|pourrai(?:en)?t|pourra|doit|doivent|"
    r"devrait|può|possono|potrebbe(?:ro)?|potrà|deve|devono|dovrebbe(?:ro)?|pode|podem|poderiam?|costumam?|devem"
)
_OPENERS = re.compile(
    r"\W*(?:(?:also|moreover|besides|furthermore|additionally|likewise|similarly|again|in addition|too|then|indeed|"
    r"además|también|asimismo|igualmente|por otra parte|por otro lado|es más|außerdem|auch|zudem|ferner|weiterhin|"
    r"darüber hinaus|ebenso|überdies|de plus|en outre|aussi|par ailleurs|également|inoltre|anche|per di più|"
    r"in più|altresì|além disso|também|ademais|igualmente|and|y|und|et|e)\b[\s,]*){1,2}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """Where it stands, and its words without an opening connective; every modal verb is the same one."""

    extent: Extent
    words: tuple[str, ...]


def _may_slip(line: PlainLine) -> bool:
    """Whether there are words enough, and sentences or clauses."""
    sentences, clauses = _COPIES
    return len(line.words) >= sentences * _LEAST_WORDS and (
        line.sentences >= sentences or line.sentences + line.text.count(",") >= clauses
    )


def find_slips(passage: Passage, asked: Asked) -> Finding | None:
    """Four sentences in a row, or six clauses, that are one of those before them but for a few slips."""
    if passage.line is not None and not _may_slip(passage.line):
        return None
    if asked.has("repetition", "verse", "variants", "words"):
        return None
    for end, copies in zip(_ENDS, _COPIES, strict=True):
        if sum(1 for _ in end.finditer(passage.prose)) + 1 < copies:
            continue
        sentences = list(_sentences(passage.prose, end))
        first = 0
        for index in range(1, len(sentences) + 1):
            earlier = sentences[max(first, index - _LAGS) : index]
            if index < len(sentences) and any(_is_slip(sentences[index].words, one.words) for one in earlier):
                continue
            if index - first >= copies and len(sentences[first].words) >= _LEAST_WORDS:
                unit = shown(passage.prose[slice(*sentences[first].extent)])
                sentence = f"{passage.part} says {unit} {index - first} times with a letter or a small word changed"
                return Finding("near_loop", sentence, (sentences[first].extent[0], sentences[index - 1].extent[1]))
            first = index
    return None


def _sentences(text: str, end: re.Pattern[str]) -> Iterator[_Sentence]:
    position = 0
    for start, stop in ((found.start(), found.end()) for found in end.finditer(text + "\n")):
        opener = _OPENERS.match(text, position, start)
        words = [found.group().lower() for found in _WORD.finditer(text, opener.end() if opener else position, start)]
        if words:
            yield _Sentence((position, start), tuple("" if _MODALS.fullmatch(word) else word for word in words))
        position = stop


def _is_slip(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether two sentences are the same but for two words, or one in five, that differ by a letter."""
    if len(left) != len(right) or not _LEAST_WORDS <= len(left) <= _LONGEST:
        return False
    pairs = [(one, other) for one, other in zip(left, right, strict=True) if one != other]
    return len(pairs) <= max(_SLIPS, len(left) // _WORDS_TO_A_SLIP) and all(_is_misspelt(*pair) for pair in pairs)


def _is_misspelt(one: str, other: str) -> bool:
    """Whether one letter is missing, wrong, or stands on the other side of its neighbour."""
    short, long = sorted((one, other), key=len)
    if len(long) < _LEAST_LETTERS or len(long) - len(short) > 1 or not long.isalpha():
        return False
    start = next((at for at, (left, right) in enumerate(zip(short, long, strict=False)) if left != right), len(short))
    if len(short) < len(long):
        return short[start:] == long[start + 1 :]
    return short[start + 1 :] == long[start + 1 :] or (
        short[start : start + 2] == long[start : start + 2][::-1] and short[start + 2 :] == long[start + 2 :]
    )
