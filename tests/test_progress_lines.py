"""Plain lines of progress in logs, on a clock that the tests turn."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest._io import TerminalWriter

from evalkit.host.messages import Status
from evalkit.progress_lines import Pace, ProgressLines
from evalkit.status_line import StatusLine

LOADING = Status("loading", "demo:nf4", 0, 9)
GENERATING = Status("generating", "demo:nf4:naked:greedy", 3, 9, rate=8.0, left_s=4.0)
LINE = "generating demo:nf4:naked:greedy  3/9 answers  8 tok/s  0:04 left"


def told(pace: Pace, status: Status, seconds: list[float]) -> list[float]:
    return [second for second in seconds if pace.is_due(status, second)]


def test_once_in_every_phase_that_lasts() -> None:
    """Two seconds; what is over sooner is not told of, and the target counts only while it loads."""
    pace = Pace(0.0)

    assert told(pace, Status("starting"), [0.1, 1.0]) == []
    assert told(pace, LOADING, [1.5, 3.4, 3.6, 9.0]) == [3.6]
    assert told(pace, Status("loading", "other:nf4"), [10.0, 12.0, 20.0]) == [12.0]
    assert told(pace, GENERATING, [20.1, 22.1, 23.0]) == [22.1]
    assert told(pace, Status("generating", "demo+steady:nf4"), [24.0, 30.0]) == []
    assert told(pace, Status("generating", "demo+steady:nf4", silent_s=21.0), [31.0, 33.0]) == [33.0]


def test_intervals_that_grow() -> None:
    """Thirty seconds at first, five minutes at last; a run of eight hours has a hundred lines or so."""
    pace = Pace(0.0, tells_phases=False)
    found = told(pace, GENERATING, [float(second) for second in range(8 * 3600)])
    gaps = [after - before for before, after in zip([0.0, *found], found, strict=False)]

    assert found[:4] == [30.0, 60.0, 90.0, 120.0]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 300.0
    assert 90 < len(found) < 140


def test_an_interval_of_ones_own() -> None:
    """Stays as it is, counted from the last line whatever that told."""
    pace = Pace(0.0, 60.0)

    assert told(pace, GENERATING, [1.0, 3.0, 61.0, 63.0, 123.0, 182.9, 183.0]) == [3.0, 63.0, 123.0, 183.0]


@pytest.fixture
def reporter() -> Any:
    """pytest's reporter as far as it writes; ``reporter.log`` is what was written."""
    log = io.StringIO()
    return SimpleNamespace(_tw=TerminalWriter(log), log=log, currentfspath="a.yaml", isatty=False)


def test_never_in_the_middle_of_a_line(reporter: Any) -> None:
    """pytest's dots are ended first, and go on under the name of their file, with no blank line between."""
    seconds = iter([0.5, 3.0, 40.0])
    lines = ProgressLines(reporter, "log", Pace(0.0), lambda: next(seconds))
    writer = reporter._tw

    writer.write("a.yaml ..")
    lines.show(GENERATING)
    lines.show(GENERATING)
    lines.clear()
    lines.show(GENERATING)
    writer.line()
    writer.write("a.yaml ..")
    writer.line()
    writer.line()
    writer.line("=====")

    assert reporter.currentfspath is None
    assert reporter.log.getvalue() == (f"a.yaml ..\n[evalkit 0:03] {LINE}\n[evalkit 0:40] {LINE}\na.yaml ..\n\n=====\n")


class Config:
    """pytest's settings as far as the status line asks."""

    def __init__(self, reporter: Any, verbose: int, session: Any = None) -> None:
        self.option = SimpleNamespace(verbose=verbose)
        self.pluginmanager = SimpleNamespace(
            getplugin={"terminalreporter": reporter, "dsession": session}.get  # none of any other name
        )


@pytest.mark.parametrize(
    ("verbose", "interval_s", "count"), [(0, None, 2), (1, None, 2), (-1, None, 1), (-2, None, 0), (0, 0.0, 0)]
)
def test_how_much_is_said(reporter: Any, verbose: int, interval_s: float | None, count: int) -> None:
    """-q leaves the phases out, -qq everything, and so does an interval of 0."""
    now = [100.0]
    line = StatusLine(Config(reporter, verbose), "", interval_s, lambda: now[0])  # type: ignore[arg-type]
    line.draw()
    line.take(LOADING)
    for now[0] in (100.0, 103.0, 105.0, 134.0):
        line.draw()
    line.take(Status("idle"))
    now[0] = 900.0
    line.draw()
    line.clear()

    assert reporter.log.getvalue().count("loading demo:nf4") == count
    assert reporter.log.getvalue().count("\n") == count


def test_with_workers_it_is_said_between_their_events(reporter: Any) -> None:
    """The launcher's thread only puts an event into xdist's queue; its loop calls what shows it."""
    queue: list[Any] = []
    session = SimpleNamespace(queue=SimpleNamespace(put=queue.append))
    now = [0.0]
    line = StatusLine(Config(reporter, 0, session), "", None, lambda: now[0])  # type: ignore[arg-type]

    for now[0] in (0.0, 40.0):
        line.take(GENERATING)
        assert reporter.log.getvalue() == ""
    (name, options), *_ = queue
    getattr(session, f"worker_{name}")(**options)

    assert reporter.log.getvalue() == f"[evalkit 0:40] {LINE}\n"


def test_no_reporter() -> None:
    """With -p no:terminal nothing is shown."""
    line = StatusLine(Config(None, 0))  # type: ignore[arg-type]
    line.take(GENERATING)

    line.draw()
    line.clear()


@pytest.mark.parametrize("text", ["soon", "-3", "inf", "nan"])
def test_an_interval_that_is_none(pytester: pytest.Pytester, text: str) -> None:
    """Said before anything is collected."""
    pytester.makeini(f"[pytest]\nevalkit_progress_interval = {text}\n")

    done = pytester.runpytest_inprocess()

    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(
        ["ERROR: evalkit_progress_interval: expected seconds, such as 60, or 0 for no lines of progress; "
         f"found {text!r}"]
    )  # fmt: skip
