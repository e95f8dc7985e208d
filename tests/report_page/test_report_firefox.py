"""report.html in a second browser engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.reporting.finished import FinishedRun

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_firefox_reads_it_as_well(
    firefox: Any, page: Callable[..., Path], usual: Any, finish: Callable[..., FinishedRun]
) -> None:
    """Trials are unpacked, searched, walked by keys, compared and linked; the address brings a trial back."""
    file = page(finish(usual), baseline=finish(usual, run_id="main"))
    firefox.resize(1360, 850)
    firefox.open(file)
    firefox.run(
        "(window.failed = [], window.addEventListener('error', event => window.failed.push(event.message)),"
        " window.addEventListener('securitypolicyviolation', event => window.failed.push(event.violatedDirective)), 1)"
    )
    until_there(firefox)
    firefox.press("j", "o")
    opened = firefox.text("#trial-name"), firefox.text(".target-line")
    firefox.press("d")
    compared = firefox.text(".compare > .quiet")
    firefox.press("/", '"ask 7 people"')
    count = firefox.text("#count")
    address = firefox.run("location.hash")
    firefox.reload()
    until_there(firefox)

    assert opened == ("✗ fail probe-2", "demo+steady:nf4:naked:greedy")
    assert compared == "Both answers are the same."
    assert count == "2 of 24 trials"
    assert "&q=%22ask+7+people%22&view=diff" in address
    assert firefox.text("#trial-name") == "✗ fail probe-2"
    assert firefox.run("document.documentElement.scrollWidth") <= 1360
    assert firefox.run("window.failed || []") == []


def until_there(firefox: Any) -> None:
    firefox._awaited(lambda: firefox.run("performance.getEntriesByName('evalkit-ready').length > 0") or None)
