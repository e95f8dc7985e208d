"""The line below pytest's own, as a terminal shows it."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pyte
import pytest
from _pytest._io import TerminalWriter
from hypothesis import given
from hypothesis import strategies as st

from evalkit.host.messages import Status
from evalkit.status_line import LiveLine, is_live

COLUMNS, ROWS = 40, 6
STATUS = Status("generating", "demo", 3, 9, rate=8.0, left_s=4.0)
TEXT = "evalkit: generating demo  3/9  0:04 left"


class Tube:
    """A terminal's other end: a screen that shows what is written to it."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.screen = pyte.HistoryScreen(COLUMNS, ROWS, history=10_000)
        self._stream = pyte.Stream(self.screen)

    def write(self, text: str) -> None:
        self._stream.feed(text.replace("\n", "\r\n"))

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError("no file")

    @property
    def lines(self) -> list[str]:
        """What is on the screen and what has left it at the top, without blank lines at the end."""
        above = ["".join(line[place].data for place in range(COLUMNS)) for line in self.screen.history.top]
        lines = [line.rstrip() for line in (*above, *self.screen.display)]
        while lines and not lines[-1]:
            lines.pop()
        return lines


@pytest.fixture
def tube(monkeypatch: pytest.MonkeyPatch) -> Tube:
    monkeypatch.setenv("COLUMNS", str(COLUMNS + 1))
    return Tube()


def drawn_on(tube: Tube) -> tuple[Any, LiveLine]:
    """pytest's writer on a terminal, and the line below what it writes."""
    writer = TerminalWriter(tube)  # type: ignore[arg-type]
    reporter = SimpleNamespace(_tw=writer)
    return writer, LiveLine(reporter, "log")


def test_it_is_below_and_goes_as_pytest_writes_on(tube: Tube) -> None:
    """In the middle of a line of dots, which goes on where it was."""
    writer, line = drawn_on(tube)

    writer.write("a.yaml ..")
    line.show(STATUS)
    assert tube.lines == ["a.yaml ..", TEXT]
    assert (tube.screen.cursor.y, tube.screen.cursor.x) == (0, 9)

    writer.write("F.")
    assert tube.lines == ["a.yaml ..F."]

    line.show(STATUS)
    writer.line()
    writer.line("===== 1 failed")
    assert tube.lines == ["a.yaml ..F.", "===== 1 failed"]


def test_at_the_bottom_of_the_screen(tube: Tube) -> None:
    """Everything moves up by a line, once, and nothing is lost."""
    writer, line = drawn_on(tube)
    for number in range(ROWS):
        writer.line(f"line {number}")
    writer.write("last ..")

    for done in range(3, 8):
        line.show(Status("generating", "demo", done, 9, rate=8.0, left_s=4.0))
    above = [f"line {number}" for number in range(ROWS)]
    assert tube.lines == [*above, "last ..", TEXT.replace("3/9", "7/9")]

    line.clear()
    line.clear()
    assert tube.lines == [*above, "last .."]


def test_the_same_again_is_not_drawn_again(tube: Tube) -> None:
    """Five times a second the same text would only flicker."""
    _, line = drawn_on(tube)
    line.show(STATUS)
    tube.write = lambda text: pytest.fail(f"wrote {text!r}")  # type: ignore[method-assign]

    line.show(STATUS)


def test_not_while_a_line_is_full(tube: Tube) -> None:
    """Terminals differ in where the next character goes after the cursor has moved there and back."""
    writer, line = drawn_on(tube)
    writer.write("." * (COLUMNS + 1))
    line.show(STATUS)
    assert tube.lines == ["." * COLUMNS, "."]

    writer.write(".")
    line.show(STATUS)
    assert tube.lines == ["." * COLUMNS, "..", TEXT]


def test_what_is_told_to_the_window_is_no_text(tube: Tube) -> None:
    """pytest reports its progress to some terminals' title bars after every test."""
    writer, line = drawn_on(tube)
    writer.write("..")
    line.show(STATUS)

    writer._file.write("\x1b]9;4;1;50\x1b\\")

    assert tube.lines == ["..", TEXT]


def test_a_window_that_is_made_smaller(tube: Tube, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next text fits, and clearing takes all that is below."""
    writer, line = drawn_on(tube)
    writer.write("..")
    line.show(STATUS)

    tube.screen.resize(ROWS, 24)
    monkeypatch.setenv("COLUMNS", "24")
    line.show(Status("generating", "demo", 4, 9, rate=8.0, left_s=4.0))
    assert [row[:24].rstrip() for row in tube.screen.display][:2] == ["..", "evalkit: generating de…"]

    tube.write("\x1b7\n\nleft by the terminal\x1b8")
    line.clear()
    assert [row.rstrip() for row in tube.screen.display] == [".."] + [""] * (ROWS - 1)


@given(
    st.lists(st.sampled_from(["show", "clear", "a" * COLUMNS]) | st.text("ab\n", min_size=1, max_size=90), max_size=30)
)
def test_it_never_leaves_anything(acts: list[str]) -> None:
    """Whatever pytest writes between, at the end the screen is as it were without the line."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COLUMNS", str(COLUMNS))
        with_line, without = Tube(), Tube()
        writer, line = drawn_on(with_line)
        plain = TerminalWriter(without)  # type: ignore[arg-type]
        for number, act in enumerate(acts):
            if act == "show":
                line.show(Status("generating", "demo", number, 99))
            elif act == "clear":
                line.clear()
            else:
                writer.write(act)
                plain.write(act)
        line.clear()

    assert with_line.lines == without.lines


def test_an_encoding_that_lacks_a_character(tube: Tube) -> None:
    """An old locale shows a question mark, and the run goes on."""
    tube.encoding = "ascii"
    _, line = drawn_on(tube)

    line.show(Status("loading", "modèle"))

    assert tube.lines == ["", "evalkit: loading mod?le"]


@pytest.mark.parametrize(
    ("is_terminal", "environment", "live"),
    [
        (True, {"TERM": "xterm-256color"}, True),
        (True, {"TERM": "xterm-256color", "NO_COLOR": "1"}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {}, False),
        (True, {"TERM": "xterm", "CI": "true"}, False),
        (True, {"TERM": "xterm", "CI": ""}, True),
        (True, {"TERM": "xterm", "BUILD_NUMBER": "7"}, False),
        (False, {"TERM": "xterm-256color"}, False),
    ],
)
def test_where_a_line_can_be_drawn(is_terminal: bool, environment: dict[str, str], live: bool) -> None:
    """Before somebody's eyes, colours or not; a CI service's terminal is a log."""
    assert is_live(is_terminal, environment) is live


def test_the_width_is_that_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked anew for every text, because windows are resized."""
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size((descriptor, 5)))
    tube = Tube()
    monkeypatch.setattr(tube, "fileno", lambda: 30, raising=False)
    _, line = drawn_on(tube)

    line.show(STATUS)

    assert tube.lines == ["", "evalkit: generating demo  3/9"]
