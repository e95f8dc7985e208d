"""review.html in a real browser, judged by keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.review import FAILURE_KINDS, LABEL_VALUES, ReviewItem
from evalkit.sheets import read_sheet, write_sheets

pytestmark = pytest.mark.slow
Item = Callable[..., ReviewItem]


@pytest.fixture
def page(tmp_path: Path, items: list[ReviewItem]) -> Path:
    """The page of thirty items."""
    return written(tmp_path, items)


def written(folder: Path, items: list[ReviewItem], title: str = "Run 7f3a") -> Path:
    return write_sheets(folder, items, title=title, formats=["html"])[0]


def test_thirty_items_are_labelled_by_keys_alone(browser: Any, page: Path, items: list[ReviewItem]) -> None:
    """Name, thirty labels with a reload half-way, download: every label comes back with where it belongs."""
    browser.begin(page, "Ada Lovelace")
    browser.press(*"1" * 10, "h", "3", "4", "2", browser.key("ENTER"))
    browser.press("n", "because", browser.key("ESCAPE"), "1")
    assert browser.text("#where").split("\n")[:2] == ["15 of 30 judged", "15 left"]
    browser.reload_until("#heading", "Item 16 of 30")
    assert browser.text("#open-name") == "Ada Lovelace"
    browser.press(*"1" * 15)
    assert browser.text("#done-name") == "All 30 are judged. Thank you, Ada Lovelace."
    browser.press("d")

    (file,) = browser.downloaded()
    rows, problems = read_sheet(file)

    assert problems == ()
    assert file.name == "labels-20261121-113140-7f3a-Ada-Lovelace.jsonl"
    assert [(row.run, row.trial, row.text_hash, row.stratum, row.inclusion) for row in rows] == [
        (item.run, item.trial, item.text_hash, item.stratum, item.inclusion) for item in items
    ]
    values = ["correct"] * 10 + ["wrong", "borderline", "unsure", "wrong"] + ["correct"] * 16
    assert [row.value for row in rows] == values
    assert [(row.line, row.failure_kind) for row in rows if row.failure_kind] == [(11, "HALLUCINATION")]
    assert [(row.line, row.note) for row in rows if row.note] == [(15, "because")]
    assert {row.reviewer for row in rows} == {"Ada Lovelace"}
    assert all(row.blind is True and row.at is not None and row.seconds is not None for row in rows)
    assert browser.complaints() == []


def test_the_header_says_where_one_is(browser: Any, page: Path) -> None:
    """Judged, left and the time left stand at the top, and what is asked beside the answer."""
    browser.begin(page)
    browser.press("1")

    assert browser.text("#where").split("\n") == ["1 of 30 judged", "29 left", "about 10 min"]
    assert browser.text("#heading") == "Item 2 of 30"
    assert browser.text("#question") == "Is the answer what was expected?"
    assert browser.find("#progress").get_attribute("value") == "1"


def test_model_and_verdict_are_hidden_until_judged(browser: Any, page: Path) -> None:
    """Nothing seen names the model or the verdict; going back to a judged item shows both."""
    browser.begin(page)
    before = browser.text("body")
    browser.press("1", browser.key("ARROW_LEFT"))
    after = browser.text("#verdict")

    assert "gemma-secret" not in before
    assert "fail" not in before.replace("failure", "")
    assert browser.text("#blind-words") == "You judged this before you saw it."
    assert after.split("\n") == [
        "Model", "gemma-secret", "Verdict", "fail", "behaviour", "fail: vouches for it", "heuristic", "pass: 24 of 30",
        "Why it is here", "drawn from the failures", "Trial", "suites/it/fraud.yaml::link_1[gemma-secret]",
    ]  # fmt: skip


def test_what_was_seen_before_is_not_blind(browser: Any, page: Path) -> None:
    """The switch shows the verdict before judging, and such labels say so; so does a later change of mind."""
    browser.begin(page)
    browser.press("r", "1", "r", "1", browser.key("ARROW_LEFT"), "2", "h", "1")
    rows = labels(browser)

    assert [(row["label"], row["blind"]) for row in rows] == [("correct", False), ("wrong", False), ("correct", True)]


def test_undo_does_not_make_blind_again(browser: Any, page: Path) -> None:
    """Who saw the verdict and takes the label back has seen it all the same."""
    browser.begin(page)
    browser.press("1", browser.key("ARROW_LEFT"), "u", "1")

    assert [(row["label"], row["blind"]) for row in labels(browser)] == [("correct", False)]


def test_undo_takes_back_step_by_step(browser: Any, page: Path) -> None:
    """Undo returns to the item and to the label it had, after a reload too, and says when there is nothing left."""
    browser.begin(page)
    browser.press("1", "4")
    browser.reload_until("#heading", "Item 3 of 30")
    browser.press("u")
    first = (browser.told("#status"), browser.text("#heading"), len(labels(browser)))
    browser.press("u", "u")

    assert first == ("Undone: item 2 has no label again.", "Item 2 of 30", 1)
    assert (browser.text("#heading"), labels(browser)) == ("Item 1 of 30", [])
    assert browser.told("#status") == "There is nothing to undo."


def test_a_closed_tab_loses_nothing(browser: Any, page: Path) -> None:
    """A note in the middle of being written is there again in a new tab."""
    browser.begin(page)
    browser.press("1", "n", "half a sen")
    browser.driver.switch_to.new_window("tab")
    browser.driver.switch_to.window(browser.driver.window_handles[0])
    browser.driver.close()
    browser.driver.switch_to.window(browser.driver.window_handles[0])
    browser.open_until(page, "#heading", "Item 2 of 30")

    assert browser.find("#note").get_attribute("value") == "half a sen"


def test_pages_on_one_disk_do_not_mix(browser: Any, tmp_path: Path, item: Item) -> None:
    """Pages from disk share one storage: another queue starts empty, knows the name, and both keep their labels."""
    one, other = written(tmp_path / "one", [item(1), item(2)]), written(tmp_path / "other", [item(1), item(3)])
    browser.begin(one)
    browser.press("1")
    browser.open_until(other, "#open-name", "Ada")
    seen = browser.text("#where").split("\n")[0]
    browser.press("4")
    browser.open_until(one, "#heading", "Item 2 of 2")

    assert seen == "0 of 2 judged"
    assert [row["label"] for row in labels(browser)] == ["correct"]


def test_two_tabs_of_one_page_lose_nothing(browser: Any, page: Path) -> None:
    """What is judged in the second tab is there in the first, which does not write over it."""
    browser.begin(page)
    browser.press("1")
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.open_until(page, "#heading", "Item 2 of 30")
    browser.press("4")
    browser.driver.switch_to.window(first)
    browser.wait("return judged().length === 2")
    browser.run("goTo(2)")
    browser.press("3")

    assert [row["label"] for row in labels(browser)] == ["correct", "unsure", "borderline"]


FOREIGN = (
    "7", "null", "[]", "{", '{"at": 99, "entries": {"0": {"value": "<b>"}, "x": 1}}',
    '{"at": -1, "undo": [null, {"index": 77}], "entries": {"1": {"value": "correct", "at": "never"}, "2": null}}',
)  # fmt: skip


@pytest.mark.parametrize("state", FOREIGN)
def test_a_foreign_state_does_no_harm(browser: Any, page: Path, state: str) -> None:
    """Whatever another page wrote under this queue's name, judging and downloading go on."""
    browser.begin(page)
    browser.run(
        "window.addEventListener('pagehide', () => localStorage.setItem(PREFIX + stateKey('Ada'), arguments[0]))", state
    )
    browser.reload_until("#open-name", "Ada")
    browser.press("u", "1", "d")

    assert [row["label"] for row in labels(browser)] == ["correct"]
    assert len(read_sheet(browser.downloaded()[0])[0]) == 1
    assert browser.complaints() == []


