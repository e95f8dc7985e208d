"""The whole loop as people walk it: sheets from a run, thirty labels by keys in a browser, import, report."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_thirty_answers_are_labelled_in_the_page_and_come_back(loop: Any, browser: Any) -> None:
    """Export, label by keys, reload half-way, download, import, report: the rates before and after."""
    loop.evalkit("review", "latest", "--budget", "30")
    before = json.loads(loop.evalkit("review", "latest", "--budget", "30", "--json").out)
    rows = loop.rows()
    keys = ["2" if row["outcome"] == "pass" and index == passes(rows)[0] else "1" for index, row in enumerate(rows)]
    browser.begin(loop.root / "reports" / "review" / loop.run / "review.html", "Ada Lovelace")
    for key in keys[:15]:
        browser.press(*([key, browser.key("ENTER")] if key == "2" else [key]))
    browser.reload_until("#heading", "Item 16 of 30")
    for key in keys[15:]:
        browser.press(*([key, browser.key("ENTER")] if key == "2" else [key]))
    browser.press("d")
    (file,) = browser.downloaded()
    shutil.copy(file, loop.root / "labels.jsonl")
    taken = loop.evalkit("review", "import", "labels.jsonl")
    report = json.loads(loop.evalkit("review", "report", "latest", "--json").out)

    assert before["items"] == 30
    assert taken.out == (
        "labels.jsonl: 30 labels by Ada Lovelace: 30 stored, 0 superseded, 0 unchanged, 0 refused\n"
        "run RUN: 30 of 300 answers carry labels of Ada Lovelace\n"
        "next: evalkit review report RUN\n"
    )
    fails = 30 - len(passes(rows))
    assert report["sentences"][-1].startswith(f"all: {fails} of {fails} ")
    assert report["sentences"][-1].endswith(f"; 1 of {len(passes(rows))} sampled passes was wrong")
    automated, reviewed, corrected = (report["all"][name] for name in ("automated", "reviewed", "corrected"))
    assert (automated["part"], reviewed["part"]) == (289, 289 + fails - 1)
    assert corrected["low"] < corrected["rate"] < corrected["high"]
    assert browser.complaints() == []


def passes(rows: list[dict[str, Any]]) -> list[int]:
    """The places of passes in the sheet."""
    return [index for index, row in enumerate(rows) if row["outcome"] == "pass"]
