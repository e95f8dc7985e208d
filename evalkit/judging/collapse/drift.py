"""Finds where an answer leaves the language it was asked in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.languages import SCRIPTS, Languages, is_latin, script_numbers, words_of
from evalkit.judging.collapse.plain_line import PlainLine
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.masking import Extent, blank, quotation_extents
from evalkit.judging.pattern_set import Alternatives
from evalkit.judging.repetition import LONG

_WORD = re.compile(r"[^\W\d_]+")
_ASIDE = Alternatives((
    r"\([^()\n]{1,120}\)", r"（[^（）\n]{1,120}）", r"\[[^\[\]\n]{1,120}\]", r"「[^」\n]{1,120}」",
    r"『[^』\n]{1,120}』", r"《[^》\n]{1,120}》",
    r"(?<![*\w])\*{1,2}[^*\n]{1,120}\*{1,2}(?!\w)", r"(?<!\w)_[^_\n]{1,120}_(?!\w)",
))  # fmt: skip
_AFTER_WORD = re.compile(r"(?<![^\W\d_])([a-zà-ÿ]{1,12})[ ]([^\W\d_a-zA-Z]{1,40})")
_SMALL_RUNS = 3
_KANA_WINDOW = 60
_ENGLISH_SHARE = 0.8
_LEAST_WORDS = 5
_LEAST_VOTES = 2.5
_ROUNDING = 1e-9
_EAST_ASIAN = frozenset(("ja", "zh"))


def _may_drift(line: PlainLine, asked: Asked, languages: Languages) -> bool:
    """Whether the function words of other languages than those asked for may rule a window of the line.

    Without a language asked for it depends on that of the first words, and the line has to be searched.
    """
    if len(line.words) < _LEAST_WORDS:
        return False
    return not asked.languages or languages.most_votes(line.words, asked.languages) >= _LEAST_VOTES


def find_drift(passage: Passage, asked: Asked, policy: DegenerationPolicy, languages: Languages) -> Finding | None:
    """The first place in another script or another language than the case asks for."""
    if passage.line is not None and not _may_drift(passage.line, asked, languages):
        return None
    text = unquoted_prose(passage)
    may_rule = _may_rule(text, asked, policy, languages)
    if (is_latin(text) and not may_rule and asked.languages.isdisjoint(_EAST_ASIAN)) or asked.has("languages"):
        return None
    return (
        _other_script(text, asked, policy)
        or _slipped_in(text, asked, languages)
        or _other_east_asian(text, asked)
        or (_other_language(text, asked, policy, languages) if may_rule else None)
    )


def _may_rule(text: str, asked: Asked, policy: DegenerationPolicy, languages: Languages) -> bool:
    """Whether the function words of languages that are not asked for may rule a window of words."""
    if len(text) > LONG:
        return True
    words = words_of_letters(text)
    allowed = _allowed(words, asked, policy, languages)
    if not allowed or len(words) < _LEAST_WORDS:
        return False
    weights = languages.weights(words, allowed)
    if sum(weights) < _LEAST_VOTES - _ROUNDING:
        return False
    size = policy.drift_window
    windows = range(0, max(1, len(words) - size // 2), size // 2)
    return any(sum(weights[first : first + size]) >= _LEAST_VOTES - _ROUNDING for first in windows)


def _allowed(words: Sequence[str], asked: Asked, policy: DegenerationPolicy, languages: Languages) -> frozenset[str]:
    """The languages asked for, else that of the first words."""
    if asked.languages:
        return asked.languages
    opening = languages.of(" ".join(words[: policy.drift_window // 2]))
    return frozenset((opening,)) if opening else frozenset()


def words_of_letters(text: str) -> list[str]:
    """Runs of letters, each in small letters."""
    return [word.lower() for word in _WORD.findall(text)]


def unquoted_prose(passage: Passage) -> str:
    """The passage without code, quotations and asides; a plain line has none."""
    return passage.prose if passage.line is not None else unquoted(passage.prose)


@lru_cache(maxsize=8)
def unquoted(visible: str) -> str:
    """The text without what it quotes, puts in brackets or sets off."""
    return blank(visible, [*quotation_extents(visible), *(found.span() for found in _ASIDE.finditer(visible))])


def is_other_language(passage: Passage, asked: Asked, languages: Languages) -> bool:
    """Whether the whole answer is in English although the prompt is not: no collapse unless a language is declared."""
    return asked.opening not in (None, "en") and languages.of(passage.visible) == "en"


def _other_script(text: str, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    if is_latin(text) or not asked.scripts:
        return None
    numbers = script_numbers(text)
    places = np.flatnonzero(numbers)
    if not len(places):
        return None
    allowed = [number for number, name in enumerate(SCRIPTS) if name in asked.scripts or name == "Latin"]
    foreign = ~np.isin(numbers[places], allowed)
    if not foreign.any():
        return None
    edges = np.flatnonzero(np.diff(np.concatenate(([0], foreign.view(np.int8), [0]))))
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts
    longest = int(lengths.argmax())
    greek_only = set(np.unique(numbers[places[foreign]]).tolist()) == {SCRIPTS.index("Greek")}
    small = int((lengths >= 2).sum())
    total = int(foreign.sum())
    is_drift = lengths[longest] >= policy.foreign_run or (
        not greek_only
        and (
            (total >= policy.foreign_run and (total > policy.foreign_share * len(places) or small >= _SMALL_RUNS))
            or small >= 2 * _SMALL_RUNS
        )
    )
    if not is_drift:
        return None
    start, end = int(places[starts[longest]]), int(places[ends[longest] - 1]) + 1
    script = SCRIPTS[int(numbers[start])]
    return Finding("language_drift", f"the answer drifts into {script} letters: {shown(text[start:end])}", (start, end))


def _slipped_in(text: str, asked: Asked, languages: Languages) -> Finding | None:
    """Words of a foreign script in the middle of sentences: behind a function word, as no name or term stands."""
    if is_latin(text) or not asked.scripts:
        return None
    numbers = script_numbers(text)
    slipped: list[Extent] = []
    letters = 0
    for found in _AFTER_WORD.finditer(text):
        if found.group(1) not in languages or SCRIPTS[int(numbers[found.start(2)])] in asked.scripts | {
            "Latin",
            "Greek",
        }:
            continue
        slipped.append(found.span(2))
        letters += found.end(2) - found.start(2)
    if len(slipped) < 2 or (len(slipped) < _SMALL_RUNS and letters < 2 * _SMALL_RUNS):
        return None
    words = ", ".join(text[start:end] for start, end in slipped[:_SMALL_RUNS])
    sentence = f"words of another script stand in its sentences: {shown(words)}"
    return Finding("language_drift", sentence, (slipped[0][0], slipped[-1][1]))


def _other_east_asian(text: str, asked: Asked) -> Finding | None:
    """Chinese where Japanese is asked for, and the other way round: by the share of Kana in windows of letters."""
    wanted = asked.languages & _EAST_ASIAN
    if len(wanted) != 1:
        return None
    numbers = script_numbers(text)
    kana = SCRIPTS.index("Kana")
    places = np.flatnonzero((numbers == kana) | (numbers == SCRIPTS.index("Han")))
    is_kana = numbers[places] == kana
    for first in range(0, max(1, len(places) - _KANA_WINDOW // 2), _KANA_WINDOW // 2):
        window = is_kana[first : first + _KANA_WINDOW]
        if len(window) < _KANA_WINDOW // 2:
            break
        share = window.mean()
        if ("ja" in wanted and share < 0.04) or ("zh" in wanted and share > 0.25):
            start = int(places[first])
            end = int(places[min(first + _KANA_WINDOW, len(places)) - 1]) + 1
            found = "Chinese" if "ja" in wanted else "Japanese"
            return Finding("language_drift", f"the answer drifts into {found}: {shown(text[start:end])}", (start, end))
    return None


def _other_language(text: str, asked: Asked, policy: DegenerationPolicy, languages: Languages) -> Finding | None:
    words = [(found.group().lower(), found.start(), found.end()) for found in _WORD.finditer(text)]
    size = policy.drift_window
    allowed = _allowed([word for word, _, _ in words[: size // 2]], asked, policy, languages)
    if not allowed:
        return None
    drifted: list[tuple[Extent, str]] = []
    windows = 0
    for first in range(0, max(1, len(words) - size // 2), size // 2):
        window = words[first : first + size]
        windows += 1
        code = _language_of_window([word for word, _, _ in window], allowed, policy, languages)
        if code is not None:
            drifted.append(((window[0][1], window[-1][2]), code))
    if not drifted:
        return None
    english = [extent for extent, code in drifted if code == "en"]
    whole = len(english) == len(drifted) and len(drifted) >= _ENGLISH_SHARE * windows and not _holds(text, asked)
    if whole and not asked.declared:
        return None
    extent, code = drifted[0]
    return Finding("language_drift", f"the answer drifts into {code!r}: {shown(text[slice(*extent)])}", extent)


def _holds(text: str, asked: Asked) -> bool:
    """Whether a good part of the text is in a script of its own that was asked for."""
    counts = np.bincount(script_numbers(text), minlength=len(SCRIPTS))
    wanted = sum(int(counts[SCRIPTS.index(name)]) for name in asked.scripts - {"Latin"} if name in SCRIPTS)
    return wanted >= 8 and wanted >= 0.1 * int(counts[1:].sum())


def _language_of_window(
    words: list[str], allowed: frozenset[str], policy: DegenerationPolicy, languages: Languages
) -> str | None:
    """The language that is not asked for and clearly rules a window of words."""
    if len(words) < _LEAST_WORDS:
        return None
    votes: Counter[str] = languages.votes(words)
    ranked = votes.most_common(1)
    if not ranked or ranked[0][0] in allowed:
        return None
    code, best = ranked[0]
    wanted = max((votes[language] for language in allowed), default=0)
    needed = max(3.0 if len(words) >= policy.drift_window else _LEAST_VOTES, policy.drift_vote * len(words))
    return code if best >= needed and best >= 2.5 * wanted + 1 else None


def language_words(text: str) -> list[str]:
    """The words of a text with quotations left out."""
    return words_of(unquoted(text))
