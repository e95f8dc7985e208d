"""What a person sees in a terminal while the demo runs, and what is left of it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Desk

pytestmark = [pytest.mark.slow, pytest.mark.long]

TARGETS = """\
include: [fixtures/demo/targets.yaml]
engines: {local: {max_batch_rows: 3}}
default: ['demo:nf4:naked:greedy', 'demo+steady:nf4:naked:greedy', 'demo:bf16:naked:greedy']
"""
PROBES = "defaults: {category: MIXED, decoding: {max_new_tokens: 60}, expect: {min_words: 1}}\nprobes:\n" + "".join(
    f"  - {{id: p{number}, prompt: 'Please tell me of the number {number} and of the days after it.'}}\n"
    for number in range(30)
)
PRINTING = "def test_printing():\n    print('printed by a test')\n    print('and more of it')\n"
STATUS = r"evalkit: generating demo\S*  \d+/90( answers)?( \(\d+ stored\))?(  \d+ tok/s)?  "
LEFT = r"(- left|\d+:\d\d left|about \d+:\d\d left(, 1 more model to load)?)"
WAITING_TO_BE_SEEN = """\
import time
from pathlib import Path

from evalkit.host.server import StatusLine

write = StatusLine.write
phases, counts = set(), set()

def is_awaited(status):
    if status.phase == "starting" and status.target and "reading" not in phases:
        phases.add("reading")
        return "reading the files", 1
    if status.phase == "generating" and status.done not in counts and (len(counts) < 8 or status.done >= 80):
        counts.add(status.done)
        return "generating", len(counts)
    return None

def write_until_seen(self, status):
    write(self, status)
    awaited = is_awaited(status)
    until = time.monotonic() + 60
    while awaited and time.monotonic() < until:
        try:
            seen = Path({seen!r}).read_text("utf-8", "replace").splitlines()
        except OSError:
            seen = []
        if sum(awaited[0] in line and "evalkit" in line for line in seen) >= awaited[1]:
            return
        time.sleep(0.05)
        write(self, status)

StatusLine.write = write_until_seen
"""
"""The host goes on only when a person has seen what it is doing, however quick it is or slow they are."""


def module_of(name: str) -> Any:
    spec = spec_from_file_location(f"evalkit_tests_{name}", Path(__file__).parent / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="module")
def screen(
    open_desk: Callable[[Path], AbstractContextManager[Desk]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Any]]:
    """``screen(*options)`` runs pytest on 90 trials of the demo in a terminal and gives what was to be seen."""
    terminal = module_of("terminal")
    with open_desk(tmp_path_factory.mktemp("screen")) as desk:
        desk.write("fixtures/targets.yaml", TARGETS)
        desk.write("suites/numbers/p.yaml", PROBES)
        desk.write("tests/test_printing.py", PRINTING)
        desk.write("pytest.ini", "[pytest]\n")

        def run(
            *options: str, columns: int = 90, term: str = "xterm-256color",
            when: Callable[[Any], bytes | None] = lambda terminal: None,
        ) -> Any:  # fmt: skip
            seen = terminal.Terminal(columns)
            shown = desk.write("shown.txt", "")
            desk.in_host(WAITING_TO_BE_SEEN.format(seen=str(shown)))

            def look(terminal: Any) -> bytes | None:
                text = "\n".join(terminal.seen) or terminal.raw.decode("utf-8", "replace")
                desk.write("shown.new", text).rename(shown)
                return when(terminal)

            left_out = ("CI", "BUILD_NUMBER", "COLUMNS", "LINES", "NO_COLOR", "PYTEST_XDIST_WORKER")
            plain = {name: value for name, value in os.environ.items() if name not in left_out}
            words = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", *options]
            environment = {
                **plain, "TERM": term, "TMPDIR": str(desk.temporary), "OMP_NUM_THREADS": "1",
                "PYTHONPATH": str(desk.root / "host-only"),
            }  # fmt: skip
            seen.run([*words, "suites/numbers"], desk.root, environment, look)
            return seen

        run.desk = desk  # type: ignore[attr-defined]
        yield run


def dots(lines: list[str]) -> str:
    """The progress of all tests, without what pytest writes at the right."""
    found = [line.partition("numbers/p.yaml ")[2] if "p.yaml" in line else line for line in lines]
    return "".join(re.sub(r"\s+\[ *\d+%\]$", "", line) for line in found if re.match(r"^[.Fx]+(\s|$)", line))


def nothing_is_left(terminal: Any) -> None:
    """No piece of the line anywhere, pytest's summary whole, the cursor at the beginning of a new line."""
    text = "\n".join(terminal.lines)
    assert "evalkit: " not in text
    assert "tok/s" not in text.partition("= evalkit =")[0]
    assert " left" not in text.partition("= evalkit =")[0].partition("collected")[2]
    assert terminal._screen.cursor.x == 0


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_run(screen: Callable[..., Any], workers: str) -> None:
    """Files are read, weights come in, answers come, time runs down; at the end there is pytest's output alone."""
    terminal = screen("-n", workers, "--eval-fresh")

    assert terminal.status == 0
    assert any(re.fullmatch(r"evalkit: reading the files of demo\S*  0/90 answers", line) for line in terminal.seen)
    generating = [line for line in terminal.seen if line.startswith("evalkit: generating")]
    assert len(generating) > 2
    assert [line for line in generating if not re.fullmatch(STATUS + LEFT, line)] == []
    assert generating[0].endswith("- left")
    counts = [int(line.split("/90")[0].rsplit(" ", 1)[1]) for line in generating]
    assert counts == sorted(counts)
    nothing_is_left(terminal)
    assert dots(terminal.lines).count(".") == 90
    assert re.search(r"=+ 90 passed in ", "\n".join(terminal.lines))


