"""How review.html looks and sounds, and what hostile answers do to it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.review import ReviewItem
from evalkit.sheets import write_sheets

pytestmark = pytest.mark.slow
Item = Callable[..., ReviewItem]


@pytest.fixture
def page(tmp_path: Path, items: list[ReviewItem]) -> Path:
    """The page of thirty items."""
    return written(tmp_path, items)


def written(folder: Path, items: list[ReviewItem], title: str = "Run 7f3a") -> Path:
    return write_sheets(folder, items, title=title, formats=["html"])[0]


def test_a_hostile_answer_does_nothing(browser: Any, tmp_path: Path, item: Item) -> None:
    """Markup, scripts, NUL, bidi and ANSI codes and lone surrogates are shown as text, and what is unseen is named."""
    answer = (
        "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> <!-- <b>b</b> "
        "\x1b[31mred \u202eabc\u202c NUL\x00\x00 lone \ud800. {{1}} ${1} @@DATA@@ \U000e0041 👩‍👧"
    )
    hostile = item(1, answer, category="<b>c</b>", expected="<i>e</i>", probe="</script>", language='"><script>')
    browser.begin(written(tmp_path, [hostile], title="</title><script>document.title='owned'</script>"))

    assert browser.driver.title == "</title><script>document.title='owned'</script>"
    assert browser.text("#title") == "</title><script>document.title='owned'</script>"
    assert browser.text("#answer") == (
        "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> <!-- <b>b</b> "
        "U+001B[31mred U+202EabcU+202C NULU+0000 ×2 lone U+D800. {{1}} ${1} @@DATA@@ U+E0041 👩‍👧"
    )
    assert browser.text("#expected") == "<i>e</i>"
    assert browser.run("return document.querySelectorAll('#reading img, #reading script, #reading b').length") == 0
    assert browser.complaints() == []


def test_the_page_loads_nothing(browser: Any, page: Path) -> None:
    """No request leaves the page, and what would try is stopped by the page's own policy."""
    browser.begin(page)
    before = browser.run("return performance.getEntriesByType('resource').length")
    browser.run("const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i)")
    browser.run(
        "const s = document.createElement('script'); s.textContent = 'document.title = 1'; document.body.append(s)"
    )

    assert before == 0
    assert browser.driver.title == "Run 7f3a"
    assert len([words for words in browser.complaints() if "Content Security Policy" in words]) == 2


@pytest.mark.parametrize(
    "answer", ["x" * 1_000_000, "w " * 500_000, "\x00a" * 300_000], ids=["line", "words", "unseen"]
)
def test_a_long_answer_is_shown_by_its_ends(browser: Any, tmp_path: Path, item: Item, answer: str) -> None:
    """A megabyte opens at once with head and tail; all of it is one button away."""
    browser.begin(written(tmp_path, [item(1, answer)]))
    short = len(browser.run("return document.getElementById('answer').textContent"))
    words = browser.text(".more")
    browser.run("document.querySelector('.more').click()")
    whole = len(browser.run("return document.getElementById('answer').textContent"))

    assert short < 100_000
    assert words == f"Show the {len(answer) - 18_000:,} characters in between"
    assert whole >= len(answer)


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_width(browser: Any, tmp_path: Path, item: Item, width: int, scheme: str) -> None:
    """Nothing is wider than the window, before and after judging and when all is done, in both schemes."""
    long = item(1, "unbroken" * 200, category="c" * 90, target="t" * 300, thinking="hm", expected="e" * 300)
    browser.resize(width, 844, scheme=scheme, is_phone=width < 800)
    browser.begin(written(tmp_path, [long, item(2)], title="T" * 200), "N" * 80)
    widths = []
    for keys in ("", "2", "r", "h", "1"):
        browser.press(*keys)
        widths.append(browser.run("return document.documentElement.scrollWidth"))

    assert widths == [width] * 5


def test_colours_follow_the_system_and_the_switch(browser: Any, page: Path) -> None:
    """Dark where the system is dark; the switch goes on to light and dark, and is kept."""
    dark, light = "rgb(16, 19, 23)", "rgb(244, 245, 247)"
    colour = "return getComputedStyle(document.body).backgroundColor"
    browser.resize(1360, 850, scheme="dark")
    browser.begin(page)
    seen = [browser.run(colour)]
    for _ in range(2):
        browser.find("#theme").click()
        seen.append(browser.run(colour))
    browser.reload_until("#open-name", "Ada")

    assert seen == [dark, light, dark]
    assert browser.find("#theme").get_attribute("aria-label") == "Colours: Dark. Change"


def test_text_has_contrast_in_both_schemes(browser: Any, page: Path) -> None:
    """Every text that is seen stands out by 4.5 to 1 or more (WCAG 2.2 AA)."""
    poor = {}
    for scheme in ("light", "dark"):
        browser.resize(1360, 850, scheme=scheme)
        browser.begin(page) if scheme == "light" else browser.open(page)
        browser.press("1", browser.key("ARROW_LEFT"))
        poor[scheme] = browser.run(CONTRAST)
        browser.press("u")

    assert poor == {"light": [], "dark": []}


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
const seen = [...document.querySelectorAll('body *')].filter(node => node.offsetParent && !node.closest(':disabled'));
return seen.filter(holdsText).map(node => {
  const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
  const where = node.tagName + '.' + node.className + ' ' + node.textContent.slice(0, 20);
  return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), where];
}).filter(([ratio]) => ratio < 4.5).map(([ratio, where]) => `${ratio.toFixed(2)} ${where}`);
"""


def test_a_screen_reader_is_told(browser: Any, page: Path) -> None:
    """Every control has a name, a pressed label says so, the live region tells what was done, headings are in order."""
    browser.begin(page)
    browser.press("1")
    said = browser.told("#status")
    browser.press(browser.key("ARROW_LEFT"))
    nameless = browser.run(
        "return [...document.querySelectorAll('button, input, textarea, a, summary')].filter(node => node.offsetParent"
        " && !(node.getAttribute('aria-label') || node.textContent.trim() || node.labels?.length)).map(node => node.id)"
    )

    assert said == "Item 1: correct."
    assert nameless == []
    assert browser.find("[data-label=correct]").get_attribute("aria-pressed") == "true"
    assert browser.find("#status").get_attribute("aria-live") == "polite"
    assert browser.run("return document.activeElement.id") == "heading"
    assert browser.run("return [...document.querySelectorAll('main, header, aside, nav')].length") == 4
    levels = browser.run(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].filter(node => node.offsetParent)"
        ".map(node => +node.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_it_prints_every_item(browser: Any, page: Path) -> None:
    """On paper stand all the items with boxes to tick, and neither model nor verdict."""
    browser.begin(page)
    browser.press("1")
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    paper = browser.text("body")

    assert paper.count("Note: ____") == 30
    assert paper.count("☒ correct") == 1
    assert "gemma-secret" not in paper


def test_an_empty_queue_says_so(browser: Any, tmp_path: Path) -> None:
    """There is nothing to judge, and nothing breaks."""
    browser.open(written(tmp_path, []))

    assert browser.text("#done") == "There is nothing to review."
    assert browser.complaints() == []
