"""``evalkit calibrate``: the printed table, the kept file, and labels that must not be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[[str, str], Path]

JUDGE = "def judge(case):\n    answer = case.answers[0].answer\n    return 'good' in answer, 'looked'\n"


def label(number: int, response: str, label: Any, **more: Any) -> str:
    row = {"id": f"r{number}", "prompt": "?", "response": response, "category": "TIDES", "label": label, **more}
    return json.dumps(row) + "\n"


@pytest.fixture
def labels(write: Write) -> Path:
    """Four right answers, one of them failed; three wrong ones, one of them passed; one nobody could label."""
    write("judges/simple.py", JUDGE)
    said = [("good", "pass"), ("good", True), ("good", "correct"), ("poor", "pass")]
    said += [("poor", "fail"), ("poor", "wrong"), ("good", False), ("good", "borderline")]
    text = "".join(label(number, *pair, reviewer="ann", blind=True) for number, pair in enumerate(said))
    return write("labels.jsonl", text)


def test_the_table_and_the_disputed_cases_are_printed(evalkit: Any, labels: Path) -> None:
    """The 2×2, the shares with intervals, and where judge and people part."""
    done = evalkit("calibrate", "labels.jsonl", "--judge", "simple")

    assert (done.status, done.err) == (0, "")
    assert [" ".join(line.split()) for line in done.out.splitlines() if not line.startswith("---")] == [
        "simple against 7 labels of labels.jsonl (by ann)",
        "category n right: p/f/u wrong: p/f/u accuracy sensitivity specificity kappa abstained",
        "TIDES 7 3/1/0 1/2/0 71 % [36–92] 75 % [30–95] 67 % [21–94] 0.42 [-0.26–1.00] 0.0 %",
        "all 7 3/1/0 1/2/0 71 % [36–92] 75 % [30–95] 67 % [21–94] 0.42 [-0.26–1.00] 0.0 %",
        "disputed: 2",
        "labels.jsonl:4 r3: labelled right, fail: looked",
        "labels.jsonl:7 r6: labelled wrong, pass: looked",
        "not kept: no suite is named. Give --suite NAME to show it beside that suite's rates.",
    ]


def test_a_calibration_is_kept_for_its_suite(evalkit: Any, labels: Path, workspace: Path) -> None:
    """With judge hash, suite, category, the source of the labels and the counts; measured again, it is replaced."""
    for _ in range(2):
        done = evalkit("calibrate", "labels.jsonl", "--judge", "simple", "--suite", "small")
    kept = json.loads((workspace / "reports/calibration/simple.json").read_text())
    entry = next(entry for entry in kept["entries"] if entry["category"] == "TIDES")

    assert [entry["category"] for entry in kept["entries"]] == ["TIDES", "all"]
    assert entry["suite"] == "small"
    assert entry["source"] == {
        "file": "labels.jsonl", "by": ["ann"], "n": 7, "blind": True, "is_third_party": False,
    }  # fmt: skip
    assert (entry["agreement"]["true_pass"], entry["agreement"]["false_pass"]) == (3, 1)
    assert done.out.splitlines()[-1] == (
        f"wrote reports/calibration/simple.json; runs judged by simple {entry['judge_hash']} show it. Commit it."
    )


def test_labels_of_a_queue_need_their_probability(evalkit: Any, write: Write) -> None:
    """Picked answers skew every figure: refused, unless they say how likely they were or all were read."""
    write("judges/simple.py", JUDGE)
    write("queue.jsonl", label(1, "good", "pass", queue="failures") + label(2, "poor", "fail", queue="passes"))
    write("weighed.jsonl", label(1, "good", "pass", queue="a", inclusion_probability=0.5))
    done = evalkit("calibrate", "queue.jsonl", "--judge", "simple")

    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "queue.jsonl:1: 2 answers were picked by a queue, and their lines have no inclusion_probability, so any figure "
        "would be skewed. Export them with it, or give --all-reviewed where every answer was labelled.\n"
    )
    assert evalkit("calibrate", "queue.jsonl", "--judge", "simple", "--all-reviewed").status == 0
    weighed = evalkit("calibrate", "weighed.jsonl", "--judge", "simple", "--json")
    assert json.loads(weighed.out)["judges"]["simple"]["categories"][0]["agreement"]["true_pass"] == 2.0


def test_a_review_sheet_is_measured_by_its_run(evalkit: Any, write: Write) -> None:
    """Its rows do not say what the queue left out, be there a probability: they are imported, or all was read."""
    write("judges/simple.py", JUDGE)
    rows = [label(n, "good", "pass", stratum="asked_for", inclusion=1.0) for n in (1, 2)]
    write("review.jsonl", "".join(rows))
    done = evalkit("calibrate", "review.jsonl", "--judge", "simple")

    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "review.jsonl:1: 2 lines of a review sheet, which does not say what its queue left out: of failures alone any "
        "figure would be skewed. Measure on the run: evalkit review import review.jsonl, then "
        "evalkit calibrate --labels RUN --judge simple\n"
    )
    assert evalkit("calibrate", "review.jsonl", "--judge", "simple", "--all-reviewed").status == 0


def test_degeneration_is_measured_by_collapsed(evalkit: Any, write: Write) -> None:
    """A collapsed answer is wrong; label does not count for it."""
    write("l.jsonl", label(1, "Fine words.", "fail", collapsed=False) + label(2, "", "pass", collapsed=True))
    done = evalkit("calibrate", "l.jsonl", "--judge", "degeneration", "--json")
    found = json.loads(done.out)["judges"]["degeneration"]["categories"][0]["agreement"]

    assert (found["true_pass"], found["true_fail"]) == (1, 1)


def test_stored_answers_of_others_are_marked(evalkit: Any, labels: Path, tmp_path: Path) -> None:
    """Labels under shared/data are measured, and never used to correct a rate."""
    place = tmp_path / "shared" / "data" / "labels.jsonl"
    place.parent.mkdir(parents=True)
    shutil.copy(labels, place)
    done = evalkit("calibrate", str(place), "--judge", "simple")

    assert (
        "These are stored answers of others, on which evalkit itself was built: no rate is corrected by them."
    ) in done.out.splitlines()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (label(1, "x", "maybe"),
         "$.label: expected true, false, pass, fail, correct, wrong, borderline or unsure; found 'maybe'."),
        (label(1, "x", "pass", inclusion_probability=0),
         "$.inclusion_probability: expected a number above 0, at most 1; found 0."),
        ('{"id": "a", "response": "x"}\n',
         "$: the label is missing. Add label or behaviour_correct or behavior_correct."),
    ],
)  # fmt: skip
def test_a_wrong_label_costs_only_itself(evalkit: Any, write: Write, line: str, sentence: str) -> None:
    """Its line is named; the others are measured."""
    write("judges/simple.py", JUDGE)
    write("l.jsonl", line + label(2, "good", "pass"))
    done = evalkit("calibrate", "l.jsonl", "--judge", "simple")

    assert (done.status, done.err) == (2, f"l.jsonl:1: {sentence}\n")
    assert done.out.startswith("simple against 1 label of l.jsonl")


def test_without_labels_there_is_nothing_to_measure(evalkit: Any, write: Write) -> None:
    """One sentence, with the first of what was wrong; so with no judge and no file."""
    write("l.jsonl", '{"id": "a", "response": "x"}\n')

    assert evalkit("calibrate", "l.jsonl", "--judge", "text").err == (
        "l.jsonl: no line has a label to measure text with.\n"
        "l.jsonl:1: $: the label is missing. Add label or behaviour_correct or behavior_correct.\n"
    )
    assert evalkit("calibrate", "l.jsonl").err == (
        "Name a judge: evalkit calibrate LABELS.jsonl --judge NAME. See: evalkit list judges\n"
    )
    assert evalkit("calibrate", "gone.jsonl", "--judge", "text").err == "gone.jsonl: there is no such file.\n"
