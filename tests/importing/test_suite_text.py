"""Drafts as suites: they read back as they were, under legal and unique ids."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.importing import suite_text as writing
from evalkit.importing.drafts import Draft, Drafts, Place
from evalkit.importing.suite_text import SuiteText, suite_text
from evalkit.reading.build import SuiteReading, read_suite
from evalkit.workspace import Workspace

AT = Place("seeds.json", 3)
HARD = [
    "plain", "trailing ", " leading", "- dash", "a: b", "# no comment", "tab\there", "a\r\nb", "a\nb\n", "\n\nlate",
    "no", "12:30", "{{name}}", "*so*", "💥 ¿qué? 漢字",
    "x " * 4000, "long " * 3000 + "line", "say \"it's\"", "\x07bell",
    "a\u2028b", "---", "...", "? x", "|", ">-",
]  # fmt: skip


def draft(prompt: str, identity: str | None = None, category: str | None = None, **keys: object) -> Draft:
    return Draft(AT, identity, category, {"prompt": prompt, **keys})


def made(*drafts: Draft, **options: object) -> SuiteText:
    return suite_text(Drafts(list(drafts)), ["behaviour"], head="# Imported", **options)  # type: ignore[arg-type]


def read(text: SuiteText, folder: Path) -> SuiteReading:
    for name, content in text.files.items():
        (folder / "suites/s").mkdir(parents=True, exist_ok=True)
        (folder / "suites/s" / name).write_text(content, encoding="utf-8", newline="\n")
    reading = read_suite(folder / "suites/s", Workspace(folder))
    assert [problem for file in reading.files for problem in file.problems] == []
    return reading


def test_hard_prompts_read_back(tmp_path: Path) -> None:
    """Byte for byte, those that YAML has to quote included."""
    reading = read(made(*(draft(text, f"p{number}") for number, text in enumerate(HARD))), tmp_path)

    assert [probe.prompt for probe in reading.probes] == HARD


@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\ufffe\uffff")).filter(str.strip),
        min_size=1, max_size=6,
    )
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_any_prompts_read_back(tmp_path_factory: pytest.TempPathFactory, prompts: list[str]) -> None:
    """In their order, however many are equal."""
    reading = read(made(*map(draft, prompts)), tmp_path_factory.mktemp("any"))

    assert [probe.prompt for probe in reading.probes] == prompts


@given(st.lists(st.one_of(st.none(), st.text(max_size=120)), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_ids_are_legal_and_unique(ids: list[str | None]) -> None:
    """Whatever the source calls its rows."""
    text = made(*(draft(f"Question {number}?", name) for number, name in enumerate(ids)))

    found = re.findall(r"^  - id: (.*)$", "\n".join(text.files.values()), re.MULTILINE)
    found = [name.strip("\"'") for name in found]
    assert len(found) == len(ids) == len(set(found))
    assert all(writing.is_legal_id(name) for name in found)


def test_changed_ids_are_reported() -> None:
    """Where they stood, what they were, what they are; a legal id stays, whoever comes first."""
    text = made(draft("A?", "p 1"), draft("B?", "p-1"), draft("C?", "p-1"), draft("D?", "¿?"), draft("E?", "x" * 120))

    assert text.ids == [
        ("seeds.json:3", "p 1", "p-1-2"), ("seeds.json:3", "p-1", "p-1-3"), ("seeds.json:3", "¿?", "d"),
        ("seeds.json:3", "x" * 120, "x" * 92),
    ]  # fmt: skip


def test_copies_share_a_cluster(tmp_path: Path) -> None:
    """With the first, so that statistics count them once; or they are left out."""
    drafts = (draft("A?", "one"), draft("A?", "two"), draft("B?", "three"))

    text, unique = made(*drafts), made(*drafts, unique=True)

    assert text.copies == unique.copies == [("two", "one")]
    assert [(probe.id, probe.cluster) for probe in read(text, tmp_path).probes] == [
        ("one", "one"), ("two", "one"), ("three", None),
    ]  # fmt: skip
    assert (text.probes, unique.probes) == (3, 2)


def test_one_file_a_category(tmp_path: Path) -> None:
    """Named after it; what pytest or YAML would misread is changed, no category is imported."""
    text = made(draft("A?", "a", "Deep Thought"), draft("B?", "b"), draft("C?", "c", "skip"), draft("D?", "d", "_x\ny"))

    assert list(text.files) == ["deep_thought.yaml", "imported.yaml", "skip.yaml", "x_y.yaml"]
    assert {probe.id: probe.category for probe in read(text, tmp_path).probes} == {
        "a": "Deep Thought", "b": "imported", "c": "skip_", "d": "x y",
    }  # fmt: skip


def test_large_categories_are_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Well under what is read at once; nothing is lost."""
    monkeypatch.setattr(writing, "MAX_FILE_CHARS", 300)
    text = made(*(draft("word " * 20, f"p{number}") for number in range(5)))

    assert list(text.files) == ["imported.yaml", "imported_2.yaml", "imported_3.yaml"]
    assert len(read(text, tmp_path).probes) == 5


def test_tags_are_made_legal(tmp_path: Path) -> None:
    """Letters, digits and underscores, and no marker of pytest."""
    (probe,) = read(made(draft("A?", "a", tags=["multi turn", "2fa", "skip", "?"])), tmp_path).probes

    assert probe.tags == ("multi_turn", "t_2fa", "skip_")


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("a\0b", "seeds.json:3: the text holds the character U+0000, which no prompt can. Remove it."),
        ("a\ud83d", "seeds.json:3: the text holds U+D83D, which is no character. Correct the encoding."),
    ],
)
def test_texts_that_no_file_holds_are_left_out(prompt: str, sentence: str) -> None:
    """With a sentence; the others are imported."""
    drafts = Drafts([draft(prompt), draft("Why?")])

    text = suite_text(drafts, [], head="# Imported")

    assert ([str(problem) for problem in drafts.left_out], text.probes) == ([sentence], 1)
