"""What report.html does beside reading: copying, and where there is little: an old browser, no trials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.reporting.finished import FinishedRun

pytestmark = [pytest.mark.slow, pytest.mark.long]
Page = Callable[..., Path]
TUNED = "demo+steady:nf4:naked:greedy"
READY = "return performance.getEntriesByName('evalkit-ready').length > 0"


@pytest.fixture
def run(usual: Any, finish: Callable[..., FinishedRun]) -> FinishedRun:
    """The usual run."""
    return finish(usual)


def test_the_command_is_copied(browser: Any, page: Page, run: FinishedRun) -> None:
    """The command that runs exactly this trial again, with the targets the run was given; the link as well."""
    browser.open(page(run, plots=()))
    browser.wait(READY)
    command = f"pytest 'suites/traps/control.yaml::probe-1[{TUNED}]' --eval-target 'demo*'"
    assert browser.text(".again code") == command
    browser.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]})
    browser.press("j", "k", "c")
    browser.wait("return byId('said').textContent === 'The command is copied.'")
    read = "const done = arguments[0]; navigator.clipboard.readText().then(done, error => done(String(error)))"
    assert browser.driver.execute_async_script(read) == command
    browser.find("#copy-link").click()
    browser.wait("return byId('said').textContent === 'The link is copied.'")
    assert browser.driver.execute_async_script(read) == browser.run("return location.href")


def test_old_browsers_keep_the_static_part(browser: Any, page: Page, run: FinishedRun) -> None:
    """Where the trials cannot be unpacked the page says so and keeps verdict and tables."""
    file = page(run, plots=())
    source = "delete window.DecompressionStream"
    browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    browser.open(file)
    browser.wait("return byId('loading').textContent.includes('cannot')")

    assert browser.text("#loading") == (
        "The trials cannot be unpacked here (DecompressionStream is not defined). A browser of 2023 or later can; "
        "verdict, tables and plots are whole, and results.jsonl holds every trial."
    )
    assert browser.text(".word").endswith("FAILED")
    assert browser.complaints() == []


def test_a_run_without_trials_says_so(browser: Any, page: Page, finish: Callable[..., FinishedRun]) -> None:
    """Nothing breaks where nothing was run."""
    browser.open(page(finish([], status=5)))
    browser.wait(READY)

    assert browser.text("#count") == "0 trials"
    assert browser.text("#none") == "This run has no trials."
    assert browser.complaints() == []
