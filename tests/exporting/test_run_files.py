"""The files at the end of a run: which there are, what is in them, and that each is written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.exporting.run_files import write_page, write_run
from evalkit.record import TrialRecord
from evalkit.reporting.exports import TrialTexts, results_jsonl, review_csv
from evalkit.reporting.figure_deltas import Earlier, deltas_against
from evalkit.reporting.figure_nouns import Delta
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.markdown import summary_markdown
from evalkit.reporting.run_figures import run_figures
from evalkit.reporting.run_words import file_lines
from evalkit.reporting.summary import RunFacts, Summary, summarise
from evalkit.transcript import Answer

MakeRecord = Callable[..., TrialRecord]
MakeRun = Callable[..., RunFacts]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often plots were drawn, without drawing any."""
    calls: list[int] = []

    def draw(*_: object) -> tuple[()]:
        calls.append(1)
        return ()

    monkeypatch.setattr("evalkit.exporting.run_files.run_plots", draw)
    return calls


def run_of(make_record: MakeRecord, run: RunFacts, count: int) -> FinishedRun:
    records = [make_record(probe=f"p{number}", line=number) for number in range(count)]
    texts = {records[0].trial: TrialTexts((("user", "Who?"),), (Answer("Me.", "Me."),))}
    return FinishedRun(summarise(records, run=run), texts, (), 0, ("it: fine",))


def test_a_run_is_written_to_its_folder(
    make_record: MakeRecord, make_run: MakeRun, tmp_path: Path, drawn: list[int]
) -> None:
    """Four files with the very bytes that their functions give, and nothing else."""
    run, folder = run_of(make_record, make_run(), 3), tmp_path / "out" / "r1"

    paths = write_run(folder, run, run_figures(run.summary))
    complaint = write_page(folder, run, run_figures(run.summary))

    pairs = [(record, run.texts.get(record.trial, TrialTexts())) for record in run.summary.records]
    assert complaint == ""
    assert [path.name for path in paths] == ["results.jsonl", "summary.md", "review.csv"]
    assert sorted(folder.iterdir()) == sorted([*paths, folder / "report.html"])
    assert (folder / "results.jsonl").read_bytes().decode() == "".join(results_jsonl(pairs, run=run.summary.run))
    assert (folder / "review.csv").read_bytes().decode() == "".join(review_csv(pairs, run=run.summary.run))
    assert (folder / "summary.md").read_bytes().decode() == summary_markdown(run, run_figures(run.summary))
    assert (folder / "report.html").read_bytes().startswith(b"<!doctype html>")


@pytest.mark.parametrize(("count", "is_whole", "times"), [(30, True, 1), (29, True, 0), (30, False, 0)])
def test_plots_are_drawn_where_a_whole_plan_gives_enough(
    make_record: MakeRecord, make_run: MakeRun, tmp_path: Path, drawn: list[int], count: int, is_whole: bool, times: int
) -> None:
    """Trying one probe again does not wait for the library that draws."""
    run = run_of(make_record, make_run(), count)

    assert write_page(tmp_path, run, run_figures(run.summary), is_whole=is_whole) == ""
    assert len(drawn) == times
    command = b"Draw what there is with: evalkit report 20251121-3f"
    assert (command in (tmp_path / "report.html").read_bytes()) == (not times)


def test_a_run_is_compared_with_the_baseline_once(
    make_record: MakeRecord, make_run: MakeRun, tmp_path: Path, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """summary.md and the page say the same of what changed since, and it is reckoned for both together."""
    run, older = run_of(make_record, make_run(), 3), run_of(make_record, make_run(run_id="main"), 3)
    before, compared = Earlier(older, run.summary), []

    def compare(now: Summary, then: Summary) -> tuple[Delta, ...]:
        compared.append((now, then))
        return deltas_against(now, then)

    monkeypatch.setattr("evalkit.reporting.figure_deltas.deltas_against", compare)
    write_run(tmp_path, run, run_figures(run.summary), before)
    assert write_page(tmp_path, run, run_figures(run.summary), before=before) == ""

    assert compared == [(run.summary, older.summary)]
    assert "## Against main\n" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "<h3>Changes since main</h3>" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_what_cannot_be_compared_is_said_in_place_of_the_page(
    make_record: MakeRecord, make_run: MakeRun, tmp_path: Path, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other files are written without it."""
    run = run_of(make_record, make_run(), 3)

    def broken(*_: object) -> None:
        raise ValueError("no pairs")

    monkeypatch.setattr("evalkit.reporting.figure_deltas.deltas_against", broken)
    before = Earlier(run, run.summary)

    assert len(write_run(tmp_path, run, run_figures(run.summary), before)) == 3
    assert "## Against" not in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert write_page(tmp_path, run, run_figures(run.summary), before=before) == (
        "report.html could not be made (ValueError: no pairs). Try it again with: evalkit report 20251121-3f"
    )


def test_a_page_that_cannot_be_made_is_a_sentence(
    make_record: MakeRecord, make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks in drawing or writing it: the run is not lost for a picture."""
    run = run_of(make_record, make_run(), 30)

    def broken(_: object) -> None:
        raise RuntimeError("no fonts here")

    monkeypatch.setattr("evalkit.exporting.run_files.run_plots", broken)

    assert write_page(tmp_path, run, run_figures(run.summary)) == (
        "report.html could not be made (RuntimeError: no fonts here). Try it again with: evalkit report 20251121-3f"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_large_run_leaves_its_page_for_later(
    make_record: MakeRecord, make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No page above the limit, and the line that names the files says how to have it."""
    monkeypatch.setattr("evalkit.reporting.run_words.MAX_PAGED", 2)
    small = run_of(make_record, make_run(out="reports/out/r1"), 2)
    large = run_of(make_record, make_run(out="reports/out/r1"), 3)

    for run in (small, large):
        assert write_page(tmp_path / str(len(run.summary.records)), run, run_figures(run.summary)) == ""
    assert [path.name for path in tmp_path.iterdir()] == ["2"]
    assert file_lines(small.summary) == ["reports/out/r1: report.html, results.jsonl, summary.md, review.csv"]
    assert file_lines(large.summary) == [
        "reports/out/r1: results.jsonl, summary.md, review.csv; over 2 trials, so without report.html. "
        "Make it with: evalkit report 20251121-3f"
    ]


def test_a_file_is_replaced_whole_or_not_at_all(
    make_record: MakeRecord, make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When writing breaks off, the earlier file is still there and no fragment is."""
    (tmp_path / "results.jsonl").write_text("earlier\n")

    def broken(*_: object, **__: object) -> Any:
        yield "half a li"
        raise OSError("No space left on device")

    monkeypatch.setattr("evalkit.exporting.run_files.results_jsonl", broken)
    with pytest.raises(OSError, match="No space left on device"):
        write_run(tmp_path, (run := run_of(make_record, make_run(), 1)), run_figures(run.summary))

    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]
    assert (tmp_path / "results.jsonl").read_text() == "earlier\n"
