"""Training files: what users ask in them, whatever their form."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from evalkit.errors import UnreadableFile
from evalkit.reading.training_texts import TrainingTexts, texts_of

USER, ASSISTANT = {"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ({"messages": [USER, ASSISTANT]}, ["Why?"]),
        ({"messages": [USER, ASSISTANT, {"role": "user", "content": "Who?"}]}, ["Why?", "Who?", "Why?\n\nWho?"]),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "Why?"}, {"type": "image"}]}]}, ["Why?"]),
        ({"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "So."}]}, ["Why?"]),
        ({"prompt": "Why?", "completion": "So."}, ["Why?"]),
        ({"prompt": [USER]}, ["Why?"]),
        ({"instruction": "Explain.", "input": "Tides"}, ["Explain.", "Tides", "Explain.\n\nTides"]),
        ({"text": "Why?"}, ["Why?"]),
        ("Why?", ["Why?"]),
        ({"answer": "So."}, []),
        ({"messages": ["x"], "prompt": " "}, []),
        (3, []),
    ],
)
def test_what_users_say(line: object, texts: list[str]) -> None:
    """Messages one by one and together, or the fields that hold a prompt; never an answer."""
    assert texts_of(line) == texts


def test_places_and_digest(tmp_path: Path) -> None:
    """Every text with its line; blank lines count, and the digest is the file's."""
    file = tmp_path / "train.jsonl"
    file.write_text('{"prompt": "A"}\n\n{"no": 1}\n{"prompt": "B"}\n', encoding="utf-8")
    texts = TrainingTexts(file, "train.jsonl")

    assert list(texts) == [("A", "train.jsonl:1"), ("B", "train.jsonl:4")]
    assert (texts.texts, texts.unknown_lines) == (2, 1)
    assert texts.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_plain_lines(tmp_path: Path) -> None:
    """A file that does not start with JSON is a text a line, braces in later ones included."""
    file = tmp_path / "train.txt"
    file.write_text(f"Why?\n  Who?\n{json.dumps({'prompt': 'x'})}\n", encoding="utf-8")

    assert [text for text, _ in TrainingTexts(file, "t")] == ["Why?", "Who?", '{"prompt": "x"}']


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    """Named with their line."""
    file = tmp_path / "train.txt"
    file.write_bytes(b"Why?\nW\xff\n")

    with pytest.raises(UnreadableFile) as refused:
        list(TrainingTexts(file, "train.txt"))

    assert str(refused.value) == (
        "train.txt:2: expected UTF-8 text, found the byte 0xff at offset 1. Save it as UTF-8."
    )
