"""Reads which option an answer finally chooses."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = r"[*_`\"'“”‘’(\[{$]{0,4}"
_END = r"[*_`\"'“”‘’)\]}$]{0,4}"
_LETTER = rf"{_MARK}(?P<letter>[A-Za-z0-9])(?![\w'’])(?P<end>{_END})"
_ALSO = re.compile(rf"\s*(?:,|/|&|\+|(?:and|or|y|o|e|u|ou|oder|und|et)\b)\s*(?:{_LETTER})(?=\s*(?:$|[\n.,;!?/&]))")
_NAME = r"(?:answers?|choices?|options?|pick|respuestas?|opción|opciones|elección|alternativa|letra|antwort|réponse)"
_FINAL = r"(?:final|correct|right|best|definitiva|correcta|mejor)"
_IS = (
    rf"{_END}\s*(?:is|are|would be|should be|must be|es|son|sería|ist|est|:|=|→)?\s*:?\s*"
    r"(?:(?:option|choice|opción|letter|letra|la|the)\s+){0,2}"
)
_STATED = (
    re.compile(rf"\\boxed\{{\s*(?:\\text\{{)?{_LETTER}"),
    re.compile(rf"\b(?:final\s+{_NAME}|{_NAME}\s+(?:final|definitiva)){_IS}{_LETTER}", re.IGNORECASE),
    re.compile(rf"\b(?:{_FINAL}\s+)?{_NAME}(?:\s+(?:correcta|correct))?{_IS}{_LETTER}", re.IGNORECASE),
    re.compile(rf"\bletter{_END}\s*(?:is|:|=)\s*:?\s*{_LETTER}", re.IGNORECASE),
    re.compile(
        rf"\b(?:I(?:'d| would| will|'ll)?\s+(?:choose|pick|select|go with|say)|elijo|escojo|me quedo con)\s+"
        rf"(?:(?:option|answer|opción|la|the)\s+){{0,2}}{_LETTER}",
        re.IGNORECASE,
    ),
)  # fmt: skip
_WHOLE = re.compile(rf"^{_MARK}(?P<letter>[A-Za-z0-9])(?![\w'’]){_END}[.!:]?{_END}$")
_LISTED = re.compile(rf"{_MARK}[A-Z0-9]{_END}(?:\s*(?:,|/|&|\b(?:and|or|y|o)\b)\s*{_MARK}[A-Z0-9]{_END})+[.]?")
_LONE = re.compile(r"(?<!\w)[A-Z0-9](?!\w)")
_LINE_START = re.compile(
    rf"^[ \t]*{_MARK}(?P<letter>[A-Z0-9])"
    r"(?:[*_`]{1,3}|[)\].:,]{1,2}|\s*[-–—:]\s|\s+(?:because|since|porque|ya que)\b)",
    re.MULTILINE,
)
_STATED_WORD = re.compile(rf"\b{_NAME}{_IS}{_MARK}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FinalChoice:
    """The distinct options named as final, with where the last one stands."""

    options: tuple[str, ...]
    start: int
    end: int


def final_letter(text: str) -> FinalChoice | None:
    """The letter or digit an answer settles on, from the clearest kind of statement it makes.

    Kinds, clearest first: a box, "final answer: B", "the answer is B", "I choose B", the whole answer, a line that
    starts with "B)". Several different ones of one kind are all returned. "A" as an article does not count.
    """
    for pattern in _STATED:
        found = [hit for match in pattern.finditer(text) for hit in _letters(match, text)]
        if found:
            return _choice(found)
    stripped = text.strip()
    offset = len(text) - len(text.lstrip())
    whole = _WHOLE.match(stripped)
    if whole is not None:
        return _choice([(whole["letter"].upper(), offset + whole.start("letter"))])
    if _LISTED.fullmatch(stripped):
        letters = [(found.group().upper(), offset + found.start()) for found in _LONE.finditer(stripped)]
        return _choice(letters)
    starts = [(match["letter"], match.start("letter")) for match in _LINE_START.finditer(text)]
    last_line = text.rstrip().rsplit("\n", 1)[-1]
    alone = _WHOLE.match(last_line.strip())
    if alone is not None:
        return _choice([(alone["letter"].upper(), text.rindex(last_line) + last_line.index(alone["letter"]))])
    return _choice(starts) if starts else None


def final_word(text: str, option: str) -> FinalChoice | None:
    """Where an answer chooses a worded option: stated ("answer: left"), at its start, or alone on its last line.

    "left or right" names two. None when the option is not what the answer settles on.
    """
    wanted = re.compile(
        rf"{_MARK}{re.escape(option.strip())}(?!\w)"
        r"(?P<also>\s*(?:/|(?:and|or|y|o)\b)\s*(?P<other>\w+)(?=\s*(?:$|[\n.,;!?])))?",
        re.IGNORECASE,
    )
    stated = [match.end() for match in _STATED_WORD.finditer(text)]
    last_line = text.rstrip().rsplit("\n", 1)[-1]
    places = stated or [len(text) - len(text.lstrip()), len(text.rstrip()) - len(last_line)]
    for place in reversed(places):
        found = wanted.match(text, place)
        if found is not None:
            options = (option.strip(), found["other"]) if found["also"] else (option.strip(),)
            return FinalChoice(options, place, found.end())
    return None


def _letters(match: re.Match[str], text: str) -> list[tuple[str, int]]:
    letter, start = match["letter"], match.start("letter")
    is_bare = start == 0 or text[start - 1] not in "(*[\"'`{"
    if letter.islower() and is_bare and re.match(r"[ \t]+\w", text[match.end() :]):
        return []
    found = [(letter.upper(), start)]
    also = _ALSO.match(text, match.end())
    while also is not None:
        found.append((also["letter"].upper(), also.start("letter")))
        also = _ALSO.match(text, also.end())
    return found


def _choice(found: list[tuple[str, int]]) -> FinalChoice:
    last = found[-1][1]
    return FinalChoice(tuple(dict.fromkeys(letter for letter, _ in found)), last, last + 1)
