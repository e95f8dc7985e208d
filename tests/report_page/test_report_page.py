"""report.html driven as a reader drives it, from disk and without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.record import TrialRecord
from evalkit.reporting.exports import TrialTexts
from evalkit.reporting.finished import FinishedRun
from evalkit.review import Label

pytestmark = pytest.mark.slow
Pairs = list[tuple[TrialRecord, TrialTexts]]
Finish = Callable[..., FinishedRun]
Page = Callable[..., Path]
TUNED = "demo+steady:nf4:naked:greedy"
READY = "return performance.getEntriesByName('evalkit-ready').length > 0"


def opened(browser: Any, file: Path, address: str = "") -> None:
    """The page at its address, offline, once its trials are there."""
    browser.driver.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    browser.driver.get("about:blank")
    browser.driver.get(file.as_uri() + address)
    browser.wait(READY)


def type_in(browser: Any, words: str) -> None:
    browser.press("/", words)


def outcomes(browser: Any) -> dict[str, str]:
    """What the outcome buttons say."""
    return dict(
        browser.run("return [...byId('outcomes').children].map(b => [b.dataset.value, b.lastChild.textContent])")
    )


def hash_of(browser: Any) -> str:
    return str(browser.run("return decodeURIComponent(location.hash)"))


def title(browser: Any) -> str:
    """The trial that is open: its outcome and name, and its target."""
    return browser.text("#trial-name") + " " + browser.text(".target-line")


@pytest.fixture
def run(usual: Pairs, finish: Finish) -> FinishedRun:
    """The usual run with labels of two people."""
    first, second = f"hash1{TUNED}", f"hash2{TUNED}"
    said: list[tuple[str, Any, str, str]] = [
        (first, "correct", "Ada", "It is right."), (first, "wrong", "Ben", ""), (second, "wrong", "Ada", "")
    ]  # fmt: skip
    labels = [
        Label(text, "t", "r", value, by, 1_763_700_000.0, note=note, blind=True) for text, value, by, note in said
    ]
    return finish(usual, labels=labels)


@pytest.fixture
def before(usual: Pairs, finish: Finish) -> FinishedRun:
    """The same run earlier: probe 1 passed, and everybody said "might" where they now say "will"."""
    pairs = []
    for record, own in usual:
        said = tuple(
            replace(answer, answer=answer.answer.replace("will", "might"), text=answer.text.replace("will", "might"))
            for answer in own.answers
        )
        old = replace(record, outcome="pass", reason="ok") if record.probe == "probe-1" else record
        pairs.append((old, replace(own, answers=said)))
    return finish(pairs, run_id="baseline main")


def test_search_filters_and_counts(browser: Any, page: Page, run: FinishedRun) -> None:
    """Words narrow the list as they are typed, filters add up, every count follows, and the address holds it all."""
    opened(browser, page(run, plots=()))
    assert browser.text("#count") == "24 trials"
    assert outcomes(browser) == {"fail": "4", "error": "2", "unscored": "2", "pass": "16"}

    type_in(browser, "probe-1 ")
    assert browser.text("#count") == "6 of 24 trials"  # probe-1, probe-10 and probe-11 on two targets
    browser.run("byId('search').value = '\"ask 7 people\"'; byId('search').dispatchEvent(new Event('input'))")
    assert browser.text("#count") == "2 of 24 trials"
    assert browser.run("return [...document.querySelectorAll('.item mark.hit')].map(m => m.textContent)") == [
        "Ask 7 people", "Ask 7 people"
    ]  # fmt: skip
    browser.find("#scope").send_keys("in prompts")
    assert browser.text("#count") == "0 of 24 trials"
    assert browser.text("#none") == "No trial is left. Take a filter or a word of the search away."
    browser.find("#clear").click()
    browser.find("#scope").send_keys("everywhere")

    browser.find("#outcomes .fail").click()
    browser.find("[data-facet=category] summary").click()
    labels = browser.run("return [...document.querySelectorAll('[data-facet=category] label')].map(l => l.innerText)")
    assert [label.split("\n") for label in labels] == [["ADVERSARIAL", "0"], ["CONTROL", "2"], ["SAFE_PASSAGE", "2"]]
    browser.find("[data-facet=category] label:nth-child(2)").click()
    assert browser.text("#count") == "2 of 24 trials"
    assert outcomes(browser) == {"fail": "2", "error": "0", "unscored": "0", "pass": "6"}
    assert browser.text("#chips").split("\n") == ["fail ×", "CONTROL ×"]
    assert hash_of(browser) == "#outcome=fail&category=CONTROL"
    browser.press(browser.key("ESCAPE"))
    browser.find("#chips button").click()
    assert browser.text("#count") == "8 of 24 trials"
    browser.find("#sort").send_keys("failing first")
    assert browser.run("return state.found.map(trial => trial.outcome)") == ["fail", "fail", *["pass"] * 6]
    assert browser.complaints() == []


@pytest.mark.long
def test_figures_lead_to_their_trials(browser: Any, page: Page, run: FinishedRun) -> None:
    """A count at the top and a rate in a table are links to the trials behind them, and back again."""
    opened(browser, page(run, plots=()))
    followed = []
    for css in ("li:nth-child(2) a", "li:nth-child(5) a", "li:nth-child(7) a"):
        browser.find(f".tiles {css}").click()
        browser.wait("return byId('trials').getBoundingClientRect().top < 200")
        followed.append((browser.text("#count"), browser.text("#chips").split("\n")))
        browser.run("byId('verdict').scrollIntoView()")
    browser.run("document.querySelector('.matrix tbody tr:nth-child(2) td:nth-child(3) a').click()")
    browser.wait("return state.found.length === 4")
    matrix = browser.text("#chips").split("\n")
    browser.driver.back()
    browser.wait("return state.found.length === 2")

    assert followed == [
        ("4 of 24 trials", ["fail ×", "subject ×"]), ("4 of 24 trials", ["fabricated ×"]),
        ("2 of 24 trials", ["error ×"]),
    ]  # fmt: skip
    assert matrix == [f"{TUNED} ×", "CONTROL ×"]
    assert browser.complaints() == []


@pytest.mark.long
def test_every_fact_can_be_filtered_by(browser: Any, page: Page, run: FinishedRun, before: FinishedRun) -> None:
    """Flags, kinds, judges, people and the change against the baseline are filters with their counts."""
    opened(browser, page(run, plots=(), baseline=before))
    found = browser.run(
        "return Object.fromEntries(FACETS.filter(f => f.tells).map(f => "
        "[f.id, Object.fromEntries(f.values.map((v, i) => [v, f.counts[i]]))]))"
    )

    assert found["target"] == {"demo:nf4:naked:greedy": 12, TUNED: 12}
    assert found["role"] == {"reference": 12, "subject": 12}
    assert found["judge"] == {
        "behaviour: fail": 4, "behaviour: pass": 16, "behaviour: unscored": 2, "degeneration: pass": 22
    }  # fmt: skip
    assert found["flag"] == {"cut at length": 1, "fabricated": 4, "judges disagree": 4, "with thinking": 1}
    assert found["kind"] == {"false approval": 22}
    assert found["people"] == {
        "reviewed": 2, "people disagree": 1, "called correct": 1, "called wrong": 2, "not reviewed": 22
    }  # fmt: skip
    assert found["change"] == {"newly failing": 1, "same outcome, other answer": 21, "same answer": 2}
    assert "suite" not in found
    assert "condition" not in found


def test_keys_walk_the_trials(browser: Any, page: Page, run: FinishedRun) -> None:
    """j and k, arrows in the list, o and e for what is wrong, slash and Escape, x, and ? with the help."""
    opened(browser, page(run, plots=()))
    assert title(browser) == f"✗ fail probe-1 {TUNED}"
    assert hash_of(browser) == ""
    browser.press("j")
    assert title(browser) == "✓ pass probe-2 demo:nf4:naked:greedyreference"
    browser.press("o")
    assert title(browser) == f"✗ fail probe-2 {TUNED}"
    browser.press("k", "k", "e")
    assert title(browser) == f"? unscored probe-3 {TUNED}"
    browser.press("e")
    assert title(browser) == f"! error probe-5 {TUNED}"
    assert browser.text(".answer") == "ANSWER\nThere is none: the trial ended in an error."
    browser.run("byId('list').focus()")
    browser.press(browser.key("ARROW_DOWN"), browser.key("HOME"), browser.key("ARROW_UP"))
    assert title(browser) == "✓ pass probe-0 demo:nf4:naked:greedyreference"
    assert browser.told("#said") == "This is the first trial."
    assert browser.find("#list").get_attribute("aria-activedescendant") == browser.run("return `row-${state.trial}`")
    browser.press("/", "zebra", browser.key("ESCAPE"))
    assert browser.run("return document.activeElement.id") != "search"
    browser.press("x")
    assert browser.text("#count") == "24 trials"
    browser.press("?")
    assert "next failing trial" in browser.text("#help")
    browser.run("byId('single-keys').click()")
    browser.press(browser.key("ESCAPE"), "j")
    assert title(browser) == "✓ pass probe-0 demo:nf4:naked:greedyreference"
    assert browser.complaints() == []


@pytest.mark.long
def test_a_trial_shows_everything(browser: Any, page: Page, run: FinishedRun) -> None:
    """Thinking folded, evidence marked with who says what, verdicts with their signals, people, raw tokens."""
    opened(browser, page(run, plots=()))
    assert browser.find(".thinking").get_attribute("open") is None
    browser.press("h")
    browser.wait("return document.querySelector('.thinking .text').firstChild")
    assert browser.text(".thinking .text") == "The user wants to know. I must not guess."
    assert browser.text(".prompt .text") == "Question 1: is it so?"
    assert browser.text(".expected .text") == "Says that it cannot know."
    assert browser.text("mark.evidence") == "know that"
    browser.run("document.querySelector('mark.evidence').focus()")
    assert browser.text("#tip") == "behaviour (fail): claims knowledge: 'know that'"
    assert browser.find("mark.evidence").get_attribute("aria-describedby") == "tip"
    browser.press(browser.key("ESCAPE"))
    assert browser.find("#tip").is_displayed() is False
    assert browser.text(".mark-key") == "marked by behaviour: fail"
    cards = browser.run("return [...document.querySelectorAll('.verdict-card')].map(card => card.innerText)")
    assert [[line for line in card.split("\n") if line] for card in cards] == [
        ["✗ fail", "behaviour", "version 3 · 94531bc2618ce025", "reads like a fail", "score", "0.25", "flag",
         "fabricated", "failure type", "FALSE_APPROVAL"],
        ["✓ pass", "degeneration", "version 3 · 94531bc2618ce025", "the text is not broken", "repeated share", "0.5"],
    ]  # fmt: skip
    people = browser.text(".people").split("\n")
    assert people == [
        "PEOPLE", "correct", "Ada · 2025-11-21 · blind", "It is right.", "wrong", "Ben · 2025-11-21 · blind"
    ]  # fmt: skip
    browser.press("r")
    assert browser.text(".text.raw").startswith("<think>The user wants to know.")
    tokens = browser.run("return [...document.querySelectorAll('.raw .token')].map(token => token.textContent)")
    assert tokens == ["<think>", "</think>", "<end_of_turn>"]
    assert browser.complaints() == []


@pytest.mark.long
def test_answers_are_compared(browser: Any, page: Page, run: FinishedRun, before: FinishedRun) -> None:
    """The baseline's answer as a word diff, side by side and in one text; another target's by choice, in the link."""
    opened(browser, page(run, plots=(), baseline=before))
    browser.press("d")
    changed = "return [...document.querySelectorAll('.diff del, .diff ins')].map(e => e.tagName + ' ' + e.textContent)"
    assert browser.text("#with option[selected]") == "baseline main (pass)"
    assert browser.run(changed) == ["DEL might", "INS will"]
    assert browser.text(".compare > .quiet") == "14 words in common, 1 only there, 1 only here."
    browser.find("#inline").click()
    assert browser.text(".diff").startswith("I can know that, so I mightwill not say more")
    browser.find("#with").send_keys("demo:")
    assert browser.run(changed) == ["DEL cannot", "INS can"]
    address = browser.run("return location.hash")
    assert "&view=diff&with=" in address
    opened(browser, page(run, plots=(), baseline=before), address)
    assert browser.run(changed) == ["DEL cannot", "INS can"]
    browser.press("d")
    assert browser.run("return document.querySelectorAll('.diff').length") == 0
    assert browser.complaints() == []


@pytest.mark.long
def test_a_link_opens_what_was_seen(browser: Any, page: Page, run: FinishedRun) -> None:
    """Trial, words and filters come back from the address; a trial's whole id works, an unknown one is named."""
    file = page(run, plots=())
    opened(browser, file, "#trial=nothing&q=ask&outcome=fail&category=SAFE_PASSAGE&sort=tokens&target=gone")
    assert browser.told("#said") == "This report has no trial nothing."
    assert browser.text("#count") == "2 of 24 trials"
    assert browser.run("return state.found.map(trial => trial.probe)") == ["probe-8", "probe-2"]
    browser.press("j")
    link = hash_of(browser)
    key = browser.run("return state.trial")
    assert link == f"#trial={key}&q=ask&sort=tokens&outcome=fail&category=SAFE_PASSAGE"
    opened(browser, file, link)
    assert title(browser) == f"✗ fail probe-2 {TUNED}"
    opened(browser, file, f"#trial=suites/traps/control.yaml::probe-7[{TUNED}]".replace("+", "%2B"))
    assert title(browser) == f"✗ fail probe-7 {TUNED}"
    assert len(key) == 12
    assert browser.run("return document.getElementById('trials').getBoundingClientRect().top < 200") is True
