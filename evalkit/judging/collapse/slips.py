"""Finds sentences said again and again that differ by a slip of one letter, an opening word or a modal verb."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.masking import Extent
from evalkit.judging.repetition import LONG

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
_OPENING = (
    "also; moreover; besides; furthermore; additionally; likewise; similarly; again; in addition; too; then; "
    "indeed; además; también; asimismo; igualmente; por otra parte; por otro lado; es más; außerdem; auch; zudem; "
    "ferner; weiterhin; darüber hinaus; ebenso; überdies; de plus; en outre; aussi; par ailleurs; également; "
    "inoltre; anche; per di più; in più; altresì; além disso; também; ademais; igualmente; and; y; und; et; e "
)
_OPENERS = re.compile(rf"\W*(?:(?:{'|'.join(_OPENING.strip().split('; '))})\b[\s,]*){{1,2}}", re.IGNORECASE)
_OPENING_WORDS = frozenset(words.split()[0] for words in _OPENING.split("; "))


@dataclass(frozen=True, slots=True)
class _Sentence:
    """Where it stands, and its words in small letters without an opening connective."""

    extent: Extent
    words: list[str]


def _may_slip(passage: Passage) -> bool:
    """Whether there are words enough, and, which is quickly said of a plain line, sentences or clauses."""
    sentences, clauses = _COPIES
    line = passage.line
    if line is None:
        return len(passage.text) > LONG or len(passage.words) >= sentences * _LEAST_WORDS
    return len(line.words) >= sentences * _LEAST_WORDS and (
        line.sentences >= sentences or line.sentences + line.text.count(",") >= clauses
    )


def find_slips(passage: Passage, asked: Asked) -> Finding | None:
    """Four sentences in a row, or six clauses, that are one of those before them but for a few slips."""
    if not _may_slip(passage):
        return None
    for end, copies in zip(_ENDS, _COPIES, strict=True):
        if len(end.findall(passage.prose)) + 1 < copies:
            continue
        sentences = list(_sentences(passage.prose, end))
        if not _may_be_slips([len(one.words) for one in sentences], copies):
            continue
        if asked.has("repetition", "verse", "variants", "words"):
            return None
        found = _slips(passage, sentences, copies)
        if found is not None:
            return found
    return None


def _may_be_slips(lengths: Sequence[int], copies: int) -> bool:
    """Whether sentences enough in a row have as many words as one of those shortly before them."""
    in_a_row = 0
    for index, length in enumerate(lengths):
        is_alike = _LEAST_WORDS <= length <= _LONGEST and length in lengths[max(0, index - _LAGS) : index]
        in_a_row = in_a_row + 1 if is_alike else 0
        if in_a_row >= copies - 1:
            return True
    return False


def _slips(passage: Passage, sentences: Sequence[_Sentence], copies: int) -> Finding | None:
    said = [tuple("" if _MODALS.fullmatch(word) else word for word in one.words) for one in sentences]
    first = 0
    for index in range(1, len(sentences) + 1):
        earlier = said[max(first, index - _LAGS) : index]
        if index < len(sentences) and any(_is_slip(said[index], words) for words in earlier):
            continue
        if index - first >= copies and len(said[first]) >= _LEAST_WORDS:
            unit = shown(passage.prose[slice(*sentences[first].extent)])
            sentence = f"{passage.part} says {unit} {index - first} times with a letter or a small word changed"
            return Finding("near_loop", sentence, (sentences[first].extent[0], sentences[index - 1].extent[1]))
        first = index
    return None


def _sentences(text: str, end: re.Pattern[str]) -> Iterator[_Sentence]:
    position = 0
    for start, stop in ((found.start(), found.end()) for found in end.finditer(text + "\n")):
        words = _WORD.findall(text, position, start)
        if words and _may_open(words[0]):
            opener = _OPENERS.match(text, position, start)
            words = _WORD.findall(text, opener.end(), start) if opener else words
        if words:
            yield _Sentence((position, start), [word.lower() for word in words])
        position = stop


def _may_open(word: str) -> bool:
    """Whether an opening connective may begin with a word, or with what stands in it before an apostrophe."""
    return not word.isascii() or word.partition("'")[0].lower() in _OPENING_WORDS


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
