"""Finds the tags that open and close thinking, and tells those that a text only quotes or talks about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from evalkit.judging.masking import blank, code_extents

TAGS_BEGIN = ("<", "[", "◁")
"""One of these begins every tag: a text without them has none."""
_NAMES = "think|thinking|thoughts?|reasoning|logos_think|scratchpad|seed:think|antml:thinking"
_TAG = re.compile(
    rf"""
      <(?P<close>/?)(?P<name>{_NAMES})(?:[ ][^<>\n]{{0,80}})?>
    | \[(?P<square>/?)THINK\]
    | ◁(?P<kimi>/?)think▷
    | <\|(?P<word>begin|end)_of_thought\|> | <\|(?P<cohere>START|END)_THINKING\|>
    | (?P<gemma><\|channel>[ ]?thought\b\n?) | (?P<gemma_close><channel\|>)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»", "„": "“", "(": ")", "*": "*", "_": "_"}
_MARK_FOLLOWS = ("", " ", "\t", "(", "[", "*")
_RUNS_ON = (" ", "'", '"', "”", "’")
_REGION_QUOTES = {'"': '"', "“": "”", "'": "'", "‘": "’", "«": "»"}
_NOUN = re.compile(
    r"['\"”’*]{0,2}(?: |-)(?:(?:XML|xml|HTML|html|special) )?"
    r"(?:tags?|tokens?|markers?|elements?|delimiters?|blocks?|brackets?|sections?|pairs?|strings?|labels?|syntax"
    r"|etiquetas?|marcas?|bloques?|marcadores)\b"
)
_WORD_BEFORE = re.compile(r"([^\W\d_]+)[:,]?[ ]['\"“‘(*]{0,2}$")
_LEADS = """
    the a an and or nor in into inside within with without between by of from on like as via plus both either using use
    uses used called named tag tags token tokens opening closing literal stray write writes written emit emits output
    outputs insert inserts add adds include includes put type print prints place open close closes after before until
    till than then say says see sees where when no not missing about want wants explain explains mention mentions
    example examples format syntax template pattern xml html
    el la los las un una y o u con sin entre dentro de en usa use usar escribe escribir etiqueta etiquetas tras antes
    despues hasta como
"""
_LEADING_WORDS = frozenset(_LEADS.split())
_GOES_ON = re.compile(
    r" (?:and|or|is|are|was|were|to|in|at|on|for|then|before|after|as|so|when|which|that|means?|marks?|closes?|ends?"
    r"|opens?|starts?|begins?|signals?|separates?|appears?|should|must|would|will|can|with|by|from|y|o|es|son|se|para"
    r"|antes|cuando|marca|cierra|abre|indica)\b"
)
_PUNCTUATION = re.compile(r"[,;:)?!]|\.(?=[\s<\[◁]|$)|[ ](?:[-–—=→]|->)[ ]")
_CONNECTIVE = re.compile(r"(?=[ ,/&])[ ,]*(?:(?:and|or|to|then|y|o|through|&|/|…|\.\.\.)[ ,]*)+", re.IGNORECASE)
_WORDLESS = re.compile(r"[ ]*(?:\.{3,}|…)?[ ]*")
_QUOTED_LINES = re.compile(r"[^\n]*(?:\n[ \t]*>[^\n]*)*")
_CODE_LINES = re.compile(r"[^\n]*(?:\n(?:[ \t]*\n)?(?:[ ]{4}|\t)[^\n]*)*")
_INDENT = re.compile(r"[ ]{4,}|[ ]*\t[ \t]*")
_REACH = 60
_PAIR_REACH = 160


@dataclass(frozen=True, slots=True)
class Tag:
    """Characters ``start`` to ``end`` open or close thinking under a name."""

    start: int
    end: int
    name: str
    opens: bool


@dataclass(frozen=True, slots=True)
class Tags:
    """A text's tags in order: those that ``act``, and those ``in_code``. Tags that prose mentions are in neither."""

    act: tuple[Tag, ...]
    in_code: tuple[Tag, ...]


def find_tags(text: str) -> Tags:
    """All thinking tags of a text. O(characters)."""
    every = [_tag_of(found) for found in _TAG.finditer(text)]
    if not every:
        return Tags((), ())
    has_code = "`" in text or "~~~" in text
    visible = blank(text, code_extents(text)) if has_code else text
    shown = [tag for tag in every if visible[tag.start] == text[tag.start]]
    hidden = tuple(tag for tag in every if visible[tag.start] != text[tag.start])
    return Tags(tuple(_acting(visible, shown)), hidden)


