"""From a run to sheets, labels, corrected rates, and the next run that inherits them."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Any

import pytest

Loop = Any
WAY_OUT = "Have passes and failures drawn: evalkit review RUN --budget N"


def overturned(row: dict[str, Any]) -> str:
    """Seven of the eleven failures are right, and so are all passes."""
    number = int(row["probe"][1:])
    if row["outcome"] == "fail":
        return "wrong" if number in (10, 20, 50, 90) else "correct"
    return "correct"


def test_the_model_card(loop: Loop) -> None:
    """289 of 300; 11 reviewed, 7 overturned: 296 of 300, and a warning that no pass was read."""
    chosen = loop.evalkit("review", "latest", "--failures")
    taken = loop.evalkit("review", "import", loop.fill("labels.jsonl", overturned))
    told = loop.evalkit("review", "report", "latest")

    assert chosen.out == (
        "run RUN: 11 of 300 answers to review\n"
        "why                    to read    of\n"
        "-------------------  ---------  ----\n"
        "chosen by an option         11    11\n"
        "sheets: review.html, review.csv in reports/review/RUN\n"
        "time: about 2 min to read and judge 11 answers\n"
        "open reports/review/RUN/review.html in a browser, judge, and download the labels with D; then\n"
        "next: evalkit review import labels-….jsonl\n"
    )
    assert taken.out == (
        "labels.jsonl: 11 labels by anna: 11 stored, 0 superseded, 0 unchanged, 0 refused\n"
        "run RUN: 11 of 300 answers carry labels of anna\n"
        "next: evalkit review report RUN\n"
    )
    assert told.out == (
        "run RUN: 11 of 300 answers carry labels of anna, 11 of 11 labels blind\n"
        "\n"
        "pass rates, with 95 % intervals\n"
        "target                 reviewed    judges                      judges and labels           corrected\n"
        "---------------------  ----------  --------------------------  --------------------------  -----------\n"
        "one:fp32:naked:greedy  11/300      289/300 96.3 % (93.6–97.9)  296/300 98.7 % (96.6–99.5)  -\n"
        "no corrected rate: none of the 289 passes was reviewed; it may be anything in 0.3–99.5 %\n"
        "None of the 289 passes was reviewed, so the labels could only raise the reviewed rate. "
        "Have passes and failures drawn: evalkit review RUN --budget N\n"
        "\n"
        "by category\n"
        "category    reviewed    judges                     judges and labels          corrected\n"
        "----------  ----------  -------------------------  -------------------------  ------------------\n"
        "dates       4/100       96/100 96.0 % (90.2–98.4)  99/100 99.0 % (94.6–99.8)  unknown (0.0–99.8)\n"
        "names       3/100       97/100 97.0 % (91.5–99.0)  98/100 98.0 % (93.0–99.4)  unknown (0.0–99.4)\n"
        "prices      4/100       96/100 96.0 % (90.2–98.4)  99/100 99.0 % (94.6–99.8)  unknown (0.0–99.8)\n"
        "unknown: too little was drawn and read. "
        "Have more of a category read: evalkit review RUN --category NAME --budget N\n"
        "\n"
        "the judges against the labels\n"
        "  dates: 3 of 4 failures overturned; no pass was reviewed\n"
        "  prices: 3 of 4 failures overturned; no pass was reviewed\n"
        "  names: 1 of 3 failures overturned; no pass was reviewed\n"
        "  all: 7 of 11 failures overturned; no pass was reviewed\n"
    )


@pytest.mark.slow
def test_the_next_run_inherits_labels(loop: Loop) -> None:
    """Equal answers carry them: a line in the terminal and in summary.md, and the next sheet asks for others."""
    loop.evalkit("review", "latest", "--budget", "60")
    loop.evalkit("review", "import", loop.fill("a.jsonl", overturned), loop.fill("b.jsonl", overturned, "ben"))
    again = loop.pytest()
    (folder,) = (one for one in (loop.root / "reports" / "out").iterdir() if one.name != loop.run)
    summary = (folder / "summary.md").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    told = json.loads(loop.evalkit("review", "report", "latest", "--json").out)
    rest = loop.evalkit("review", "latest", "--budget", "60")

    words = " ".join(again.out.split())
    assert "reviewed 60 of 300 answers carry labels of anna and ben; corrected pass rate 98.7 % (9" in words
    assert "- reviewed: 60 of 300 answers carry labels of anna and ben; corrected pass rate 98.7 % (9" in summary
    assert {len(line["text_hash"]) for line in lines} == {64}
    assert (told["labelled"], told["all"]["reviewed_n"], told["run"]) == (60, 60, folder.name)
    assert rest.out.startswith(f"run {folder.name}: 60 of 300 answers to review; 60 more of the draw have labels\n")


def test_a_run_without_labels_says_nothing_of_them(loop: Loop) -> None:
    """No line where nobody labelled anything, and the report says where to begin."""
    told = loop.evalkit("review", "report", "latest")

    assert "reviewed" not in loop.pytest().out
    assert (told.status, told.err) == (
        2, "Run RUN: nobody labelled any of its answers. Begin with: evalkit review RUN\n"
    )  # fmt: skip


def test_reviewers_who_differ_are_reported_and_decided(loop: Loop) -> None:
    """Kappa and alpha, each dispute with who says what; labels given for adjudication win, and count for no kappa."""
    loop.evalkit("review", "latest", "--failures")

    def other(row: dict[str, Any]) -> dict[str, Any]:
        is_split = row["probe"] in ("p0", "p10")
        said = overturned(row)
        flipped = {"correct": "wrong", "wrong": "correct"}[said]
        return {"label": flipped if is_split else said, "note": "reads otherwise" if is_split else ""}

    loop.evalkit("review", "import", loop.fill("anna.jsonl", overturned), loop.fill("ben.jsonl", other, "ben"))
    before = loop.evalkit("review", "report", "latest")
    sheets = loop.evalkit("review", "disputes", "latest")
    decided = loop.fill("cid.jsonl", lambda row: "correct", "cid", folder="disputes")
    taken = loop.evalkit("review", "import", decided, "--adjudicates")
    after = loop.evalkit("review", "report", "latest")

    tail = before.out[before.out.index("\nreviewers") :]
    (first, second), following = sorted(tail.splitlines()[-3:-1]), tail.splitlines()[-1]
    assert tail.split("\ndisputed: 2, 2 of them undecided\n")[0] == (
        "\nreviewers\n  anna and ben: 9 of 11 labels agree, Cohen's kappa 0.61\n  all: Krippendorff's alpha 0.62\n"
    )
    trial = "suites/small/first.yaml::{}[one:fp32:naked:greedy]"
    assert first == f"  {trial.format('p0')}: anna correct, ben wrong (reads otherwise) → undecided"
    assert second == f"  {trial.format('p10')}: anna wrong, ben correct (reads otherwise) → undecided"
    assert following == "next: evalkit review disputes RUN"
    assert sheets.out == (
        "run RUN: reviewers differ on 2 answers; labels of these sheets decide\n"
        "sheets: review.html, review.csv in reports/review/RUN/disputes\n"
        "time: about a minute to read and judge 2 answers\n"
        "open reports/review/RUN/disputes/review.html in a browser, judge, and download the labels with D; then\n"
        "next: evalkit review import --adjudicates labels-….jsonl\n"
    )
    assert taken.out.startswith("cid.jsonl: 2 labels by cid: 2 stored, 0 superseded, 0 unchanged, 0 refused\n")
    assert "  all: 8 of 11 failures overturned; no pass was reviewed\n" in after.out
    assert "disputed: 2, all of them decided\n" in after.out
    assert "anna and ben: 9 of 11 labels agree, Cohen's kappa 0.61\n" in after.out
    decision = "anna correct, ben wrong (reads otherwise), cid correct → correct, adjudicated"
    assert f"{trial.format('p0')}: {decision}\n" in after.out
    assert loop.evalkit("review", "disputes", "latest").out == (
        "run RUN: reviewers differ on no answer that is still to be decided\n"
    )


@pytest.mark.slow
def test_gates_hold_the_corrected_rate(loop: Loop) -> None:
    """Undecided while the labels do not say it, decided once both passes and failures were drawn and read."""
    loop.write(
        "gates.yaml",
        "gates:\n  - {name: right, suite: small, metric: corrected_pass_rate, at_least: 0.9, end: low}\n"
        "  - {name: many, suite: small, metric: corrected_pass_rate, at_least: 0.9, min_n: 500}\n",
    )
    before = loop.evalkit("gate", "latest", "--gates", "gates.yaml", "--json")
    loop.evalkit("review", "latest", "--failures")
    loop.evalkit("review", "import", loop.fill("fails.jsonl", overturned))
    one_sided = loop.evalkit("gate", "latest", "--gates", "gates.yaml", "--json")
    loop.evalkit("review", "latest", "--fraction", "0.5")
    loop.evalkit("review", "import", loop.fill("both.jsonl", overturned))
    after = loop.evalkit("gate", "latest", "--gates", "gates.yaml", "--json")
    in_a_run = loop.pytest("--eval-gates", "gates.yaml")

    def said(done: Any) -> list[tuple[str, str]]:
        return [(gate["outcome"], gate["sentence"]) for gate in json.loads(done.out)["gates"]]

    head = "not decided: corrected pass rate of one:fp32:naked:greedy: "
    assert said(before)[0] == (
        "undecided", f"{head}nobody labelled any of these answers. Begin with: evalkit review latest"
    )  # fmt: skip
    assert said(one_sided)[0] == ("undecided", f"{head}none of the 289 passes was reviewed. {WAY_OUT}")
    outcome, sentence = said(after)[0]
    assert outcome == "pass"
    assert sentence.startswith("corrected pass rate of one:fp32:naked:greedy is 98.7 % (15")
    assert sentence.endswith(" %), its low end at least 90 % wanted")
    assert said(after)[1][1].endswith(" reviewed answers, min_n wants 500")
    assert "right: corrected pass rate of one:fp32:naked:greedy is 98.7 %" in " ".join(in_a_run.out.split())


@pytest.mark.slow
def test_answers_that_no_queue_has_seen_leave_the_rate_open(loop: Loop) -> None:
    """Made anew, a fifth of the answers are others: their old labels stay with the old run, and nothing is guessed."""
    loop.evalkit("review", "latest", "--budget", "60")
    sheet = loop.fill("labels.jsonl", overturned)
    recordings = loop.root / "fixtures" / "recordings" / "answers.jsonl"
    lines = [json.loads(line) for line in recordings.read_text(encoding="utf-8").splitlines()]
    changed = [{**line, "text": f"Do {line['text']}"} if n % 5 == 0 else line for n, line in enumerate(lines)]
    recordings.write_text("".join(json.dumps(line) + "\n" for line in changed), encoding="utf-8")
    loop.evalkit("review", "import", sheet)
    labelled = sum(int(row["probe"][1:]) % 5 != 0 for row in loop.rows())
    words = " ".join(loop.pytest("--eval-fresh").out.split())
    old = loop.evalkit("review", "report", loop.run)
    again = loop.evalkit("review", "import", sheet)

    head = f"reviewed {labelled} of 300 answers carry labels of anna; no corrected pass rate: "
    assert f"{head}none of the 11 failures was reviewed. Have passes and failures drawn: evalkit review 20" in words
    assert "60/300" in old.out
    assert again.out.startswith("labels.jsonl: 60 labels by anna: 0 stored, 0 superseded, 60 unchanged, 0 refused\n")

    few = [{**line, "text": f"Do {line['text']}"} if n < 3 else line for n, line in enumerate(lines)]
    recordings.write_text("".join(json.dumps(line) + "\n" for line in few), encoding="utf-8")
    loop.pytest("--eval-fresh")
    told = loop.evalkit("review", "report", "latest")
    judged = [loop.evalkit("judge", run, "--judge", "text", "--json") for run in (loop.run, "latest")]

    assert re.search(r"\none:fp32:naked:greedy  58/300 .* 9\d\.\d % \(\d\d\.\d–9\d\.\d\)\n", told.out)
    assert "\n3 trials are in no queue that labels come from: the interval holds whatever they are. " in told.out
    assert ["Do Please" in done.out for done in judged] == [False, True]


def test_a_workbook_comes_back(loop: Loop) -> None:
    """XLSX out, a label in every row, XLSX in."""
    openpyxl = pytest.importorskip("openpyxl")
    loop.evalkit("review", "latest", "--failures", "--format", "xlsx", "--out", "sheets")
    book = openpyxl.load_workbook(loop.root / "sheets" / "review.xlsx")
    sheet = book["Review"]
    headers = {str(cell.value).partition(" ")[0]: cell.column for row in sheet.iter_rows(max_row=3) for cell in row}
    filled = [row for row in range(1, sheet.max_row + 1) if str(sheet.cell(row, headers["no"]).value or "").isdecimal()]
    for row in filled:
        sheet.cell(row, headers["label"], "correct")
        sheet.cell(row, headers["reviewer"], "ben")
    book.save(loop.root / "filled.xlsx")

    assert loop.evalkit("review", "import", "filled.xlsx").out.startswith(
        "filled.xlsx: 11 labels by ben: 11 stored, 0 superseded, 0 unchanged, 0 refused\n"
    )


def test_a_demo_run_is_stamped(loop: Loop) -> None:
    """First and last, as in every report."""
    loop.evalkit("review", "latest", "--failures")
    loop.evalkit("review", "import", loop.fill("labels.jsonl", overturned))
    with sqlite3.connect(loop.root / ".evalkit" / "store.sqlite3") as store:
        store.execute("UPDATE trials SET record = json_set(record, '$.is_demo', json('true'))")
    store.close()
    lines = loop.evalkit("review", "report", "latest").out.splitlines()

    assert lines[0] == lines[-1] == "DEMO MODEL: its numbers mean nothing"
    assert json.loads(loop.evalkit("review", "report", "latest", "--json").out)["demo"] is True


def test_a_run_without_answers_has_nothing_to_review(loop: Loop) -> None:
    """All passed in this category; a run of nothing; each is a sentence."""
    with sqlite3.connect(loop.root / ".evalkit" / "store.sqlite3") as store:
        store.execute("UPDATE trials SET record = json_set(record, '$.outcome', 'pass')")
    passed = loop.evalkit("review", "latest", "--failures", "--category", "dates")
    with store:
        store.execute("DELETE FROM trials")
    empty = loop.evalkit("review", "latest")
    store.close()

    assert (passed.status, passed.err) == (2, "Run RUN has no answer to review that failed in dates.\n")
    assert (empty.status, empty.err) == (2, "Run RUN has no trials.\n")


def test_targets_stand_side_by_side(loop: Loop) -> None:
    """A row for each and one for all, and what is said of one of them names it."""
    with sqlite3.connect(loop.root / ".evalkit" / "store.sqlite3") as store:
        store.execute(
            "UPDATE trials SET record = json_set(record, '$.target', 'two:fp32:naked:greedy')"
            " WHERE json_extract(record, '$.category') = 'dates'"
        )
    store.close()
    loop.evalkit("review", "latest", "--all", "--category", "dates")
    loop.evalkit("review", "import", loop.fill("labels.jsonl", overturned))
    told = loop.evalkit("review", "report", "latest").out
    plain = json.loads(loop.evalkit("review", "report", "latest", "--json").out)

    assert "\none:fp32:naked:greedy  0/200       193/200 96.5 %" in told
    assert "\ntwo:fp32:naked:greedy  100/100     96/100 96.0 %" in told
    assert "\nall                    100/300     289/300 96.3 %" in told
    assert (
        "\none:fp32:naked:greedy: no corrected rate: none of the 193 passes was reviewed and "
        "none of the 7 failures was reviewed; it may be anything in 0.0–100.0 %. "
        "Have passes and failures drawn: evalkit review RUN --budget N\n"
    ) in told
    assert "\nall                    dates       100/100     96/100 96.0 % (90.2–98.4)" in told
    assert list(plain["targets"]) == ["one:fp32:naked:greedy", "two:fp32:naked:greedy"]
    assert plain["targets"]["two:fp32:naked:greedy"]["corrected"]["rate"] == 0.99
    assert [(row["target"], row["category"], row["reviewed_n"]) for row in plain["categories"]] == [
        ("one:fp32:naked:greedy", "names", 0), ("one:fp32:naked:greedy", "prices", 0),
        (None, "dates", 100), (None, "names", 0), (None, "prices", 0),
    ]  # fmt: skip
    assert plain["categories"][2]["corrected"] == plain["targets"]["two:fp32:naked:greedy"]["corrected"]
