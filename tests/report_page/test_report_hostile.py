"""What hostile texts do to report.html: nothing, and one sees them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.record import TrialRecord
from evalkit.reporting.finished import FinishedRun

HOSTILE = (
    "</script><script>window.hit=1</script><img src=x onerror='window.hit=2'> <!-- ]]> <b>b</b> @@DATA@@ "
    "\x1b[31mred \u202eabc\u202c NUL\x00\x00 lone \ud800. <|im_end|> \U000e0041 {{1}} ${1} </noscript></style>"
)
SHOWN = (
    "</script><script>window.hit=1</script><img src=x onerror='window.hit=2'> <!-- ]]> <b>b</b> @@DATA@@ "
    "U+001B[31mred U+202EabcU+202C NULU+0000 ×2 lone U+D800. <|im_end|> U+E0041 {{1}} ${1} </noscript></style>"
)
UNSEEN = r"""
const nodes = [...document.querySelectorAll('body *:not(script)')], bad = /[\u0000\u001b\u202e]|\p{Cs}/u;
const own = node => [...node.childNodes].filter(child => child.nodeType === 3).map(child => child.data);
const names = nodes.map(node => node.getAttribute('aria-label') || '');
return [...nodes.flatMap(own), ...names].filter(text => bad.test(text)).map(text => text.slice(0, 40).toWellFormed());
"""
Finish = Callable[..., FinishedRun]
Page = Callable[..., Path]


@pytest.mark.slow
def test_hostile_texts_do_nothing_and_are_seen(
    browser: Any, page: Page, finish: Finish, make_record: Callable[..., TrialRecord], make_texts: Callable[..., Any],
    make_verdict: Callable[..., Any],
) -> None:  # fmt: skip
    """In prompt, answer, thinking, reason, names, labels, gates and notes, markup is text and the unseen has a name."""
    spans = [{"start": 0, "end": 30, "why": HOSTILE, "answer": 0}]
    verdicts = (make_verdict(
        "fail", judge=HOSTILE[:60], reason=HOSTILE, flags=[HOSTILE], labels={HOSTILE: HOSTILE}, signals={HOSTILE: 1.5},
        spans=spans, judge_version=HOSTILE,
    ),)  # fmt: skip
    one = make_record(
        1, HOSTILE, "fail", probe=HOSTILE, category=HOSTILE, subcategory=HOSTILE, reason=HOSTILE, expected=HOSTILE,
        tags=(HOSTILE,), flags=(HOSTILE,), language='"><script>', verdicts=verdicts, role="subject",
    )  # fmt: skip
    own = make_texts(1, HOSTILE, HOSTILE)
    own = type(own)((("user", HOSTILE), ("system", HOSTILE), *own.messages[1:]), own.answers, {}, "h")
    run = finish([(one, own)], targets=(HOSTILE,), run_id=HOSTILE, notes=(HOSTILE,), plans=(HOSTILE,), command=HOSTILE)
    browser.open(page(run, plots=()))
    browser.wait("return performance.getEntriesByName('evalkit-ready').length > 0")
    browser.run("for (const fold of document.querySelectorAll('details')) fold.open = true")
    browser.wait("return document.querySelector('.thinking .text').firstChild")
    own_text = browser.run("return document.querySelector('.text.own').textContent")
    thinking = browser.run("return document.querySelector('.thinking .text').textContent")
    browser.run("document.querySelector('mark.evidence').focus()")
    tip = browser.text("#tip")
    title = browser.driver.title
    browser.press("d", "r")
    raw = browser.run("return document.querySelector('.text.raw').textContent")
    browser.run("byId('search').value = '<script>'; byId('search').dispatchEvent(new Event('input'))")

    assert own_text == SHOWN
    assert thinking == SHOWN
    assert raw == f"<think>{SHOWN}</think>{SHOWN}<end_of_turn>"
    assert (
        "onerror='window.hit=2'> <!-- ]]> <b>b</b> @@DATA@@ [U+001B][31mred [U+202E]abc[U+202C] NUL[U+0000 ×2] lo"
        in tip
    )
    assert title.startswith("FAILED </script><script>window.hit=1</script>")
    assert browser.text("#count") == "1 trial"
    assert browser.run("return window.hit") is None
    assert browser.run("return document.querySelectorAll('main img, main script, main b, iframe').length") == 0
    assert browser.run("return document.querySelectorAll('.token').length") > 0
    assert browser.run(UNSEEN) == []
    assert browser.complaints() == []


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("text", ["mega" + "x" * 1_000_000, "w " * 500_000, "\x00a" * 300_000], ids=["x", "w", "nul"])
def test_a_megabyte_is_cut_and_one_button_away(
    browser: Any, page: Page, finish: Finish, make_record: Callable[..., TrialRecord], make_texts: Callable[..., Any],
    text: str,
) -> None:  # fmt: skip
    """The list shows a line of it, the trial its two ends, the button all; comparing and searching go on working."""
    pairs = [(make_record(1, target, "fail", reason=text), make_texts(1, text + target)) for target in ("a", "b")]
    browser.open(page(finish(pairs, targets=("a", "b")), plots=()))
    browser.wait("return performance.getEntriesByName('evalkit-ready').length > 0")
    snippet = browser.run("return document.querySelector('.snippet').textContent.length")
    short = browser.run("return document.querySelector('.text.own').textContent.length")
    words = browser.text(".text.own .more")
    browser.run("document.querySelector('.text.own .more').click()")
    whole = browser.run("return document.querySelector('.text.own').textContent.length")
    browser.press("d")
    compared = browser.text(".compare > .quiet")

    assert snippet < 300
    assert short < 100_000
    assert words == f"Show all: {len(text) + 1 - 18_000:,} more characters"
    assert whole >= len(text)
    assert compared == "Too long to compare word by word; both are shown."
    assert browser.complaints() == []
