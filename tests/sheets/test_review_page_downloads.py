"""What the page of a review downloads, once and again, and under which names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.label_intake import taken
from evalkit.review import Label, ReviewItem
from evalkit.sheets import read_sheet, write_sheets

pytestmark = pytest.mark.slow
Item = Callable[..., ReviewItem]
NAME = "labels-20261121-113140-7f3a-Ada"


@pytest.fixture
def page(tmp_path: Path, items: list[ReviewItem]) -> Path:
    """The page of thirty items."""
    return write_sheets(tmp_path, items, title="Run 7f3a", formats=["html"])[0]


def labels(file: Path) -> list[Label]:
    rows, problems = read_sheet(file, "labels.jsonl")
    assert problems == ()
    return [row.label(reviewer="", at=0.0) for row in rows]


def test_each_download_has_a_name_and_the_newest_one_counts(browser: Any, page: Path) -> None:
    """Notes, kinds and what is undone are newer than the file before, in whatever order both are imported."""
    browser.begin(page)
    browser.press("2", "h", "1", "3", "d")
    browser.press("k", "k", "n", "why", browser.key("ESCAPE"))
    waiting = browser.text("#download .words")
    browser.press("k", "a", "d")
    command = browser.run("showDone(); return document.getElementById('done-command').textContent")
    browser.press("u", "u", "d", "d")
    files = {file.name: labels(file) for file in browser.downloaded(4)}
    first, second, third, again = (files[f"{NAME}{tail}.jsonl"] for tail in ("", "-2", "-3", "-3 (1)"))

    assert waiting == "Download"
    assert command == f"evalkit review import {NAME}-2.jsonl"
    assert [[label.failure_kind or label.value for label in one] for one in (first, second, third)] == [
        ["HALLUCINATION", "correct", "borderline"], ["FALSE_APPROVAL", "correct", "borderline"],
        ["HALLUCINATION", "correct"],
    ]  # fmt: skip
    assert [label.note for label in second] == ["", "why", ""]
    assert again == third
    assert taken(first, second).counts == {"older": 2, "unchanged": 1}
    assert taken(third, [*first, *second]).counts == {"superseded": 1, "unchanged": 1}
    assert {label.at - before.at > 0 for label, before in zip(second[:2], first[:2], strict=True)} == {True}


def test_a_page_under_another_name_goes_on(browser: Any, page: Path) -> None:
    """Labels belong to the queue, not to the file: a copy with another name and title has them, too."""
    browser.begin(page)
    browser.press("1", "2", "h")
    browser.driver.get("about:blank")
    renamed = page.rename(page.with_name("for Ada, second try (1).html"))
    browser.open_until(renamed, "#heading", "Item 3 of 30")

    assert [row["label"] for row in browser.run("return labelRows()")] == ["correct", "wrong"]


def test_keys_judge_again_after_the_name_was_changed_by_keys(browser: Any, page: Path) -> None:
    """The focus goes to the item and not back to the button, which Enter would press."""
    browser.begin(page)
    browser.find("#open-name").send_keys(browser.key("ENTER"))
    browser.press("Ben", browser.key("TAB"), browser.key("TAB"), browser.key("ENTER"))
    browser.press("2", browser.key("ENTER"), "1")

    assert browser.text("#open-name") == "Ben"
    assert browser.text("#heading") == "Item 3 of 30"
    assert [row["reviewer"] for row in browser.run("return labelRows()")] == ["Ben", "Ben"]


def test_the_conditions_system_prompt_is_hidden_like_the_model(browser: Any, tmp_path: Path, item: Item) -> None:
    """It is not on the screen nor on paper before the label; the switch shows it, and the label is not blind then."""
    under = [
        item(n, condition="You are <b>Zed</b>.", messages=(("system", "Be brief."), ("user", "?"))) for n in (1, 2)
    ]
    browser.begin(write_sheets(tmp_path, under, title="t", formats=["html"])[0])
    hidden = browser.run("makePaper(); return document.body.innerText + byId('paper').textContent")
    browser.press("1", "r")
    prompt, shown = browser.text("#prompt"), browser.text("#verdict").split("\n")
    browser.press("1")

    assert "Zed" not in hidden
    assert prompt == "System\nBe brief.\nUser\n?"
    assert shown[:4] == ["Model", "gemma-secret", "Its system prompt", "You are <b>Zed</b>."]
    assert [row["blind"] for row in browser.run("return labelRows()")] == [True, False]
