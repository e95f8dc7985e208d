"""YAML becomes plain data with places, whatever the bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.errors import UnreadableFile
from evalkit.reading import yaml_events
from evalkit.reading.build import read_suite
from evalkit.reading.yaml_nodes import parse_yaml, read_yaml, shown_path
from evalkit.workspace import Workspace

TEXT = "a:\n  b: [1, no, 'no']\n  c: |\n    two\n    lines\nd:\n  - x: 1\n    y: 0x1F\n"
PRINTABLE = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff")
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PRINTABLE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(PRINTABLE, inner, max_size=4),
    max_leaves=20,
)
KEYS = (
    "probes", "defaults", "prompt", "turns", "expect", "judges", "user", "contains", "json", "number", "regex", "gates",
)  # fmt: skip
SIGNS = (
    "\n",
    "\n  ",
    "\n    ",
    "\n  - ",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ", ",
    ": ",
    "'",
    '"',
    "---\n",
    "*a ",
    "&a ",
    "<<: ",
)
VALUES = (
    "generate",
    "behaviour",
    "no",
    "1e-4",
    "42",
    "~",
    "2024-01-01",
    ".nan",
    "!!str ",
    "é",
    "Who?",
    "user",
    "(",
    "007",
)
FRAGMENTS = st.lists(
    st.sampled_from(KEYS).map("{}: ".format) | st.sampled_from(SIGNS) | st.sampled_from(VALUES), max_size=40
).map("".join)


def read_bytes_as_suite(content: bytes) -> None:
    """Read ``content`` as a probe file and as suite.yaml; problems are fine, anything raised is not."""
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "suites" / "any"
        folder.mkdir(parents=True)
        (folder / "a.yaml").write_bytes(content)
        (folder / "suite.yaml").write_bytes(content)
        (reading,) = read_suite(folder, Workspace(Path(root)), frozenset({"behaviour"})).files
        assert all(problem.message for problem in reading.problems)


def test_lines_of_fields_and_of_what_is_missing() -> None:
    """A field's line is its key's; a missing field has the line of what would hold it."""
    document = parse_yaml(TEXT.encode(), "f.yaml")

    assert document.data == yaml.safe_load(TEXT)
    assert [document.line(path) for path in [("a",), ("a", "b", 2), ("a", "c"), ("d", 0), ("d", 0, "y")]] == [
        1,
        2,
        3,
        7,
        8,
    ]
    assert document.line(("d", 0, "z")) == 7
    assert document.line(("nowhere",)) == 1


def test_raw_characters_of_what_yaml_changed() -> None:
    """Only bare scalars that are not read as text keep their characters."""
    document = parse_yaml(TEXT.encode(), "f.yaml")

    assert [document.raw(("a", "b", index)) for index in range(3)] == ["1", "no", None]
    assert document.raw(("d", 0, "y")) == "0x1F"


def test_read_yaml_raises_for_flaws(tmp_path: Path) -> None:
    """Files that are read as a whole accept no flaw."""
    path = tmp_path / "targets.yaml"
    path.write_text("a: 1\na: 2\nb: 2024-01-01\n", encoding="utf-8")

    with pytest.raises(UnreadableFile) as caught:
        read_yaml(path, "fixtures/targets.yaml")

    assert str(caught.value) == (
        "fixtures/targets.yaml:2: $.a: the key 'a' is written twice; the first is at line 1. Keep one.\n"
        "fixtures/targets.yaml:3: $.b: found 2024-01-01, which YAML reads as a date. "
        'Write "2024-01-01" in quotes.'
    )


def test_alias_points_at_itself_and_into_its_anchor() -> None:
    """The alias has its own line, its fields those of the anchored value."""
    document = parse_yaml(b"a: &x\n  b: 1\nc: *x\n", "f.yaml")

    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert (document.line(("c",)), document.line(("c", "b"))) == (3, 2)


def test_very_long_number_is_refused() -> None:
    """A number beyond what any field takes is no crash."""
    document = parse_yaml(b"a: " + b"9" * 5000, "f.yaml")

    assert [str(problem) for problem in document.flaw_problems()] == [
        "f.yaml:1: $.a: found a number of 5000 characters. Put it in quotes if it is text."
    ]


def test_many_aliases_are_refused() -> None:
    """A thousand aliases are read, one more is not."""
    few = parse_yaml(b"a: &x y\nb: [" + b", ".join([b"*x"] * 1000) + b"]", "f.yaml")
    assert len(few.data["b"]) == 1000

    with pytest.raises(UnreadableFile) as caught:
        parse_yaml(b"a: &x y\nb: [" + b", ".join([b"*x"] * 1001) + b"]", "f.yaml")

    message = "f.yaml:2: $.b[1000]: the aliases (*x) repeat more than is read. Write the values out."
    assert str(caught.value) == message


def test_path_of_odd_keys() -> None:
    """Keys that are no names are quoted in paths."""
    assert shown_path(("a", 0, "b-c", "d e", "")) == "$.a[0].b-c['d e']['']"


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@given(data=PLAIN)
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_back(loader: str, data: Any) -> None:
    """Whatever PyYAML writes is read as the same data, with and without libyaml."""
    text = yaml.safe_dump(data, allow_unicode=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_events, "_Loader", getattr(yaml, loader))
        if data is None:
            with pytest.raises(UnreadableFile, match="the file is empty"):
                parse_yaml(text.encode(), "f.yaml")
        else:
            document = parse_yaml(text.encode(), "f.yaml")
            assert (document.data, document.flaws) == (data, ())


@given(content=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_problems_and_never_raise(content: bytes) -> None:
    """Bytes that are no YAML at all are reported."""
    read_bytes_as_suite(content)


@given(text=FRAGMENTS | st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_problems_and_never_raises(text: str) -> None:
    """Text that looks like a probe file and is wrong in some way is reported."""
    read_bytes_as_suite(text.encode("utf-8", "surrogatepass"))
