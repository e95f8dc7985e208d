"""Parts of a text that broken places are looked for in, and what is no prose in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from evalkit.judging.masking import Extent, blank
from evalkit.judging.pattern_set import Alternatives
from evalkit.judging.repetition import LONG

CHUNK = 160
_NOT_PROSE = Alternatives(
    (
        r"!?\[[^\[\]\n]{0,200}\]\([^()\n]{0,400}\)", r"<[^<>\n]{1,200}>", r"https?://\S+", r"\bwww\.\S+",
        r"(?<!\S)\S{1,80}@\S{1,80}", r"\$\$[^$]{1,2000}\$\$", r"\$[^$\n]{1,300}\$", r"\\\([^\n]{1,300}?\\\)",
        r"\\\[[^\]]{1,300}\\\]", r"\b[\w-]{1,60}\.(?:com|org|net|io|py|js|json|yaml|md|txt|csv|html?|pdf)\b",
        r"(?<!\S)\S{0,80}[/\\]\S+", r"\b\w{1,60}\(\)",
    ),
    {9: (".com", ".org", ".net", ".io", ".py", ".js", ".yaml", ".md", ".txt", ".csv", ".htm", ".pdf")},
)  # fmt: skip


def without_references(text: str) -> str:
    """The text with links, tags, addresses, formulas and names of files blanked."""
    return blank(text, [found.span() for found in _NOT_PROSE.finditer(text)])


def chunks(text: str) -> list[Extent]:
    """Parts of about 160 characters, cut at blanks, and the whole text first where it is not much longer."""
    if len(text) <= 2 * CHUNK:
        return [(0, len(text))]
    edges = [0]
    while edges[-1] < len(text):
        edge = text.find(" ", edges[-1] + CHUNK, edges[-1] + 2 * CHUNK)
        edges.append(min(len(text), edge if edge >= 0 else edges[-1] + 2 * CHUNK))
    return list(pairwise(edges))


def are_whole(text: str, parts: Sequence[Extent]) -> bool:
    """Whether the parts of a text begin at blanks, so that what has none in it stands in them as in the text.

    A long text is not looked at as a whole.
    """
    return len(text) <= LONG and all(text[start : start + 1].isspace() for start, _ in parts[1:])