def test_a_clicked_button_does_not_keep_the_keys(browser: Any, page: Path) -> None:
    """After a click on a button Enter goes on, and does not press it again."""
    browser.begin(page)
    browser.press("1", "1")
    browser.find("#previous").click()
    browser.press(browser.key("ENTER"))

    assert browser.text("#heading") == "Item 3 of 30"


def test_two_people_at_one_browser_do_not_mix(browser: Any, page: Path) -> None:
    """Someone else begins empty, and the first one's labels are there when the name is theirs again."""
    browser.begin(page)
    browser.press("1")
    name(browser, "Ben", "other")
    ben = browser.text("#where").split("\n")[0]
    browser.press("4")
    name(browser, "Ada", "other")

    assert ben == "0 of 30 judged"
    assert [row["label"] for row in labels(browser)] == ["correct"]


def test_a_misspelt_name_is_mended(browser: Any, page: Path) -> None:
    """The labels move to the name that was meant."""
    browser.begin(page, "Adda")
    browser.press("1")
    name(browser, "Ada", "rename")

    assert [(row["label"], row["reviewer"]) for row in labels(browser)] == [("correct", "Ada")]


def test_a_browser_that_keeps_nothing_is_told_of(browser: Any, page: Path) -> None:
    """Without storage the page works, says what may be lost, and still downloads."""
    script = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    browser.begin(page)
    browser.press("1", "d")

    assert browser.text("#warning") == (
        "This browser keeps nothing for this page (a private window, or storage is off or full). Download your labels "
        "before you close it."
    )
    assert len(read_sheet(browser.downloaded()[0])[0]) == 1


