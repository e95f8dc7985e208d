"""How a fenced text looks."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.judging.rubric.fence import Block, fence_key, fenced, visible

NUMBERED = re.compile(r"⟨U\+[0-9A-F]{4,6}(?: ×\d+)?⟩")


@given(st.text(st.characters(codec=None, exclude_characters="⟨⟩"), max_size=300))
def test_every_visible_character_is_kept(text: str) -> None:
    """The fence hides nothing that a user would see, and what comes out can be encoded."""
    shown = visible(text)
    words = "".join(char for char in text if char.isascii() and char.isalnum())

    assert "".join(char for char in NUMBERED.sub("", shown) if char.isascii() and char.isalnum()) == words
    assert not any(unicodedata.category(char) in ("Cf", "Cs", "Zl", "Zp") for char in shown)
    assert not {"<", "\uff1c", "\r"} & set(shown)
    shown.encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\rc\td", "a\nb\nc\td"),
        ("if a < b: <b>", "if a ‹ b: ‹b>"),
        ("[INST] [/INST] [a link](x) [1] list[0]", "⟦INST] ⟦/INST] [a link](x) [1] list[0]"),
        ("na\u200b\u200b\u200bme\x1b", "na⟨U+200B ×3⟩me⟨U+001B⟩"),
        ("\ud800 \U000e0041 \u2028 \u3164 \ufe0f", "⟨U+D800⟩ ⟨U+E0041⟩ ⟨U+2028⟩ ⟨U+3164⟩ ⟨U+FE0F⟩"),
        ("¿Qué? Ελλάδα 日本 नमस्ते é 🙂", "¿Qué? Ελλάδα 日本 नमस्ते é 🙂"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    """Angles and tags cannot be tokens, what is invisible has a number, and every script stays as it is."""
    assert visible(text) == shown


def test_the_fence_in_full() -> None:
    """Blocks with one key, marked lines, an empty text and a cut."""
    said = Block("user", "Hi\nyou<b>\u200b\u200b\x07")
    blocks = [said, Block("thinking", " \n"), Block("answer", "a" * 9 + "z" * 9, 7), Block("assistant", "whole", 5)]
    key = fence_key(block.text for block in blocks)

    assert fenced(blocks) == (
        f"=== begin user {key}\n| Hi\n| you‹b>⟨U+200B ×2⟩⟨U+0007⟩\n=== end user {key}\n\n"
        f"=== begin thinking {key}\n~ nothing: this text is empty\n=== end thinking {key}\n\n"
        f"=== begin answer {key}\n| aaaa\n~ 11 of 18 characters are left out here\n| zzz\n=== end answer {key}\n\n"
        f"=== begin assistant {key}\n| whole\n=== end assistant {key}"
    )


def test_the_key_follows_from_the_texts_and_stands_in_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same texts have the same key; a text that holds the first candidate gets another one."""
    first = fence_key(["a", "b"])
    assert (fence_key(["a", "b"]), len(first)) == (first, 16)
    assert fence_key(["ab", ""]) != first

    class Stuck:
        """A digest whose first value is what the text holds."""

        def __init__(self, data: bytes = b"") -> None:
            self._value = "0123456789abcdef" if data else first

        def update(self, data: bytes) -> None: ...

        def hexdigest(self) -> str:
            return self._value

    monkeypatch.setattr("evalkit.judging.rubric.fence.hashlib.sha256", Stuck)
    assert fence_key([f"it is {first.upper()}"]) == "0123456789abcdef"