def test_verbose_with_output_of_tests_between(screen: Callable[..., Any]) -> None:
    """-v has a line for every trial, -s what tests print: every line is whole."""
    terminal = screen("-v", "-s", "-n", "0", "--eval-fresh", "-k", "p1 or p2 or printing", "tests/test_printing.py")

    assert terminal.status == 0
    assert any(line.startswith("evalkit: generating") for line in terminal.seen)
    nothing_is_left(terminal)
    text = "\n".join(terminal.lines)
    assert re.search(r"test_printing.py::test_printing printed by a test\nand more of it\nPASSED", text)
    wrapped = re.findall(r"^suites/numbers/p\.yaml::p\d+\[\S+\]\s*PASSED$", text, re.MULTILINE)
    assert len(wrapped) == 66


def test_interrupted(screen: Callable[..., Any]) -> None:
    """Ctrl-C while something is generated leaves pytest's own words and nothing below them."""

    def interrupt(terminal: Any) -> bytes | None:
        is_late = any("generating" in line for line in terminal.seen)
        return b"\x03" if is_late else None

    terminal = screen("-n", "0", "--eval-fresh", when=interrupt)

    assert terminal.status == 2
    nothing_is_left(terminal)
    assert "KeyboardInterrupt" in "\n".join(terminal.lines)


def test_a_window_that_is_made_smaller(screen: Callable[..., Any]) -> None:
    """Every later text fits into it."""
    at: list[int] = []

    def drag(terminal: Any) -> bytes | None:
        if not at and terminal.seen:
            at.append(len(terminal.seen))
            terminal.resize(60, 16)
        return None

    terminal = screen("-n", "0", "--eval-fresh", columns=100, when=drag)

    assert terminal.status == 0
    after = terminal.seen[at[0] + 2 :]
    assert len(after) > 2
    assert max(map(len, after)) < 60
    assert re.match(r"evalkit: generating \S+  \d+/90", after[-1])
    nothing_is_left(terminal)


def test_a_terminal_that_cannot_move_its_cursor(screen: Callable[..., Any]) -> None:
    """TERM=dumb, as in an editor's console: lines at intervals, no escape sequence, no carriage return of ours."""
    screen.desk.write("pytest.ini", "[pytest]\nevalkit_progress_interval = 0.05\n")  # type: ignore[attr-defined]

    terminal = screen("-n", "0", "--eval-fresh", term="dumb")

    screen.desk.write("pytest.ini", "[pytest]\n")  # type: ignore[attr-defined]
    assert terminal.status == 0
    assert b"\x1b" not in terminal.raw
    assert b"\r" not in terminal.raw.replace(b"\r\n", b"").partition(b"collected")[2]
    told = [line for line in terminal.lines if re.match(r"\[evalkit \d+:", line)]
    assert len(told) >= 3
    assert any("generating demo" in line for line in told)


@pytest.mark.parametrize("options", [("-n", "0"), ("-n", "2"), ("-n", "0", "-v"), ("-n", "2", "-v")])
def test_a_log(screen: Callable[..., Any], options: tuple[str, ...]) -> None:
    """Output that goes to a file has lines of progress of their own, and is pytest's own output but for them."""
    desk = screen.desk  # type: ignore[attr-defined]
    desk.write("pytest.ini", "[pytest]\nevalkit_progress_interval = 0.05\n")
    desk.in_host(WAITING_TO_BE_SEEN.format(seen=str(desk.root / "output.txt")))

    status, output = desk.run("suites/numbers", *options, "--eval-fresh")

    desk.write("pytest.ini", "[pytest]\n")
    assert status == 0, output
    assert "\x1b" not in output
    before = output.partition("= evalkit =")[0]
    told = [line for line in before.splitlines() if "[evalkit" in line]
    assert len(told) >= 3
    assert [line for line in told if not re.match(r"\[evalkit \d+:\d\d\] (reading|loading|generating)", line)] == []
    others = "\n".join(line for line in before.splitlines() if line not in told)
    assert "\n\n\n" not in others
    if "-v" in options:
        trial = r"^(\[gw\d\] \[ *\d+%\] PASSED )?suites/numbers/p\.yaml::p\d+\[\S+\]"
        assert len(re.findall(trial, others, re.MULTILINE)) >= 90
    else:
        assert dots(before.splitlines()).count(".") == 90
