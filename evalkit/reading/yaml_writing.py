"""Plain data as YAML that a person likes to read and that reads back as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import yaml

from evalkit.reading.yaml_scalars import bare_scalar

WIDTH = 116
LONGEST_IN_A_ROW = 88
_BARE = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ¿¡][\w À-ÿ¿¡.,;!?'’()/+=<>$%^~-]*[\w.!?)]|[A-Za-z]")
_PROSE = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+(?: [^\s\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+)*")
_LINES = re.compile(r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]*")
_OUTSIDE = re.compile("[\ud800-\udfff\ufffe\uffff]")


class UnwritableText(ValueError):
    """The text cannot stand in a YAML file; the message names the character."""


def refuse_unwritable(text: str) -> None:
    """Raises UnwritableText where the text holds a NUL, half a character or no character."""
    if "\0" in text:
        raise UnwritableText("the text holds the character U+0000, which no prompt can. Remove it.")
    odd = _OUTSIDE.search(text)
    if odd is not None:
        raise UnwritableText(f"the text holds U+{ord(odd.group()):04X}, which is no character. Correct the encoding.")


def scalar(value: Any, indent: int = 0, used: int = 0) -> str:
    """One value behind its key: bare, in quotes, or as a block whose lines are indented by ``indent`` + 2 spaces.

    ``used`` characters of the line are taken by the key.

    Raises:
        UnwritableText: see ``refuse_unwritable``.
    """
    if value is None or isinstance(value, (bool, int, float)):
        return str(yaml.safe_dump(value)).removesuffix("...\n").strip()
    text = str(value)
    refuse_unwritable(text)
    inside = " " * (indent + 2)
    if indent + used + len(text) <= WIDTH and "\n" not in text:
        return text if _is_bare(text) else _quoted(text)
    if _PROSE.fullmatch(text) and max(map(len, text.split(" "))) < LONGEST_IN_A_ROW:
        lines = wrap(text, WIDTH - len(inside), break_long_words=False, break_on_hyphens=False)
        return ">-\n" + "\n".join(inside + line for line in lines)
    if _is_literal(text):
        chomping = "" if text.endswith("\n") else "-"
        lines = text.removesuffix("\n").split("\n")
        return f"|{chomping}\n" + "\n".join(inside + line if line else "" for line in lines)
    return _quoted(text)


def row(value: Any) -> str:
    """A value in one line: lists in brackets, mappings in braces, text bare where nothing in it could mislead."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{row(name)}: {row(item)}" for name, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(row, value)) + "]"
    if isinstance(value, str):
        refuse_unwritable(value)
        return value if _is_bare(value) and not set(value) & set(",[]{}") else _quoted(value)
    return scalar(value)


def mapping_lines(mapping: Mapping[str, Any], indent: int = 0) -> list[str]:
    """The lines of a mapping in block style; lists and mappings that fit stand in one line."""
    lines: list[str] = []
    for key, value in mapping.items():
        head = f"{' ' * indent}{key}:"
        is_nested = isinstance(value, (Mapping, list, tuple))
        if not is_nested:
            lines.append(f"{head} {scalar(value, indent, len(key) + 2)}")
        elif len(head) + 1 + len(row(value)) <= WIDTH:
            lines.append(f"{head} {row(value)}")
        elif isinstance(value, Mapping):
            lines += [head, *mapping_lines(value, indent + 2)]
        else:
            lines += [head, *(line for item in value for line in item_lines(item, indent + 2))]
    return lines


def item_lines(item: Any, indent: int) -> list[str]:
    """The lines of one item of a list in block style."""
    start = " " * indent + "- "
    if isinstance(item, Mapping):
        first, *rest = mapping_lines(item, indent + 2)
        return [start + first.lstrip(" "), *rest]
    if isinstance(item, (list, tuple)):
        return [start + row(item)]
    return [start + scalar(item, indent, 2)]


def _is_bare(text: str) -> bool:
    """Whether the text may stand without quotes: plain characters, and nothing that YAML reads as another kind."""
    return _BARE.fullmatch(text) is not None and ": " not in text and " #" not in text and bare_scalar(text) == text


def _quoted(text: str) -> str:
    if _PROSE.fullmatch(text):
        return f'"{text}"' if not set(text) & set('"\\') else "'" + text.replace("'", "''") + "'"
    dumped: str = yaml.dump(text, default_style='"', allow_unicode=True, width=float("inf"))
    return dumped.removesuffix("\n")


def _is_literal(text: str) -> bool:
    """Whether a block of the text's own lines reads back as it was: no odd character, no blank first or last line."""
    body = text.removesuffix("\n")
    return (
        "\n" in text
        and _LINES.fullmatch(text) is not None
        and not body.startswith((" ", "\n"))
        and not body.endswith("\n")
        and body.strip() != ""
    )
