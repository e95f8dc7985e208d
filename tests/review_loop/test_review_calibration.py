"""Labels of a review as what judges are measured on."""

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


def test_labels_calibrate_judges(loop: Loop) -> None:
    """Weighted by how many each speaks for: the 2×2 adds up to the whole run."""
    loop.evalkit("review", "latest", "--fraction", "0.5")
    sheet = loop.fill("labels.jsonl", overturned)
    loop.evalkit("review", "import", sheet)
    of_run = loop.evalkit("calibrate", "--labels", "latest", "--judge", "text", "--json")

    (whole,) = (one for one in json.loads(of_run.out)["judges"]["text"]["categories"] if one["category"] == "all")
    assert round(sum(whole["agreement"][name] for name in ("true_pass", "false_pass"))) == 289
    assert round(sum(whole["agreement"][name] for name in ("true_fail", "false_fail"))) == 11
    assert whole["agreement"]["n"] == 151
    kept = json.loads((loop.root / "reports/calibration/text.json").read_text(encoding="utf-8"))
    assert kept["entries"][0]["source"]["by"] == ["anna"]


def test_calibration_refuses_labels_that_tell_one_side(loop: Loop) -> None:
    """Only failures were read; collapse is not what reviewers were asked; one of file and run is given."""
    loop.evalkit("review", "latest", "--failures")
    loop.evalkit("review", "import", loop.fill("labels.jsonl", overturned))

    assert loop.evalkit("calibrate", "--labels", "latest", "--judge", "text").err == (
        "Run RUN: none of the 289 passes was reviewed, so no judge can be measured on its labels. "
        "Have passes and failures drawn: evalkit review RUN --budget N\n"
    )
    assert loop.evalkit("calibrate", "--labels", "latest", "--judge", "degeneration").err == (
        "Reviewers say whether an answer is right, not whether it collapsed: leave degeneration out.\n"
    )
    assert loop.evalkit("calibrate", "--judge", "text").err == "Give one of LABELS.jsonl and --labels RUN.\n"


def test_calibration_leaves_out_probes_that_are_gone(loop: Loop) -> None:
    """It says how many, and measures on the others."""
    loop.evalkit("review", "latest", "--all")
    loop.evalkit("review", "import", loop.fill("labels.jsonl", overturned))
    suite = loop.root / "suites" / "small" / "first.yaml"
    kept = suite.read_text(encoding="utf-8").partition("  - id: p290\n")[0]
    suite.write_text(kept, encoding="utf-8")
    done = loop.evalkit("calibrate", "--labels", "latest", "--judge", "text")

    assert done.err == "left out: 10 of 300 labelled answers, each because its probe is gone\n"
    assert done.out.startswith("text against 290 labels of run RUN (by anna)\n")
