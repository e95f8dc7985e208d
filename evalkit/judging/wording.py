"""Text assertions on wordings, patterns and length, each with what was found and where."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]

from evalkit.errors import JudgeError
from evalkit.judging.masking import Extent
from evalkit.probe import Expectation

PATTERN_TIMEOUT_S = 2.0
_SHOWN = 60
_SPANS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One assertion's result: a sentence that names it, and the extents (in the answer) of what was found."""

    holds: bool
    sentence: str
    extents: tuple[Extent, ...] = ()


def shown(text: str) -> str:
    """A text as messages show it: one line, quoted, at most 60 characters."""
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…")


def wording_findings(expect: Expectation, answer: str) -> Iterator[Finding]:
    """contains, contains_any, not_contains: plain substrings, composed and decomposed accents alike."""
    for wording in expect.contains:
        found = _occurrences(wording, answer, expect.case_sensitive)
        yield Finding(bool(found), f"contains: {wording!r} was {'' if found else 'not '}found", found)
    if expect.contains_any:
        every = {wording: _occurrences(wording, answer, expect.case_sensitive) for wording in expect.contains_any}
        first = next((wording for wording, found in every.items() if found), None)
        if first is None:
            yield Finding(False, f"contains_any: none of {', '.join(map(repr, expect.contains_any))} was found")
        else:
            yield Finding(True, f"contains_any: {first!r} was found", every[first])
    for wording in expect.not_contains:
        found = _occurrences(wording, answer, expect.case_sensitive)
        yield Finding(not found, f"not_contains: {wording!r} was {'' if found else 'not '}found", found)


def pattern_findings(expect: Expectation, answer: str) -> Iterator[Finding]:
    """regex must be found somewhere, not_regex nowhere; ``^`` and ``$`` match at line ends."""
    for pattern in expect.regex:
        found = _pattern_matches(pattern, answer, expect.case_sensitive)
        sentence = f"regex: /{pattern}/ " + (f"found {shown(_cut(answer, found[0]))}" if found else "was not found")
        yield Finding(bool(found), sentence, found)
    for pattern in expect.not_regex:
        found = _pattern_matches(pattern, answer, expect.case_sensitive)
        sentence = f"not_regex: /{pattern}/ " + (f"found {shown(_cut(answer, found[0]))}" if found else "was not found")
        yield Finding(not found, sentence, found)


def equality_findings(expect: Expectation, answer: str) -> Iterator[Finding]:
    """equals: the trimmed answer is one of the given texts."""
    if not expect.equals:
        return
    holds = _comparable(answer, expect.case_sensitive) in {
        _comparable(wanted, expect.case_sensitive) for wanted in expect.equals
    }
    wanted = " or ".join(repr(text) for text in expect.equals)
    extents = ((0, len(answer)),) if answer else ()
    yield Finding(holds, f"equals: expected {wanted}; found {shown(answer)}", extents)


def length_findings(expect: Expectation, answer: str) -> Iterator[Finding]:
    """Characters and blank-separated words of the trimmed answer."""
    trimmed = answer.strip()
    for name, bound, size, unit in (
        ("min_chars", expect.min_chars, len(trimmed), "characters"),
        ("max_chars", expect.max_chars, len(trimmed), "characters"),
        ("min_words", expect.min_words, len(trimmed.split()), "words"),
        ("max_words", expect.max_words, len(trimmed.split()), "words"),
    ):
        if bound is not None:
            at_least = name.startswith("min")
            holds = size >= bound if at_least else size <= bound
            yield Finding(holds, f"{name}: expected at {'least' if at_least else 'most'} {bound} {unit}; found {size}")


def _occurrences(wording: str, answer: str, case_sensitive: bool) -> tuple[Extent, ...]:
    if wording and wording.isascii() and answer.isascii():
        return _plain_occurrences(wording, answer, case_sensitive)
    forms = dict.fromkeys((wording, unicodedata.normalize("NFC", wording), unicodedata.normalize("NFD", wording)))
    pattern = regex.compile("|".join(regex.escape(form) for form in forms), 0 if case_sensitive else regex.IGNORECASE)
    found = pattern.finditer(answer)
    return tuple(match.span() for match, _ in zip(found, range(_SPANS_SHOWN), strict=False))


def _plain_occurrences(wording: str, answer: str, case_sensitive: bool) -> tuple[Extent, ...]:
    """The same of plain ASCII, where lower case keeps every place; a pattern a wording would have to be compiled."""
    said, text = (wording, answer) if case_sensitive else (wording.lower(), answer.lower())
    found: list[Extent] = []
    place = text.find(said)
    while place >= 0 and len(found) < _SPANS_SHOWN:
        found.append((place, place + len(said)))
        place = text.find(said, place + len(said))
    return tuple(found)


def _pattern_matches(pattern: str, answer: str, case_sensitive: bool) -> tuple[Extent, ...]:
    flags = regex.MULTILINE if case_sensitive else regex.MULTILINE | regex.IGNORECASE
    try:
        found = regex.compile(pattern, flags).finditer(answer, timeout=PATTERN_TIMEOUT_S)
        return tuple(match.span() for match, _ in zip(found, range(_SPANS_SHOWN), strict=False))
    except TimeoutError:
        raise JudgeError(
            f"regex /{pattern}/ took more than {PATTERN_TIMEOUT_S:g} s on an answer of {len(answer)} characters. "
            "Nested repeats such as (a+)+ are the usual cause; write it without them."
        ) from None
    except regex.error as error:
        raise JudgeError(f"regex /{pattern}/ is not a regular expression: {error}.") from None


def _comparable(text: str, case_sensitive: bool) -> str:
    composed = unicodedata.normalize("NFC", text.strip())
    return composed if case_sensitive else composed.casefold()


def _cut(text: str, extent: Extent) -> str:
    return text[extent[0] : extent[1]]
