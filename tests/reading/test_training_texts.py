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


ROWS = [{"prompt": "A"}, {"no": 1}, {"prompt": "B"}]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    """Lines of JSON after one are JSON."""
    file = tmp_path / "train.jsonl"
    file.write_text('\ufeff{"prompt": "A"}\n{"prompt": "B"}\n', encoding="utf-8")

    assert list(TrainingTexts(file, "t")) == [("A", "t:1"), ("B", "t:2")]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (json.dumps(ROWS, indent=2), ("t: $[0]", "t: $[2]")),
        ("\ufeff\n" + json.dumps(ROWS, indent=2), ("t: $[0]", "t: $[2]")),
        ("[{}]".format(",\n".join(map(json.dumps, ROWS))), ("t: $[0]", "t: $[2]")), (json.dumps(ROWS), ("t:1", "t:1")),
    ],
    ids=["pretty", "mark", "broken lines", "one line"],
)  # fmt: skip
def test_a_json_list(tmp_path: Path, text: str, places: tuple[str, str]) -> None:
    """Over several lines its items have places; on one they share that line."""
    file = tmp_path / "train.json"
    file.write_text(text, encoding="utf-8")
    texts = TrainingTexts(file, "t")

    assert list(texts) == [("A", places[0]), ("B", places[1])]
    assert texts.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_chat_a_line(tmp_path: Path) -> None:
    """Lists of messages are chats, not rows."""
    file = tmp_path / "train.jsonl"
    file.write_text(f"{json.dumps([USER, ASSISTANT])}\n{json.dumps([ASSISTANT])}\n", encoding="utf-8")
    texts = TrainingTexts(file, "t")

    assert (list(texts), texts.unknown_lines) == ([("Why?", "t:1")], 1)


def test_plain_text_in_brackets(tmp_path: Path) -> None:
    """Is plain text where its first line is no JSON."""
    file = tmp_path / "train.txt"
    file.write_text("[INST] Why? [/INST]\nWho?\n", encoding="utf-8")

    assert list(TrainingTexts(file, "t")) == [("[INST] Why? [/INST]", "t:1"), ("Who?", "t:2")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'\n[\n  {"prompt": "A"}\n  {"prompt": "B"}\n]\n',
         "t:4: expected a JSON list over several lines (Expecting ',' delimiter). Correct it, or write one object a "
         "line."),
        (b'[{"prompt": "A"},\n{"prompt": "\xff"}]',
         "t:2: expected UTF-8 text, found the byte 0xff at offset 30. Save it as UTF-8."),
        (b"[\n" + b"[" * 200_000, "t:1: the JSON is nested too deep. Write one object a line."),
    ],
)  # fmt: skip
def test_a_broken_json_list(tmp_path: Path, content: bytes, sentence: str) -> None:
    """Is refused where it breaks, and not taken for plain text."""
    file = tmp_path / "train.json"
    file.write_bytes(content)

    with pytest.raises(UnreadableFile) as refused:
        list(TrainingTexts(file, "t"))

    assert str(refused.value) == sentence
