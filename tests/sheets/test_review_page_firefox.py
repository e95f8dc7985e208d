"""review.html in Firefox: the way from the name to the import, by keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from evalkit.review import ReviewItem
from evalkit.sheets import read_sheet, write_sheets

pytestmark = [pytest.mark.slow, pytest.mark.long]
ENTER, ESCAPE, LEFT = "\ue007", "\ue00c", "\ue012"


def test_thirty_items_are_labelled_in_firefox(firefox: Any, tmp_path: Path, items: list[ReviewItem]) -> None:
    """Thirty labels with a note and a reload half-way, nothing wider than the window, and a file that is read."""
    shots = Path(os.environ.get("EVALKIT_SHOTS") or tmp_path / "shots")
    page = write_sheets(tmp_path / "sheets", items, title="Run 7f3a", formats=["html"])[0]
    firefox.resize(1360, 850)
    firefox.open(page)
    firefox.press("Ada Lovelace", ENTER, "1" * 10, "h", "3", "4", "2", ENTER, "n", "because", ESCAPE, "1")
    assert firefox.text("#where").split("\n")[0].startswith("15 of 30 judged")
    firefox.shoot(shots / "firefox-half-way-wide.png")
    firefox.reload_until("#heading", "Item 16 of 30")
    assert firefox.text("#open-name") == "Ada Lovelace"
    firefox.resize(390, 844)
    firefox.shoot(shots / "firefox-half-way-phone.png")
    assert firefox.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    hidden = "gemma-secret" not in firefox.text("body")
    firefox.press(LEFT)
    assert (hidden, "gemma-secret" in firefox.text("#verdict")) == (True, True)
    firefox.press(ENTER, "1" * 15)
    assert firefox.text("#done-name") == "All 30 are judged. Thank you, Ada Lovelace."
    firefox.press("d")

    (file,) = firefox.downloaded()
    rows, problems = read_sheet(file)

    assert problems == ()
    assert file.name == "labels-20261121-113140-7f3a-Ada-Lovelace.jsonl"
    assert [row.text_hash for row in rows] == [item.text_hash for item in items]
    assert [row.value for row in rows] == [
        *["correct"] * 10, "wrong", "borderline", "unsure", "wrong", *["correct"] * 16,
    ]  # fmt: skip
    assert [(row.line, row.note) for row in rows if row.note] == [(15, "because")]
    assert all(row.blind is True for row in rows)


def test_a_page_that_was_renamed_goes_on_in_firefox(firefox: Any, tmp_path: Path, items: list[ReviewItem]) -> None:
    """Labels belong to the queue, not to the file: a copy with another name, in another folder, has them, too."""
    page = write_sheets(tmp_path / "sheets", items, title="Run 7f3a", formats=["html"])[0]
    firefox.open(page)
    firefox.press("Ada", ENTER, "1", "2h")
    (tmp_path / "mail").mkdir()
    firefox.open(page.rename(tmp_path / "mail" / "for Ada, second try (1).html"))
    firefox.reload_until("#heading", "Item 3 of 30")

    assert [row["label"] for row in firefox.run("labelRows()")] == ["correct", "wrong"]
