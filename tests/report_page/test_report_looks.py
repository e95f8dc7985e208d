"""How report.html looks: widths, colours, paper, and what a screen reader is told."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.record import TrialRecord
from evalkit.reporting.finished import FinishedRun

pytestmark = [pytest.mark.slow, pytest.mark.long]
Finish = Callable[..., FinishedRun]
Page = Callable[..., Path]
READY = "return performance.getEntriesByName('evalkit-ready').length > 0"
LONG = "unbroken_" * 30

CONTRAST = """
const channel = value => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const parse = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const behind = node => {
  for (; node; node = node.parentElement) {
    const colour = parse(getComputedStyle(node).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const holdsText = node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
const seen = [...document.querySelectorAll('body *')].filter(node => node.checkVisibility() && node.id !== 'said');
return seen.filter(node => holdsText(node) && !node.closest('.aside, option, svg, caption')).map(node => {
  const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
  const where = node.tagName + '.' + node.className + ' ' + node.textContent.slice(0, 20);
  return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), where];
}).filter(([ratio]) => ratio < 4.5).map(([ratio, where]) => `${ratio.toFixed(2)} ${where}`);
"""


def opened(browser: Any, file: Path) -> None:
    browser.driver.get("about:blank")
    browser.open(file)
    browser.wait(READY)


@pytest.fixture
def wide_run(
    usual: Any, finish: Finish, gates: Any, make_record: Callable[..., TrialRecord], make_texts: Callable[..., Any]
) -> FinishedRun:
    """The usual run with a trial whose every name is long."""
    names = {"category": LONG, "subcategory": LONG, "reason": LONG, "expected": LONG, "tags": (LONG,), "flags": (LONG,)}
    one = make_record(20, f"{LONG}:nf4:naked:greedy", "fail", probe=LONG, file=f"suites/{LONG}.yaml", **names)
    targets = ("demo:nf4:naked:greedy", "demo+steady:nf4:naked:greedy", one.target)
    return finish([*usual, (one, make_texts(20, LONG))], targets=targets, gates=gates, notes=(LONG,), is_demo=True)


def test_it_fits_every_width_in_both_schemes(browser: Any, page: Page, wide_run: FinishedRun) -> None:
    """Nothing is wider than the window, and every text stands out by 4.5 to 1, in list, trial, comparison and help."""
    file = page(wide_run)
    steps = (
        "openTrial(report.trials.find(trial => trial.probe.startsWith('unbroken')))", "setView('raw')",
        "openTrial(report.trials[3]); setView('diff')", "setView('answer')",
        "chosenIn(FACETS[0]).add('fail'); refilter()",
        "state.query = 'know'; refilter(); byId('more-filters').click()",
        "for (const fold of document.querySelectorAll('details')) fold.open = true", "showHelp()",
    )  # fmt: skip
    too_wide, poor = [], []
    for width, scheme in itertools.product((320, 390, 768, 1024, 1440), ("light", "dark")):
        browser.resize(width, 844, scheme=scheme, is_phone=width < 800)
        opened(browser, file)
        for step in ("", *steps):
            browser.run(step)
            found = browser.run("return document.documentElement.scrollWidth")
            too_wide += [(width, step, found)] if found != width else []
            poor += browser.run(CONTRAST) if width in (390, 1440) else []

    assert too_wide == []
    assert poor == []
    assert browser.complaints() == []


def test_a_phone_reads_a_trial_on_its_own(browser: Any, page: Page, usual: Any, finish: Finish) -> None:
    """A tap opens the trial over the whole screen; the button and the browser's back lead to the list again."""
    browser.resize(390, 844, is_phone=True)
    opened(browser, page(finish(usual), plots=()))
    assert browser.find("#trial").is_displayed() is False
    assert browser.find("#facets").is_displayed() is False
    browser.find("#more-filters").click()
    assert browser.find("#facets").is_displayed() is True
    browser.find("#more-filters").click()
    browser.run("document.querySelectorAll('.item')[3].click()")
    box = browser.run(
        "const box = byId('trial').getBoundingClientRect(); return [box.top, box.left, box.width, box.height]"
    )
    assert box == [0, 0, 390, 844]
    browser.driver.back()
    browser.wait("return !document.body.classList.contains('reading')")
    assert browser.run("return location.hash") == ""
    browser.run("document.querySelectorAll('.item')[3].click()")
    browser.find("#back").click()
    browser.wait("return !document.body.classList.contains('reading')")
    assert browser.find("#list").is_displayed() is True
    assert browser.complaints() == []


def test_colours_follow_the_system_and_the_switch(browser: Any, page: Page, usual: Any, finish: Finish) -> None:
    """Dark where the system is dark; t goes on to light and dark, plots with it, and it is kept without a flash."""
    colours = (
        "return [getComputedStyle(document.body).backgroundColor,"
        " getComputedStyle(document.querySelector('.plot .f-ink')).fill]"
    )
    light, dark = ["rgb(244, 245, 247)", "rgb(31, 35, 40)"], ["rgb(16, 19, 23)", "rgb(230, 237, 243)"]
    browser.resize(1360, 850, scheme="dark")
    opened(browser, page(finish(usual)))
    seen = [browser.run(colours)]
    browser.press("t")
    seen.append(browser.run(colours))
    browser.find("#theme").click()
    seen.append(browser.run(colours))
    said = browser.told("#said")
    browser.resize(1360, 850, scheme="light")
    browser.driver.refresh()
    seen.append(browser.run(colours))

    assert seen == [dark, light, dark, dark]
    assert said == "Colours: dark."


def test_it_prints_verdict_tables_plots_and_failing_trials(
    browser: Any, page: Page, usual: Any, finish: Finish
) -> None:
    """On paper stand all tables, opened, in light colours, and every failing trial of subjects; no controls."""
    browser.resize(1360, 850, scheme="dark")
    opened(browser, page(finish(usual)))
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    paper = browser.text("body")
    background = browser.run("return getComputedStyle(document.body).backgroundColor")
    browser.run("window.dispatchEvent(new Event('afterprint'))")
    left = browser.run("return byId('paper').childNodes.length")
    pdf = base64.b64decode(browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])

    assert background == "rgb(255, 255, 255)"
    assert "Failing trials: 4" in paper
    assert paper.count("Question ") == 4
    assert "probe-1 on demo+steady:nf4:naked:greedy" in paper
    assert "If all unscored had failed" in paper
    assert "Search" not in paper
    assert left == 0
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 20_000


