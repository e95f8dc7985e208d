"""From a run to sheets, labels, corrected rates, and the next run that inherits them."""

from __future__ import annotations

import json
from typing import Any

Loop = Any


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
        "sheets: review.html, review.csv, review.jsonl in reports/review/RUN\n"
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
        "no corrected rate: none of the 289 passes was reviewed; it may be anything in 2.3–99.5 %\n"
        "None of the 289 passes was reviewed, so the labels could only raise the reviewed rate.\n"
        "\n"
        "the judges against the labels\n"
        "  dates: 3 of 4 failures overturned; no pass was reviewed\n"
        "  prices: 3 of 4 failures overturned; no pass was reviewed\n"
        "  names: 1 of 3 failures overturned; no pass was reviewed\n"
        "  all: 7 of 11 failures overturned; no pass was reviewed\n"
    )


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
        "sheets: review.html, review.csv, review.jsonl in reports/review/RUN/disputes\n"
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
    assert said(one_sided)[0] == ("undecided", f"{head}none of the 289 passes was reviewed")
    outcome, sentence = said(after)[0]
    assert outcome == "pass"
    assert sentence.startswith("corrected pass rate of one:fp32:naked:greedy is 98.7 % (15")
    assert sentence.endswith(" %), its low end at least 90 % wanted")
    assert said(after)[1][1].endswith(" reviewed answers, min_n wants 500")
    assert "right: corrected pass rate of one:fp32:naked:greedy is 98.7 %" in " ".join(in_a_run.out.split())


def test_labels_calibrate_judges(loop: Loop) -> None:
    """Weighted by how many each speaks for: the 2×2 adds up to the whole run, and a filled sheet reads the same."""
    loop.evalkit("review", "latest", "--fraction", "0.5")
    sheet = loop.fill("labels.jsonl", overturned)
    of_file = loop.evalkit("calibrate", sheet, "--judge", "text", "--suite", "small", "--json")
    loop.evalkit("review", "import", sheet)
    of_run = loop.evalkit("calibrate", "--labels", "latest", "--judge", "text", "--json")

    counts = []
    for done in (of_file, of_run):
        (whole,) = (
            one for one in json.loads(done.out)["judges"]["text"]["categories"] if one["category"] == "all"
        )  # fmt: skip
        counts.append(whole["agreement"])
        assert round(sum(whole["agreement"][name] for name in ("true_pass", "false_pass"))) == 289
        assert round(sum(whole["agreement"][name] for name in ("true_fail", "false_fail"))) == 11
    assert counts[0]["n"] == counts[1]["n"] == 151
    kept = json.loads((loop.root / "reports/calibration/text.json").read_text(encoding="utf-8"))
    assert kept["entries"][0]["source"]["by"] == ["anna"]


def test_calibration_refuses_labels_that_tell_one_side(loop: Loop) -> None:
    """Only failures were read; collapse is not what reviewers were asked; one of file and run is given."""
    loop.evalkit("review", "latest", "--failures")
    loop.evalkit("review", "import", loop.fill("labels.jsonl", overturned))

    assert loop.evalkit("calibrate", "--labels", "latest", "--judge", "text").err == (
        "Run RUN: none of the 289 passes was reviewed, so no judge can be measured on its labels. "
        "Have more read: evalkit review RUN\n"
    )
    assert loop.evalkit("calibrate", "--labels", "latest", "--judge", "degeneration").err == (
        "Reviewers say whether an answer is right, not whether it collapsed: leave degeneration out.\n"
    )
    assert loop.evalkit("calibrate", "--judge", "text").err == "Give one of LABELS.jsonl and --labels RUN.\n"
