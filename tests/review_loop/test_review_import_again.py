"""Sheets that come back a second time: what a row says anew counts, what it repeats takes nothing back."""

from __future__ import annotations

import json
import os
from contextlib import closing
from typing import Any

import pytest

from evalkit.label_intake import Given, located, taken
from evalkit.review import Label
from evalkit.reviewing import PopulationTrial, settled
from evalkit.sheets import SheetRow
from evalkit.store.labels import LabelStore

Loop = Any
FIRST = "suites/small/first.yaml::p0[one:fp32:naked:greedy]"
TIME = 1_780_000_000


@pytest.fixture
def queued(loop: Loop) -> Loop:
    """The loop with a sheet of its failures."""
    loop.evalkit("review", "latest", "--failures")
    return loop


def saved(loop: Loop, name: str, value: str, at: int) -> str:
    """The outcome of a spreadsheet row without a time, saved then."""
    loop.write(name, f"trial,label,reviewer\n{FIRST},{value},anna\n")
    os.utime(loop.root / name, (at, at))
    return str(loop.evalkit("review", "import", name).out.splitlines()[0].partition("anna: ")[2])


def counting(loop: Loop, text: str) -> str:
    with closing(LabelStore.open(loop.root / ".evalkit" / "store.sqlite3")) as store:
        return str(store.labels_for([text])[text].value)


def test_a_spreadsheet_saved_again_takes_nothing_back(queued: Loop) -> None:
    """A newer label of the page stays, also against a copy of the sheet; what changes in the sheet is news."""
    text = next(row["text_hash"] for row in queued.rows() if row["trial"] == FIRST)
    page = {"run": queued.run, "trial": FIRST, "text_hash": text, "label": "wrong", "reviewer": "anna", "at": TIME + 1}
    first = saved(queued, "sheet.csv", "correct", TIME)
    queued.write("page.jsonl", json.dumps(page) + "\n")
    queued.evalkit("review", "import", "page.jsonl")
    again = [saved(queued, name, "correct", TIME + 2) for name in ("sheet.csv", "copy.csv")]
    kept = counting(queued, text)
    changed = [saved(queued, "sheet.csv", value, TIME + at) for value, at in (("unsure", 3), ("correct", 4))]

    assert first == "1 stored, 0 superseded, 0 unchanged, 0 refused"
    assert again == ["0 stored, 0 superseded, 1 unchanged, 0 refused"] * 2
    assert kept == "wrong"
    assert changed == ["0 stored, 1 superseded, 0 unchanged, 0 refused"] * 2
    assert counting(queued, text) == "correct"


def test_of_labels_of_one_time_the_last_counts() -> None:
    """A note that was changed and changed back is the last one; the same again is unchanged."""
    trail: list[Label] = []
    outcomes = []
    for note in ("a", "b", "a", "a"):
        intake = taken([Label("t", "x", "r", "wrong", "anna", 100.0, note=note)], trail)
        trail += intake.labels
        outcomes += intake.counts

    assert outcomes == ["stored", "superseded", "superseded", "unchanged"]
    assert [label.note for label in settled(trail)["t"].labels] == ["a"]


@pytest.mark.parametrize("text", ["", "0" * 64, "lost:t"])
def test_a_label_of_an_answer_that_is_gone_is_refused(text: str) -> None:
    """Whatever the row says of its text: nobody can tell what was read."""
    known = {"t": {"lost:t": PopulationTrial("t", "lost:t", "pass")}}
    found = located(SheetRow("f.csv", 2, "correct", text, "t", "r", "anna"), Given("", 1.0), "r", lambda _: known)

    assert str(found) == (
        "f.csv:2: the answer of t is no longer in the store, so nothing says what the label is of. Run the probe again "
        "and judge its new answer: evalkit review latest"
    )


def test_a_sheet_in_which_nobody_filled_anything_in(queued: Loop) -> None:
    """It is no error, and said."""
    sheet = f"reports/review/{queued.run}/review.csv"
    done = queued.evalkit("review", "import", sheet)

    assert (done.status, done.err) == (
        0, "reports/review/RUN/review.csv: no row has a label. Fill in the column label, save, and import it again.\n",
    )  # fmt: skip
    assert done.out == "reports/review/RUN/review.csv: 0 labels: 0 stored, 0 superseded, 0 unchanged, 0 refused\n"