def test_it_reads_without_a_script(browser: Any, page: Page, usual: Any, finish: Finish) -> None:
    """Verdict, tables and plots are there, nothing promises what does not work, and a sentence says what is missing."""
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.open(page(finish(usual)))
    text = browser.text("body")
    plot = browser.find(".plot-wide").is_displayed()
    shown = [browser.find(css).is_displayed() for css in ("#theme", "#open-help", "#controls", "#panes", "#loading")]

    assert "FAILED" in text
    assert "40.0 % 4/10" in text
    assert "The 24 trials need JavaScript" in text
    assert plot is True
    assert shown == [False] * 5


def test_a_screen_reader_is_told(browser: Any, page: Page, usual: Any, finish: Finish) -> None:
    """Landmarks, names of every control, headings in order, live counts, and the trial that was opened."""
    opened(browser, page(finish(usual)))
    browser.press("j")
    nameless = browser.run(
        "return [...document.querySelectorAll('button, input, select, a, summary, [role], section')]"
        ".filter(node => node.checkVisibility() && node.getAttribute('role') !== 'presentation' && "
        "!(node.getAttribute('aria-label') || node.getAttribute('aria-labelledby') || node.textContent.trim()"
        " || node.labels?.length)).map(node => node.outerHTML.slice(0, 80))"
    )
    levels = browser.run(
        "return [...document.querySelectorAll('h1,h2,h3,h4,h5')].filter(node => node.checkVisibility())"
        ".map(node => +node.tagName[1])"
    )

    assert [name for name in nameless if 'id="said"' not in name] == []
    assert browser.run("return ['header', 'nav', 'main'].map(tag => document.querySelectorAll(tag).length)")[1:] == [
        1,
        1,
    ]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert browser.run("return byId('told').textContent") == "probe-2 on demo:nf4:naked:greedy: pass, 5 of 24."
    assert browser.find("#count").get_attribute("aria-live") == "polite"
    rows = browser.run(
        "return [...byId('rows').children].map(r => [r.getAttribute('role'), r.ariaSetSize, r.ariaPosInSet])"
    )
    assert rows[0] == ["option", "24", "1"]
    assert (
        browser.find(f"#{browser.find('#list').get_attribute('aria-activedescendant')}").get_attribute("aria-selected")
        == "true"
    )