def _tag_of(found: re.Match[str]) -> Tag:
    if found["name"]:
        return Tag(*found.span(), found["name"].lower(), not found["close"])
    if found["gemma"] or found["gemma_close"]:
        return Tag(*found.span(), "<|channel>", bool(found["gemma"]))
    if found["word"] or found["cohere"]:
        word = (found["word"] or found["cohere"]).lower()
        return Tag(*found.span(), "of_thought" if found["word"] else "cohere", word in ("begin", "start"))
    slash = found["square"] if found["square"] is not None else found["kimi"]
    return Tag(*found.span(), "[think]" if found["square"] is not None else "◁think▷", not slash)


def _acting(text: str, tags: list[Tag]) -> Iterator[Tag]:
    """The tags that prose does not merely mention; what closes thinking that ends in emphasis is no mention."""
    text_start = len(text) - len(text.lstrip())
    last_close = max((tag.start for tag in tags if not tag.opens), default=-1)
    quoted_until = 0
    in_pair = is_open = False
    for index, tag in enumerate(tags):
        is_second, in_pair = in_pair, False
        following = tags[index + 1] if index + 1 < len(tags) else None
        if tag.start >= quoted_until:
            quoted_until = _quotation_end(text, tag)
        if is_second or tag.start < quoted_until:
            continue
        if _is_mentioned_pair(text, tag, following):
            in_pair = True
        elif tag.start == text_start:
            if tag.opens and last_close < tag.start and _NOUN.match(text, tag.end):
                continue
            is_open = tag.opens
            yield tag
        elif not _is_mentioned(text, tag) or (is_open and tag.start == last_close and text[tag.start - 1] in "*_"):
            is_open = tag.opens
            yield tag


def _is_mentioned(text: str, tag: Tag) -> bool:
    """Whether the sentence around a tag speaks of it: marks around it, a noun after it, or words that run through."""
    before, after = _around(text, tag.start, tag.end)
    mark = before[-1:]
    if mark in _QUOTES and before[-2:-1] in _MARK_FOLLOWS and after.lstrip(".,").startswith(_QUOTES[mark]):
        return True
    if not before.strip():
        return tag.opens and _PUNCTUATION.match(after) is not None
    if mark not in _MARK_FOLLOWS and mark not in _QUOTES:
        return False
    if _NOUN.match(after) or _PUNCTUATION.match(after):
        return True
    word = _WORD_BEFORE.search(before)
    if word is None:
        return False
    ends_there = not after.strip() and not text[tag.end :].strip()
    if word[1].lower() in _LEADING_WORDS and (after.startswith(_RUNS_ON) or ends_there):
        return True
    return _GOES_ON.match(after) is not None


def _is_mentioned_pair(text: str, tag: Tag, following: Tag | None) -> bool:
    """Whether an opening and a closing tag are named together in one sentence, with nothing thought between them."""
    if following is None or not tag.opens or following.opens or following.start - tag.end > _PAIR_REACH:
        return False
    between = text[tag.end : following.start]
    if "\n" in between:
        return False
    if _CONNECTIVE.fullmatch(between) and any(char.isalpha() or char in "/&" for char in between):
        return True
    before, _ = _around(text, tag.start, tag.end)
    _, after = _around(text, following.start, following.end)
    word = _WORD_BEFORE.search(before)
    leads = word is not None and word[1].lower() in _LEADING_WORDS
    if _WORDLESS.fullmatch(between):
        return leads or (bool(before.strip()) and _NOUN.match(after) is not None)
    goes_on = _NOUN.match(after) or _PUNCTUATION.match(after) or _GOES_ON.match(after)
    return leads and goes_on is not None


def _quotation_end(text: str, tag: Tag) -> int:
    """Where a quotation ends that an opening tag stands in: marks right before it, lines after ``>`` or indented."""
    if not tag.opens:
        return 0
    before, _ = _around(text, tag.start, tag.end)
    lines = (
        _QUOTED_LINES if before.lstrip().startswith(">") else _CODE_LINES if _is_code_line(text, before, tag) else None
    )
    if lines is not None:
        found = lines.match(text, tag.end)
        return tag.end if found is None else found.end()
    mark = text[tag.start - 1 : tag.start]
    if mark not in _REGION_QUOTES or (tag.start > 1 and text[tag.start - 2] not in " \n\t(:["):
        return 0
    line_end = text.find("\n", tag.end, tag.end + 600)
    end = text.find(_REGION_QUOTES[mark], tag.end, tag.end + 600 if line_end < 0 else line_end)
    return max(end, 0)


def _is_code_line(text: str, before: str, tag: Tag) -> bool:
    """Whether an indented line after a blank one begins with the tag, which is code in Markdown."""
    above = text[max(0, tag.start - len(before) - _REACH) : tag.start - len(before)]
    return _INDENT.fullmatch(before) is not None and bool(above.strip()) and above.endswith("\n\n")


def _around(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and after a place on its line, at most 60 characters each."""
    before = text[max(0, start - _REACH) : start].rpartition("\n")[2]
    after = text[end : end + _REACH].partition("\n")[0]
    return before, after
