"""Names as a plot shows them: on one line, every character visible, no wider than their room."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from evalkit.reporting.layout import display_width
from evalkit.reporting.tables import distinguishing

BOLD = 1.12
"""How much wider bold letters are."""

_EMS = {
    **dict.fromkeys("ijl|!'.,:;I", 0.34), **dict.fromkeys("ft()[]{} r-/\\\"`", 0.42), **dict.fromkeys("mw%", 0.98),
    **dict.fromkeys("MW@…—", 1.02), **dict.fromkeys("+<=>~", 0.84),
}  # fmt: skip

_JOINERS = "\u200c\u200d"  # a part of words in Persian or Hindi, and of emoji
_NONCHARACTER = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")


def visible(text: str) -> str:
    """One line in which control characters are pictures (␛), and what is invisible or reorders text has its name."""
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    number = ord(character)
    if number < 0x20:
        return chr(0x2400 + number)
    if number == 0x7F:
        return "␡"
    category = unicodedata.category(character)
    if category == "Cs" or _NONCHARACTER.match(character) or number & 0xFFFE == 0xFFFE:
        return "\ufffd"
    return " " if category == "Zs" else f"[U+{number:04X}]"


def width_of(text: str, size: float, *, is_bold: bool = False) -> float:
    """About how many pixels a text of this font size takes, in a wide font such as DejaVu Sans."""
    return sum(map(_em, text)) * size * (BOLD if is_bold else 1.0)


def _em(character: str) -> float:
    """What a letter takes of the font's size."""
    if character.isascii():
        return _EMS.get(character, 0.76 if character.isupper() else 0.64)
    return _EMS.get(character, (0.0, 0.68, 1.04)[display_width(character)])


def fitted(text: str, room: float, size: float, *, is_bold: bool = False) -> str:
    """The text, or its two ends with … between them where it is wider than ``room`` pixels."""
    if width_of(text, size, is_bold=is_bold) <= room:
        return text
    half = (room - width_of("…", size, is_bold=is_bold)) / 2
    return f"{_head(text, half, size, is_bold)}…{_head(text[::-1], half, size, is_bold)[::-1]}"


def _head(text: str, room: float, size: float, is_bold: bool) -> str:
    used = 0.0
    for place, character in enumerate(text):
        used += width_of(character, size, is_bold=is_bold)
        if used > room:
            return text[:place]
    return text


def lines_of(text: str, room: float, size: float, *, is_bold: bool = False) -> list[str]:
    """The text in one line or two that fit into ``room`` pixels; of the second the middle is left out where it must."""
    if width_of(text, size, is_bold=is_bold) <= room:
        return [text]
    words = text.split()
    count = next(
        (taken for taken in range(len(words) - 1, 0, -1)
         if width_of(" ".join(words[:taken]), size, is_bold=is_bold) <= room), 0,
    )  # fmt: skip
    lines = [" ".join(words[:count]), " ".join(words[count:])]
    return [fitted(line, room, size, is_bold=is_bold) for line in lines if line]


def short_names(labels: Sequence[str]) -> tuple[dict[str, str], str]:
    """Each target's label without what all of them share, and that, e.g. ``gemma2-27b:nf4:naked:greedy``.

    Where all are of one model, an adapter stands for itself, ``+logos21``, and the model alone is ``base``.
    """
    if len(set(labels)) < 2:
        return {label: visible(label) for label in labels}, ""
    short, shared = distinguishing(labels)
    models = {re.split(r"[+:]", label, maxsplit=1)[0] for label in labels}
    if len(models) == 1:
        model = models.pop()
        shared = f"{model}:{shared}" if shared else model
        short = {label: _of_one_model(name.removeprefix(model)) for label, name in short.items()}
    return {label: visible(name) for label, name in short.items()}, visible(shared)


def _of_one_model(rest: str) -> str:
    return f"base{rest}" if not rest.startswith("+") else rest
