"""What the learned model sees of an answer: its own words in short runs, where they stand, and what was expected."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evalkit.probe import Expectation

MAX_HEAD_TOKENS = 3_000
MAX_TAIL_TOKENS = 1_000
_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+(?:[.,:]\d+)*%?|\.\.\.|[.,?!:;`$€£<>{}*#|_«»-]")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$|[\"”»)*])|\n+")
_QUOTATION = re.compile(r'"[^"\n]{1,400}"|“[^”\n]{1,400}”|«[^»\n]{1,400}»')
_LINK = re.compile(r"https?://|www\.")
_CONTRACTIONS = {
    "can't": ("can", "not"), "cannot": ("can", "not"), "won't": ("will", "not"), "shan't": ("shall", "not"),
}  # fmt: skip
_ENDINGS = {"'m": "am", "'re": "are", "'ve": "have", "'ll": "will", "'d": "would", "n't": "not"}
_NEGATORS = frozenset((
    "not", "no", "never", "nor", "without", "none", "nothing", "nobody", "neither", "nunca", "jamas", "tampoco", "sin",
    "ni", "nadie", "nada", "ningun", "ninguna", "ninguno", "nicht", "kein", "keine", "ne", "pas", "nao",
))  # fmt: skip
_NEGATION_REACH = 3
_CONTENT_CHARS = 4
ECHO = "@"
"""Stands for a content word that the prompt holds too: what matters is how it is said, not what was asked."""

Extent = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Token:
    """A folded word or mark, with the characters of the answer it came from."""

    word: str
    start: int
    end: int


def features(answer: str, prompt: str, expect: Expectation | None = None) -> Iterator[tuple[str, Extent | None]]:
    """Every feature of the answer with the characters it stands on (None: it stands on no single place).

    Runs of one to three words of its sentences, quotations left out; those of the first and of the last sentence once
    more as such; words within three of a "no"; how long the answer is, how much of the prompt's wording it takes up,
    and how much of what is expected it says. A feature may come several times. Time is linear in the text.
    """
    asked = [token.word for token in tokens(prompt)]
    known = frozenset(word for word in asked if len(word) >= _CONTENT_CHARS)
    sentences = _shortened([found for found in _sentences(answer) if found])
    for number, sentence in enumerate(sentences):
        places = ("F:",) * (number == 0) + ("L:",) * (number == len(sentences) - 1)
        yield from _runs(sentence, known, places, is_first=number == 0)
    said = frozenset(token.word for sentence in sentences for token in sentence)
    for name in _measures(answer, sentences, said, known):
        yield name, None
    if expect is not None:
        for name in _expected(expect, said, known):
            yield name, None


def tokens(text: str, start: int = 0) -> list[Token]:
    """The folded words and marks of a text; ``start`` is added to every place."""
    found = []
    for match in _TOKEN.finditer(text):
        for word in _words(match.group()):
            found.append(Token(word, start + match.start(), start + match.end()))
    return found


def _words(raw: str) -> tuple[str, ...]:
    if raw[0].isdigit():
        return ("#",)
    word = _folded(raw)
    if word in _CONTRACTIONS:
        return _CONTRACTIONS[word]
    for ending, meaning in _ENDINGS.items():
        if word.endswith(ending) and len(word) > len(ending):
            return (word[: -len(ending)], meaning)
    return (word,)


def _folded(word: str) -> str:
    plain = word.replace("’", "'").lower()
    if plain.isascii():
        return plain
    return "".join(char for char in unicodedata.normalize("NFD", plain) if not unicodedata.combining(char))


def _sentences(answer: str) -> Iterator[list[Token]]:
    visible = _QUOTATION.sub(lambda found: "«" + " " * (len(found.group()) - 2) + "»", answer)
    position = 0
    for end in _SENTENCE_END.finditer(visible):
        yield tokens(visible[position : end.start()], position)
        position = end.end()
    yield tokens(visible[position:], position)


def _shortened(sentences: Sequence[list[Token]]) -> list[list[Token]]:
    """The sentences of the beginning and of the end, where there are too many for all."""
    if sum(map(len, sentences)) <= MAX_HEAD_TOKENS + MAX_TAIL_TOKENS:
        return list(sentences)
    return [*_first(sentences, MAX_HEAD_TOKENS), *_last(sentences, MAX_TAIL_TOKENS)]


def _first(sentences: Sequence[list[Token]], limit: int) -> list[list[Token]]:
    kept: list[list[Token]] = []
    room = limit
    for sentence in sentences:
        if room <= 0:
            break
        kept.append(sentence[:room])
        room -= len(sentence)
    return kept


def _last(sentences: Sequence[list[Token]], limit: int) -> list[list[Token]]:
    mirrored = _first([sentence[::-1] for sentence in reversed(sentences)], limit)
    return [sentence[::-1] for sentence in reversed(mirrored)]


def _runs(
    sentence: Sequence[Token], known: frozenset[str], places: tuple[str, ...], *, is_first: bool
) -> Iterator[tuple[str, Extent]]:
    words = [ECHO if token.word in known else token.word for token in sentence]
    since_negator = _NEGATION_REACH + 1
    for index, token in enumerate(sentence):
        is_negated = since_negator <= _NEGATION_REACH
        since_negator = 1 if token.word in _NEGATORS else since_negator + 1
        for length in range(1, min(4, len(words) - index + 1)):
            run = words[index : index + length]
            if all(word == ECHO for word in run):
                continue
            name, extent = "_".join(run), (token.start, sentence[index + length - 1].end)
            yield name, extent
            if length < 3:
                for place in places:
                    yield place + name, extent
            if length == 1 and is_negated:
                yield f"¬{name}", extent
            if is_first and index == 0:
                yield f"^{name}", extent


def _measures(
    answer: str, sentences: Sequence[Sequence[Token]], said: frozenset[str], known: frozenset[str]
) -> Iterator[str]:
    count = sum(map(len, sentences))
    numbers = sum(token.word == "#" for sentence in sentences for token in sentence)
    yield f"$overlap{min(4, 5 * len(known & said) // max(1, len(known)))}"
    yield f"$length{min(7, count.bit_length())}"
    yield f"$sentences{min(6, len(sentences))}"
    if numbers:
        yield f"$numbers{min(3, numbers // 2)}"
    if "```" in answer:
        yield "$code"
    if _LINK.search(answer):
        yield "$link"
    if answer.rstrip().endswith("?"):
        yield "$asks"


def _expected(expect: Expectation, said: frozenset[str], known: frozenset[str]) -> Iterator[str]:
    if expect.behaviour:
        wanted = {token.word for token in tokens(expect.behaviour) if len(token.word) > _CONTENT_CHARS} - known
        yield f"$expected{min(4, 5 * len(wanted & said) // max(1, len(wanted)))}"
