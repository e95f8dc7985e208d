"""What ``evalkit review RUN`` is asked, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

Loop = Any


def test_the_draw_is_shown_by_stratum(loop: Loop) -> None:
    """Passes and fails are drawn, the fails more than their share of a small budget, and the same each time."""
    first = json.loads(loop.evalkit("review", "latest", "--json").out)
    again = json.loads(loop.evalkit("review", "--budget", "20", "latest", "--json").out)
    rows = loop.rows()
    loop.evalkit("review", "latest", "--budget", "20")

    assert first == {
        "run": "RUN", "items": 31, "already": 0, "trials": 300, "strata": {"passed": 29, "failed": 2},
        "files": [f"{loop.root}/reports/review/RUN/review.{form}" for form in ("html", "csv")],
    }  # fmt: skip
    assert (again["items"], set(again["strata"])) == (20, {"passed", "failed"})
    assert loop.rows() == rows


def test_gates_choose_what_could_flip_them(loop: Loop) -> None:
    """A gate that waits for labels sends passes and fails; a broken file of gates is told and no more."""
    loop.write("suites/small/suite.yaml", "gates: [{name: most, metric: corrected_pass_rate, at_least: 0.95}]\n")
    near = json.loads(loop.evalkit("review", "latest", "--json").out)
    loop.write("suites/small/suite.yaml", "gates: [{name: most, metric: pas_rate}]\n")
    broken = loop.evalkit("review", "latest", "--json")

    assert near["strata"] == {"gate": 40}
    assert json.loads(broken.out)["strata"] == {"passed": 29, "failed": 2}
    assert broken.err.startswith("note: no answer is chosen for a gate's sake. suites/small/suite.yaml:1: ")


def test_what_is_labelled_is_not_asked_again(loop: Loop) -> None:
    """Unless --again: a further reviewer reads the same answers."""
    loop.evalkit("review", "latest")
    loop.evalkit("review", "import", loop.fill("labels.jsonl", lambda _: "correct"))
    rest = loop.evalkit("review", "latest")
    other = loop.evalkit("review", "latest", "--again", "--json")

    assert rest.out == (
        "run RUN: every answer of the draw (31) has a label, nothing is left to read\nnext: evalkit review report RUN\n"
    )
    assert json.loads(other.out)["items"] == 31


def test_a_filled_sheet_is_not_overwritten(loop: Loop) -> None:
    """It may be the only copy of an hour's work."""
    loop.evalkit("review", "latest", "--out", "sheets", "--format", "jsonl")
    file = loop.root / "sheets" / "review.jsonl"
    first, *others = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    file.write_text("".join(json.dumps(row) + "\n" for row in [{**first, "label": "wrong"}, *others]), encoding="utf-8")
    refused = loop.evalkit("review", "latest", "--out", "sheets", "--format", "jsonl")
    forced = loop.evalkit("review", "latest", "--out", "sheets", "--format", "jsonl", "--force")

    assert (refused.status, refused.err) == (
        2,
        "sheets/review.jsonl holds 1 label, and would be overwritten. Import it first "
        "(evalkit review import sheets/review.jsonl), then give --force or another --out FOLDER.\n",
    )
    assert forced.status == 0


def test_the_page_of_another_queue_is_kept(loop: Loop) -> None:
    """The labels that only the browser holds need it; the same queue's page is written anew."""
    folder = loop.root / "reports" / "review" / loop.run
    loop.evalkit("review", "latest", "--failures")
    first = (folder / "review.html").read_bytes()
    digest = first.partition(b'"queue":"')[2][:8].decode()
    again = loop.evalkit("review", "latest", "--failures")
    other = loop.evalkit("review", "latest", "--budget", "20", "--json")

    assert again.err == ""
    assert other.err == (
        "note: reports/review/RUN/review.html is of another queue, and a browser may hold labels of it. It is kept as "
        f"reports/review/RUN/review-{digest}.html: open it there and download them with D.\n"
    )
    assert (folder / f"review-{digest}.html").read_bytes() == first
    assert sorted(file.name for file in folder.iterdir()) == [
        f"review-{digest}.html", "review-instructions.txt", "review.csv", "review.html",
    ]  # fmt: skip


def test_lines_that_show_the_verdict_are_not_blind(loop: Loop) -> None:
    """A filled review.jsonl counts as read with the verdict in sight."""
    loop.evalkit("review", "latest", "--failures", "--format", "jsonl", "--out", "s")
    file = loop.root / "s" / "review.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    file.write_text("".join(json.dumps({**row, "label": "wrong"}) + "\n" for row in rows), encoding="utf-8")
    loop.evalkit("review", "import", "s/review.jsonl", "--reviewer", "anna")
    told = loop.evalkit("review", "report", "latest").out

    assert {row["blind"] for row in rows} == {False}
    assert (
        "\n11 of 11 labels were given with the verdict in sight. "
        "Have somebody judge blind: evalkit review RUN --again\n"
    ) in told


def test_sheets_without_a_page_say_what_to_fill_in(loop: Loop) -> None:
    """The next command names the sheet."""
    told = loop.evalkit("review", "latest", "--category", "dates", "--failures", "--format", "csv", "--out", "s").out

    assert told.endswith(
        "sheets: review.csv in s\n"
        "time: about a minute to read and judge 4 answers\n"
        "fill in the columns label and reviewer (s/review-instructions.txt says how); then\n"
        "next: evalkit review import s/review.csv\n"
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["latest", "--all", "--failures"], "--all takes failures too. Give one of --all and --failures."),
        (["latest", "--category", "date"], "--category: the run has no category 'date'. Did you mean 'dates'?"),
        (["nope"], "There is no run 'nope'. See: evalkit list runs"),
        (["report", "nope"], "There is no run 'nope'. See: evalkit list runs"),
        (["disputes", "nope"], "There is no run 'nope'. See: evalkit list runs"),
        (
            ["latest", "--budget", "20", "--fraction", "0.5"],
            "--budget says how many answers are read, whatever --fraction is. Give one of the two.",
        ),
        (["latest", "--budget", "0"], "argument --budget: expected a number of answers, such as 60; found '0'"),
        (["latest", "--fraction", "10"], "argument --fraction: expected a share from 0 to 1, such as 0.1; found '10'"),
        (
            ["latest", "--format", "pdf"],
            "argument --format: expected some of html, csv, xlsx, jsonl, joined by commas; found 'pdf'",
        ),
        (["latest", "--baseline", "gone"], None),
    ],
)
def test_what_cannot_be_done_is_said(loop: Loop, words: list[str], complaint: str | None) -> None:
    """With exit status 2 and a sentence."""
    done = loop.evalkit("review", *words)

    assert done.status == 2
    assert done.err.splitlines()[-1].removeprefix("evalkit review queue: error: ") == complaint or complaint is None


def test_help_names_the_parts(loop: Loop) -> None:
    """A run, or one of three words."""
    done = loop.evalkit("review", "--help")

    assert done.status == 0
    assert "RUN | import | report | disputes" in done.out
