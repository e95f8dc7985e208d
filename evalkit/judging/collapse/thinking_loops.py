"""Finds thinking that goes in circles: blocks that say again what an earlier one said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.judging.collapse.finding import Finding, shown
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.masking import Extent

_BLOCK_END = re.compile(r"\n[ \t]*\n\s*|\n+(?=[ \t]*(?:\*\*|#))|(?<=[.!?])[ \t]+(?=\*\*[^*\n]{1,80}\*\*)")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_HEADING = re.compile(
    r"\s*(?:#{1,6}[ \t]*(?P<hash>[^\n]{1,80})|\*\*(?P<bold>[^*\n]{1,80})\*\*"
    r"|(?P<title>[A-Z]\w+(?:[ ](?:[A-Z]\w+|the|a|of|and|for|to|in)){1,7})(?=\s*(?:\n|$|(?:I|We|My|Now|The)\b)))"
)
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")
_MIN_WORDS = 8
_POSTINGS = 8
_HEADING_OVERLAP = 0.35
_WANDERING_BLOCKS = 4


@dataclass(frozen=True, slots=True)
class _Block:
    start: int
    end: int
    heading: str
    words: tuple[str, ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(word for word in self.words if word.isdigit())


def find_circle(text: str, policy: DegenerationPolicy) -> Finding | None:
    """A loop of thought: two repeats that make a quarter of the blocks, or a family of three.

    Blocks are what blank lines or headings part; one block of many sentences is parted into those. A block repeats
    the best earlier one if they share ``thinking_overlap`` of the smaller one's three-word sequences; the same
    heading lifts a share from 0.35. Blocks that differ in their numbers are cases, not repeats.
    """
    blocks = _blocks(text, _BLOCK_END)
    if len(blocks) < _WANDERING_BLOCKS:
        blocks = [block for block in _blocks(text, _SENTENCE_END) if len(block.words) >= _MIN_WORDS] or blocks
    families, places = _families(blocks, policy)
    repeats = sum(size - 1 for size in families.values())
    largest = max(families.values(), default=1)
    if largest < policy.thinking_family and not (
        repeats >= policy.thinking_repeats and repeats >= policy.thinking_share * len(blocks)
    ):
        return None
    root = max(families, key=lambda family: families[family])
    first, last = blocks[root], blocks[places[root]]
    said = shown(text[first.start : first.end])
    sentence = f"the thinking goes in circles: {repeats} of {len(blocks)} blocks repeat earlier ones, as {said}"
    return Finding("thinking_loop", sentence, (first.start, last.end))


def _blocks(text: str, end: re.Pattern[str]) -> list[_Block]:
    blocks: list[_Block] = []
    for start, stop in _extents(text, end):
        part = text[start:stop]
        found = _HEADING.match(part)
        heading = _key(found.group("hash") or found.group("bold") or found.group("title")) if found else ""
        body = part[found.end() :] if found else part
        words = tuple(_WORD.findall(body.lower()))
        if not words and not heading:
            continue
        if blocks and not blocks[-1].words and not heading:
            blocks[-1] = _Block(blocks[-1].start, stop, blocks[-1].heading, words)
        else:
            blocks.append(_Block(start, stop, heading, words))
    return [block for block in blocks if block.words]


def _extents(text: str, end: re.Pattern[str]) -> list[Extent]:
    edges = [0, *(place for found in end.finditer(text) for place in found.span()), len(text)]
    return [
        (edges[index], edges[index + 1]) for index in range(0, len(edges) - 1, 2) if edges[index] < edges[index + 1]
    ]


def _key(heading: str) -> str:
    """The heading without its leading -ing word and small words."""
    words = [word for word in _WORD.findall(heading.lower()) if word not in ("the", "a", "of", "my", "our")]
    return " ".join(words[1:] if len(words) > 1 and words[0].endswith("ing") else words)


def _families(blocks: Sequence[_Block], policy: DegenerationPolicy) -> tuple[dict[int, int], dict[int, int]]:
    """The size of each family of like blocks by its first member, and its last member."""
    postings: dict[tuple[str, str, str], list[int]] = {}
    grams = [set(zip(block.words, block.words[1:], block.words[2:], strict=False)) for block in blocks]
    root = list(range(len(blocks)))
    for index, block in enumerate(blocks):
        shared: Counter[int] = Counter()
        for gram in grams[index]:
            seen = postings.setdefault(gram, [])
            shared.update(seen)
            if len(seen) < _POSTINGS:
                seen.append(index)
        best = max(shared, key=lambda other: shared[other] / _smaller(grams, index, other), default=None)
        if best is None or block.numbers != blocks[best].numbers:
            continue
        overlap = shared[best] / _smaller(grams, index, best)
        same = bool(block.heading) and block.heading == blocks[best].heading
        long_enough = min(len(block.words), len(blocks[best].words)) >= _MIN_WORDS
        if (overlap >= policy.thinking_overlap and (long_enough or same)) or (same and overlap >= _HEADING_OVERLAP):
            root[index] = root[best]
    sizes: dict[int, int] = {}
    last: dict[int, int] = {}
    for index, family in enumerate(root):
        sizes[family] = sizes.get(family, 0) + 1
        last[family] = index
    return sizes, last


def _smaller(grams: Sequence[set[tuple[str, str, str]]], index: int, other: int) -> int:
    return max(1, min(len(grams[index]), len(grams[other])))
