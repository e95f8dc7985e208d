"""review.html goes on from a file that another browser downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.review import ReviewItem
from evalkit.sheets import write_sheets

pytestmark = pytest.mark.slow


@pytest.fixture
def page(tmp_path: Path, items: list[ReviewItem]) -> Path:
    """The page of thirty items."""
    return write_sheets(tmp_path, items, title="Run 7f3a", formats=["html"])[0]


def test_an_earlier_download_is_taken_up(browser: Any, page: Path, tmp_path: Path, items: list[ReviewItem]) -> None:
    """Another browser continues from a downloaded file; foreign and broken lines are passed over."""
    mine = {"run": items[1].run, "trial": items[1].trial, "text_hash": items[1].text_hash, "label": "unsure"}
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join([json.dumps(mine), "broken", json.dumps({**mine, "text_hash": "other"}), "null"]))
    browser.begin(page)
    browser.press("l")
    restore(browser, file)

    assert browser.told("#status") == "1 label taken from labels.jsonl."
    assert [(row["trial"], row["label"]) for row in labels(browser)] == [(items[1].trial, "unsure")]


def test_a_download_of_somebody_else_is_not_taken_for_ones_own(
    browser: Any, page: Path, tmp_path: Path, items: list[ReviewItem]
) -> None:
    """Each person's labels stay theirs and are told; one's own are taken, without a kind that nobody knows."""
    rows = [
        {"run": item.run, "trial": item.trial, "text_hash": item.text_hash, "label": "wrong", "reviewer": who,
         "failure_kind": kind}
        for item, who, kind in zip(
            items, ["Anna", "Anna", "Cid", "ben", "Ben", ""], ["OTHER", "", "", "NONSENSE", "OTHER", ["OTHER"]],
            strict=False,
        )
    ]  # fmt: skip
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    browser.begin(page, "Ben")
    browser.press("l")
    restore(browser, file)

    assert browser.told("#status") == (
        "3 labels taken from labels.jsonl. 2 labels are Anna's; change the name to go on with them. "
        "1 label is Cid's; change the name to go on with it."
    )
    assert [(row["trial"], row["failure_kind"], row["reviewer"]) for row in labels(browser)] == [
        (items[3].trial, "", "Ben"), (items[4].trial, "OTHER", "Ben"), (items[5].trial, "", "Ben"),
    ]  # fmt: skip


def test_nothing_is_lost_unsaid(browser: Any, page: Path, tmp_path: Path, items: list[ReviewItem]) -> None:
    """What a file or an earlier download says otherwise is told; where nothing is kept, no label is let go unasked."""
    browser.begin(page)
    browser.press("1", "d", "2", "u", "u")
    assert browser.told("#status") == (
        "Undone: item 1 has no label again, but the file that was downloaded has one. To take that back, say unsure."
    )
    browser.press("4")
    (file,) = browser.downloaded()
    browser.press("l")
    restore(browser, file)
    assert browser.told("#status") == f"0 labels taken from {file.name}. 1 item is judged otherwise here and stays so."

    browser.run(
        "const real = Storage.prototype.setItem; Storage.prototype.setItem = function (key, value) {"
        " if (value.length > 200) throw new DOMException('full', 'QuotaExceededError');"
        " return real.call(this, key, value); }"
    )
    browser.press("2")
    browser.find("#theme").click()
    closes = "const end = new Event('beforeunload', { cancelable: true }); window.dispatchEvent(end);"
    assert browser.run(f"{closes} return end.defaultPrevented") is True
    before = labels(browser)
    browser.run("rename('Bob', true)")
    assert browser.told("#status") == (
        "This browser keeps nothing for this page. Download the labels of Ada first, then change the name."
    )
    assert (browser.text("#open-name"), labels(browser)) == ("Ada", before)


def restore(browser: Any, file: Path) -> None:
    """Goes on from the file, which the page reads by and by."""
    browser.find("#restore").send_keys(str(file))
    browser.wait("return !byId('list').open")


def labels(browser: Any) -> list[dict[str, Any]]:
    """What a download would hold now, but for the seconds, which go on."""
    return list(browser.run("return labelRows().map(row => ({ ...row, seconds: undefined }))"))
