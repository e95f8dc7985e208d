"""Hostile answers in a real browser: no script runs, nothing is fetched, no element of theirs comes to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import HostileRun

pytestmark = [pytest.mark.slow, pytest.mark.long]

WATCH = """
window.added = [];
new MutationObserver(changes => {
  for (const change of changes) for (const node of change.addedNodes) if (node.nodeType === 1)
    for (const one of [node, ...node.querySelectorAll("*")]) window.added.push(one.localName);
}).observe(document, { childList: true, subtree: true });
"""
FOREIGN = """
const bad = ["iframe", "img", "object", "embed", "base", "link", "audio", "video", "evil", "b", "frame", "applet"];
const found = [...document.querySelectorAll(bad.join(","))].map(one => one.outerHTML.slice(0, 200));
for (const one of document.querySelectorAll("*")) for (const name of one.getAttributeNames())
  if (name.startsWith("on") || (["href", "src", "action", "formaction", "srcdoc", "xlink:href"].includes(name)
      && !/^(#|blob:|data:image\\/svg)/.test(one.getAttribute(name)) && !one.closest("form[method=dialog]")))
    found.push(`${one.localName} ${name}=${one.getAttribute(name).slice(0, 100)}`);
return found;
"""
HARMLESS = """
return { hit: window.hit, dialogs: window.dialogs, scripts: document.scripts.length, title: document.title,
         fetched: performance.getEntriesByType("resource").map(one => one.name) };
"""
INVISIBLE = r"[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069]"


def open_watched(browser: Any, page: Any) -> None:
    """With every dialog counted, whatever opens it."""
    source = "window.dialogs = 0; for (const n of ['alert', 'confirm', 'prompt', 'open']) window[n] = () => dialogs++;"
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source + WATCH})
    browser.open(page)


def still_harmless(browser: Any) -> None:
    found = browser.run(HARMLESS)
    assert (found["hit"], found["dialogs"], found["fetched"]) == (None, 0, [])
    assert browser.run(FOREIGN) == []


def test_the_report(hostile: HostileRun, browser: Any, payloads: Mapping[str, str]) -> None:
    """Every trial is opened, searched for and compared; all its texts are there to read, and are nothing but text."""
    open_watched(browser, hostile.out / "report.html")
    browser.wait("return performance.getEntriesByName('evalkit-ready').length > 0")
    scripts = browser.run(HARMLESS)["scripts"]
    keys = browser.run("return [...report.byKey.keys()]")
    still_harmless(browser)
    browser.run("window.added.length = 0")

    assert len(keys) == 4 * len(payloads) - 2
    for key in keys:
        browser.run("openTrial(report.byKey.get(arguments[0])); for (const one of"
                    " document.querySelectorAll('#trial details, #trial button[aria-expanded=false]'))"
                    " one.open === false ? (one.open = true) : one.click?.()", key)  # fmt: skip
        still_harmless(browser)
        shown = browser.run("return document.getElementById('trial').innerText")
        assert not browser.run(f"return /{INVISIBLE}/.test(document.getElementById('trial').textContent)"), key
        assert len(shown) > 20, key
    for query in ("<script>", "</script>", "evil", '"', "\\", "[", "$x_1$"):
        browser.run("const box = document.getElementById('search'); box.value = arguments[0];"
                    " box.dispatchEvent(new Event('input', { bubbles: true }))", query)  # fmt: skip
        still_harmless(browser)
    assert browser.run(HARMLESS)["scripts"] == scripts
    added = set(browser.run("return window.added"))
    assert "section" in added
    assert not added & {"script", "iframe", "img", "object", "embed", "svg", "style", "form", "evil", "b", "link"}
    assert browser.complaints() == []


def test_the_review_page(hostile: HostileRun, browser: Any, payloads: Mapping[str, str]) -> None:
    """Every answer is read in turn."""
    (folder,) = (hostile.root / "reports" / "review").iterdir()
    open_watched(browser, folder / "review.html")
    browser.press("Ada", browser.key("ENTER"))
    scripts = browser.run(HARMLESS)["scripts"]

    for _ in range(3 * len(payloads) - 2):
        still_harmless(browser)
        assert not browser.run(f"return /{INVISIBLE}/.test(document.body.innerText)")
        browser.press("j")
    assert browser.run(HARMLESS)["scripts"] == scripts
    assert browser.complaints() == []