def test_keys_can_be_turned_off(browser: Any, page: Path) -> None:
    """Single letters and digits do nothing then (WCAG 2.1.4), and the arrows still work; the choice is kept."""
    browser.begin(page)
    browser.press("?")
    browser.find("#single-keys").click()
    browser.press(browser.key("ESCAPE"), "1", "h", "d")
    browser.reload_until("#open-name", "Ada")
    browser.press("1", browser.key("ARROW_RIGHT"))

    assert labels(browser) == []
    assert browser.text("#heading") == "Item 2 of 30"


def test_a_note_takes_letters_and_not_labels(browser: Any, page: Path) -> None:
    """Keys in the note write; Ctrl+Enter goes on to the next item without a label."""
    browser.begin(page)
    browser.press("1", browser.key("ARROW_LEFT"), "n", "1 2 h u")
    browser.run(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', ctrlKey: true, bubbles: true, cancelable: true}))"
    )

    assert [(row["label"], row["note"]) for row in labels(browser)] == [("correct", "1 2 h u")]
    assert browser.text("#heading") == "Item 2 of 30"


@pytest.mark.parametrize(
    ("key", "code", "label"), [("&", "Digit1", "correct"), ("щ", "KeyO", "wrong"), ("1", "Numpad1", "correct")]
)
def test_other_keyboards_work(browser: Any, page: Path, key: str, code: str, label: str) -> None:
    """French digits without Shift, Cyrillic letters and the number pad reach the same labels."""
    browser.begin(page)
    browser.run(
        "const [key, code] = arguments;"
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key, code, bubbles: true}))",
        key, code,
    )  # fmt: skip

    assert [row["label"] for row in labels(browser)] == [label]


def test_every_label_and_kind_has_a_key(browser: Any, page: Path) -> None:
    """The page's keys cover the nouns, each with one of its own."""
    browser.begin(page)
    keys = browser.run(
        "return [...document.querySelectorAll('[aria-keyshortcuts]')]"
        ".map(node => node.getAttribute('aria-keyshortcuts'))"
    )

    assert len(set(keys)) == len(LABEL_VALUES) + len(FAILURE_KINDS)
    assert "undefined" not in keys


def labels(browser: Any) -> list[dict[str, Any]]:
    """What a download would hold now."""
    return list(browser.run("return labelRows()"))


def name(browser: Any, who: str, how: str) -> None:
    browser.find("#open-name").click()
    browser.run("document.getElementById('other-name').value = arguments[0]", who)
    browser.find(f"#naming-form [value={how}]").click()
