"""Hostile text is harmless in a terminal, in markdown and in a spreadsheet."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evalkit.reporting.safe_text import MAX_CELL_UNITS, for_csv, for_markdown, for_terminal, utf8_safe

CALM = settings(deadline=None)  # a busy machine is no failure
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
NASTY_TEXT = st.text(
    st.sampled_from("=+-@\t\r\n\x00\x1b[]\x07\x9b\x90\x9c mK0;'\"\u200b\u202e\ud800＝`|*<>&#$\\a1.中"), max_size=30
)
FORMULA_STARTS = set("=+-@＝＋－＠")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]never closed", "]never closed"),
        ("\x9b2Jcleared", "cleared"),
        ("\x90dcs\x9cafter", "after"),
        ("\x1b(Bset", "set"),
        ("\x1bcreset", "creset"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("one\ntwo\r\nthree\rfour\u2028five\x85six", "one⏎two⏎three⏎four⏎five⏎six"),
        ("a\tb\x00c\x7fd\x08e", "a bcde"),
        ("\ud800x\ue000", "\ufffdx\ufffd"),
        ("e\u0301 中", "e\u0301 中"),
    ],
)
def test_a_terminal_gets_one_plain_line(text: str, shown: str) -> None:
    """Sequences go, line ends show, nothing after an unclosed sequence is hidden."""
    assert for_terminal(text) == shown


@given(ANY_TEXT | NASTY_TEXT)
@CALM
def test_a_terminal_never_gets_a_control_character(text: str) -> None:
    """No category that moves a cursor, hides or reorders text is left; doing it twice changes nothing."""
    shown = for_terminal(text)

    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert for_terminal(shown) == shown


@pytest.mark.parametrize("piece", ["\x1b]", "\x90", "\x9d", "\x1b[", "\x9b0", "\x1b", "'", "\u200b"])
def test_long_hostile_text_takes_no_long_time(piece: str) -> None:
    """200,000 openings of a sequence are read in one pass: pytest-timeout would not be needed to notice."""
    text = piece * 200_000

    assert "\x1b" not in for_terminal(text)
    assert len(for_csv(text)) <= MAX_CELL_UNITS


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("]]>", r"\]\]&gt;"),
        ("a | b `c` *d* _e_ ~f~ $g$", r"a \| b \`c\` \*d\* \_e\_ \~f\~ \$g\$"),
        ("![x](http://evil/x.png)", r"!\[x\](http&#58;//evil/x.png)"),
        ("www.evil.example", "www&#46;evil.example"),
        ("@octocat fixes #1", "@<!-- -->octocat fixes #<!-- -->1"),
        ("line one\nline two", "line one⏎line two"),
        ("# heading", r"\# heading"),
        ("- item", r"\- item"),
        ("12. twelfth", r"12\. twelfth"),
        ("&lt;", "&amp;lt;"),
        ("back\\slash", "back\\\\slash"),
        ("\ud800\x00\u202e", "\ufffd"),
    ],
)
def test_markdown_is_escaped(text: str, written: str) -> None:
    """Markup, HTML, links, mentions and block starts all become text."""
    assert for_markdown(text) == written


@given(ANY_TEXT | NASTY_TEXT)
@CALM
@example("@a#1 www.x ://")
def test_markdown_renders_as_the_text(text: str) -> None:
    """A CommonMark renderer gives the text back, as one paragraph and nothing else, where it is installed."""
    markdown_it = pytest.importorskip("markdown_it")
    html = pytest.importorskip("html")

    rendered = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(for_markdown(text))
    expected = for_terminal(text).strip()

    if expected:
        body = re.fullmatch(r"<p>(.*)</p>\n", rendered, re.DOTALL)
        assert body is not None
        assert html.unescape(body.group(1).replace("<!-- -->", "")) == expected


@given(ANY_TEXT | NASTY_TEXT)
@CALM
def test_markdown_has_no_bare_bracket_pipe_or_line_end(text: str) -> None:
    """What could leave a table cell or start a tag is escaped, except our own empty comment."""
    written = for_markdown(text).replace("<!-- -->", "")

    assert not re.search(r"[<>\n\r]|(?<!\\)(?:\\\\)*[|`*_\[\]~$]", written)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("plain", "plain"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("\t=1", "' =1"),
        ("\r=1", "'\n=1"),
        (" \"'=1", "' \"'=1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1", "'＝1"),
        ("﹦1", "'﹦1"),
        ("﹢1", "'﹢1"),
        ("﹣1", "'﹣1"),
        ("﹫x", "'﹫x"),
        ("\u2212" + "1", "'\u2212" + "1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("\u200b=1", "'\u200b=1"),
        ("a=1", "a=1"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("a\u202egnp.exe", "a[U+202E]gnp.exe"),
        ("lone \ud800", "lone \ufffd"),
        ("", ""),
    ],
)
def test_a_cell_is_defused(text: str, cell: str) -> None:
    """No formula, no control character; what people wrote is otherwise kept."""
    assert for_csv(text) == cell


@given(ANY_TEXT | NASTY_TEXT)
@CALM
def test_a_cell_never_starts_a_formula(text: str) -> None:
    """Also not after blanks and quotes, unless the apostrophe that defuses it comes first."""
    cell = for_csv(text)

    assert cell[:1] not in FORMULA_STARTS | {"\t", "\r"}
    assert cell.startswith("'") or cell.lstrip(' \n"\u200b\ufeff\xa0\u3000')[:1] not in FORMULA_STARTS
    assert not {character for character in cell if unicodedata.category(character) in ("Cc", "Cs")} - {"\n"}


def test_a_long_cell_is_cut_and_says_so() -> None:
    """The cell holds as much as a spreadsheet keeps, its mark included."""
    cell = for_csv("x" * 40_000)

    mark = "\n[cut here: 40000 characters in all; the whole text is in results.jsonl]"
    assert cell == "x" * (MAX_CELL_UNITS - len(mark)) + mark


def test_a_cell_of_the_longest_length_is_whole() -> None:
    """32,767 is still allowed."""
    assert for_csv("x" * MAX_CELL_UNITS) == "x" * MAX_CELL_UNITS


@given(st.integers(0, 3), st.integers(16_300, 16_500))
@CALM
def test_characters_beyond_the_first_plane_count_twice(start: int, count: int) -> None:
    """Spreadsheets count UTF-16 units; no character is cut in half."""
    cell = for_csv("a" * start + "👧" * count)

    assert len(cell.encode("utf-16-le")) // 2 <= MAX_CELL_UNITS
    assert ("[cut here" in cell) == (start + 2 * count > MAX_CELL_UNITS)


def test_utf8_safe_replaces_only_lone_surrogates() -> None:
    """Everything else is kept, control characters included."""
    assert utf8_safe("a\ud800\x00👧") == "a\ufffd\x00👧"
