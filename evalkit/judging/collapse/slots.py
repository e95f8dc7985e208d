"""Finds answers that refill one sentence, or say the whole answer again in slightly other words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby, islice

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.masking import Extent

_SENTENCE_END = re.compile(r"\n+|(?<=[.!?;])\s+")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n\s*")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_DIGITS = re.compile(r"\d+")
_CORE_WORDS = 4
_SAME_START = 2
_MIN_WORDS = 10
_MOST_PARAGRAPHS = 4
_MOST = 0.9
_ONE_SLOT_FACTOR = 2.4
_SMALL = 3


def _may_refill(passage: Passage, policy: DegenerationPolicy) -> bool:
    """Whether there are sentences enough, that begin alike."""
    if passage.line is not None:
        return passage.line.sentences >= policy.slot_copies
    text = passage.prose
    if len(_SENTENCE_END.findall(text)) + 1 < policy.slot_copies:
        return False
    return _most_alike([_start_of(text, *place) for place in _sentences(text)]) >= policy.slot_copies


def _may_reword(passage: Passage, policy: DegenerationPolicy) -> bool:
    """Whether there are paragraphs enough, and not too many, the second like the first; one line is one paragraph."""
    if passage.line is not None or len(_PARAGRAPH_END.findall(passage.prose)) + 1 < policy.rewordings:
        return False
    places = _paragraphs(passage.prose)
    if not _are_some(places, policy):
        return False
    first, second = (Counter(_words(passage.prose[start:end])) for start, end in places[:2])
    return _is_alike(second, first, policy)


def _most_alike(starts: Sequence[Sequence[str]]) -> int:
    """How many sentences in a row have the same first words."""
    return max((len(list(run)) for _, run in groupby(starts)), default=0)


def _start_of(text: str, start: int, end: int) -> list[str]:
    """The first words of a sentence, numbers aside."""
    words = (found.group().lower() for found in _WORD.finditer(text, start, end))
    return list(islice((word for word in words if not word.isdigit()), _SAME_START))


def find_refilled(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """A sentence with one slot, filled again and again; or paragraphs that reword each other."""
    may_refill, may_reword = _may_refill(passage, policy), _may_reword(passage, policy)
    if not (may_refill or may_reword) or asked.has("repetition", "verse", "variants", "words"):
        return None
    found = _refilled(passage, policy) if may_refill else None
    return found or (_reworded(passage, asked, policy) if may_reword else None)


def _refilled(passage: Passage, policy: DegenerationPolicy) -> Finding | None:
    """Sentences in a row that start alike and differ in one word only, said twice in each; or once, in more of them."""
    text = passage.prose
    places = _sentences(text)
    words = [[word for word in _words(text[start:end]) if not word.isdigit()] for start, end in places]
    first = 0
    for index in range(1, len(words) + 1):
        if index < len(words) and _starts_alike(words[index - 1], words[index]):
            continue
        copies = index - first
        if copies >= policy.slot_copies and len(words[first]) >= _CORE_WORDS:
            slots = _slots(words[first:index])
            twice = sum(slot == 2 for slot in slots)
            once = sum(slot == 1 for slot in slots)
            if twice >= 0.8 * copies or (
                copies >= _ONE_SLOT_FACTOR * policy.slot_copies and once + twice >= _MOST * copies
            ):
                unit = text[slice(*places[first])]
                sentence = f"{passage.part} says {shown(unit)} {copies} times with one word changed"
                return Finding("near_loop", sentence, (places[first][0], places[index - 1][1]))
        first = index
    return None


def _sentences(text: str) -> list[Extent]:
    return [place for place in _parts(text, _SENTENCE_END) if _LETTERS.search(text, *place)]


def _starts_alike(left: Sequence[str], right: Sequence[str]) -> bool:
    return left[:_SAME_START] == right[:_SAME_START] and abs(len(left) - len(right)) <= 1


def _slots(sentences: Sequence[Sequence[str]]) -> list[int]:
    """For each sentence how often its one word of its own occurs; 0 where it has several or none."""
    usual = Counter(word for words in sentences for word in set(words))
    core = {word for word, count in usual.items() if count >= _MOST * len(sentences)}
    if len(core) < _CORE_WORDS:
        return [0] * len(sentences)
    found = []
    for words in sentences:
        own = [word for word in words if word not in core]
        if not all(_is_form(own[0], word) for word in own):
            own = [word for word in own if len(word) > _SMALL]
        found.append(min(len(own), 2) if own and all(_is_form(own[0], word) for word in own) else 0)
    return found


def _is_form(left: str, right: str) -> bool:
    """Whether two words are the same but for an ending."""
    stem = max(2, min(len(left), len(right)) - 1)
    return left[:stem] == right[:stem] and abs(len(left) - len(right)) <= 2


def _reworded(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """Paragraphs that together are the answer and each share most words with the first; other numbers, other things."""
    text = passage.prose
    places = _paragraphs(text)
    if not _are_some(places, policy) or asked.copies >= len(places):
        return None
    bags = [Counter(_words(text[start:end])) for start, end in places]
    if bags[0].total() < _MIN_WORDS:
        return None
    numbers = {tuple(_DIGITS.findall(text[start:end])) for start, end in places}
    alike = [_is_alike(bag, bags[0], policy) for bag in bags]
    names = [_names(text[start:end]) - _names(text[slice(*places[0])]) for start, end in places]
    if not all(alike) or len(numbers) > 1 or sum(bool(own) for own in names) > 0.5 * (len(places) - 1):
        return None
    sentence = f"{passage.part} is {shown(text[slice(*places[0])])} said {len(places)} times in nearly the same words"
    return Finding("near_loop", sentence, (places[0][0], places[-1][1]))


def _paragraphs(text: str) -> list[Extent]:
    return [place for place in _parts(text, _PARAGRAPH_END) if _WORD.search(text, *place)]


def _are_some(places: Sequence[Extent], policy: DegenerationPolicy) -> bool:
    return policy.rewordings <= len(places) <= _MOST_PARAGRAPHS * policy.rewordings


def _is_alike(bag: Counter[str], other: Counter[str], policy: DegenerationPolicy) -> bool:
    return (bag & other).total() >= policy.rewording_similarity * max(bag.total(), other.total())


def _names(paragraph: str) -> set[str]:
    """Words with a capital that do not begin a sentence."""
    return set(re.findall(r"(?<=[a-zà-ÿ,] )[A-Z]\w{2,}", paragraph))


def _words(text: str) -> list[str]:
    return [found.lower() for found in _WORD.findall(text)]


def _parts(text: str, end: re.Pattern[str]) -> Iterator[Extent]:
    position = 0
    for found in end.finditer(text):
        if found.start() > position:
            yield position, found.start()
        position = found.end()
    if position < len(text):
        yield position, len(text)
