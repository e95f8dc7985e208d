"""Every generated answer of suites/capability, strings: worked out again from the words of its prompt alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from evalkit.probe import Probe
from evalkit.verdict import Verdict

Generated = Callable[[str], Iterator[tuple[Probe, Callable[[str], Verdict]]]]

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def whole(text: str) -> list[int]:
    """The whole numbers of a text, in order."""
    return [int(found) for found in re.findall(r"(?<![\d.])\d+(?![\d.]*\d)", text)]


def quoted(text: str) -> list[str]:
    return re.findall(r'"([^"]+)"', text)


def _words(t: str) -> list[str]:
    """The longest run of small words between commas."""
    return re.split(r", | and ", max(re.findall(r"\b[a-z]+(?:, [a-z]+)+(?: and [a-z]+)?", t), key=len))


def _initials(t: str) -> object:
    return "".join(word[0] for word in quoted(t)[0].split())


def _letters(t: str) -> object:
    letter = re.findall(r"letter (\w)\b", t)[0]
    return len(re.findall(letter, quoted(t)[0]))


def _replace(t: str) -> object:
    if t.startswith("In the word"):
        (word,) = quoted(t)
        new, old = re.findall(r"the letter (\w) for every letter (\w)", t)[0]
    elif t.startswith("Replace"):
        old, word, new = quoted(t)
    elif t.startswith("What does"):
        word, old, new = quoted(t)
    else:
        word, new, old = quoted(t)
    return "".join(new if letter == old else letter for letter in word)


def _shift(t: str) -> object:
    (by,) = whole(t)
    return "".join((ALPHABET * 2)[ALPHABET.index(letter) + by] for letter in quoted(t)[0])


def _every_second(t: str) -> object:
    words = quoted(t)[0].split()
    first = 1 if "the fourth" in t else 0
    return "-".join(word for place, word in enumerate(words) if place % 2 == first)


def _sorted_words(t: str) -> object:
    words = re.split(", ", max(re.findall(r"[a-z]+(?:, [a-z]+)+", t), key=len))
    ranked = sorted(words, key=lambda word: [ALPHABET.index(letter) for letter in word])
    return ", ".join(ranked[::-1] if "z to a" in t or "reverse" in t else ranked)


def _sorted_numbers(t: str) -> object:
    values = sorted(whole(t))
    return ", ".join(map(str, values[::-1] if "descending" in t or "high to low" in t else values))


def _counting(t: str) -> object:
    words = _words(t)
    if "different" in t:
        return len(dict.fromkeys(words))
    if "commonest" in t:
        return max(words.count(word) for word in words)
    (least,) = whole(t)
    return len([word for word in words if len(word) >= least])


def _filtered(t: str) -> object:
    *values, place = whole(t)
    left = [value for value in values if value & 1 == (1 if "even numbers" in t else 0)]
    return (left[::-1] if "turn the list round" in t else left)[place - 1]


def _position(t: str) -> object:
    words = _words(t.split(", which", 1)[0].split(", the first", 1)[0].removeprefix("In the list "))
    if quoted(t):
        return words[words.index(quoted(t)[0]) + (1 if "directly after" in t else -1)]
    place = int(re.findall(r"has number (\d+)", t.split("Which word")[-1])[0])
    return words[-place] if "from the end" in t else words[place - 1]


SOLVERS: dict[str, Callable[[str], object]] = {
    "reverse": lambda t: "".join(reversed(quoted(t)[0])),
    "initials": _initials,
    "vowels": lambda t: re.sub("[aeiou]", "", quoted(t)[0]),
    "letters": _letters,
    "replace": _replace,
    "shift": _shift,
    "every_second": _every_second,
    "sorted_words": _sorted_words,
    "sorted_numbers": _sorted_numbers,
    "counting": _counting,
    "filtered": _filtered,
    "position": _position,
}


@pytest.mark.parametrize("kind", sorted(SOLVERS))
def test_the_second_reckoning_agrees(kind: str, generated: Generated) -> None:
    """Ten prompts of a kind are solved from their own words by other means; each probe's assertion takes the result."""
    for probe, judge in generated(kind):
        found = SOLVERS[kind](probe.prompt)

        verdict = judge(f"The answer is {found}.")
        assert verdict.outcome == "pass", (probe.id, probe.prompt, found, verdict.reason)
