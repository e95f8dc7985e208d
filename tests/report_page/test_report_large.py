"""Five thousand trials, and three hundred on four targets: sizes, and times that are printed and not asserted."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.record import TrialRecord
from evalkit.reporting.exports import TrialTexts
from evalkit.reporting.finished import FinishedRun
from evalkit.transcript import Answer

pytestmark = [pytest.mark.slow, pytest.mark.long]
Finish = Callable[..., FinishedRun]
Page = Callable[..., Path]
TARGETS = ("demo:nf4:naked:greedy", *(f"demo+step{step}:nf4:naked:greedy" for step in (100, 200, 300)))
ACTS = (
    *(f"byId('search').value = '{words}'; byId('search').dispatchEvent(new Event('input'))"
      for words in ("t", "th", "the", "the gate", "zzzz", "")),
    *(f"const facet = FACETS.filter(facet => facet.tells)[{place}]; toggle(facet, facet.values[0])"
      for place in (0, 0, 1, 1, 2, 2, 3, 3)),
    "byId('sort').value = 'longest'; byId('sort').dispatchEvent(new Event('change'))",
)  # fmt: skip
NEXT_FRAME = "const done = arguments[0]; requestAnimationFrame(() => setTimeout(done))"


def cpu_ms(browser: Any) -> float:
    """What the page's main thread has worked so far."""
    metrics = browser.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return 1000 * float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def filtering(browser: Any) -> list[float]:
    """Milliseconds of CPU for every act, from the event until it is painted."""
    found = []
    for act in ACTS:
        before = cpu_ms(browser)
        browser.run(act)
        browser.driver.execute_async_script(NEXT_FRAME)
        found.append(cpu_ms(browser) - before)
    return sorted(found)


def prose(draw: random.Random, words: list[str], count: int) -> str:
    return " ".join(draw.choices(words, k=count))


def large(probes: int, make_record: Callable[..., TrialRecord], make_verdict: Callable[..., Any]) -> list[Any]:
    """So many probes on four targets, an answer of 220 words after 250 of thinking each."""
    draw = random.Random(1)
    words = [word for file in (Path(__file__).parents[2] / "docs").glob("*.md") for word in file.read_text().split()]
    pairs = []
    for number in range(probes):
        asked, expected = prose(draw, words, 60), prose(draw, words, 25)
        for target in TARGETS:
            outcome = draw.choice(("pass", "pass", "fail", "unscored"))
            thinking, said = prose(draw, words, 250), prose(draw, words, 220)
            text = f"<think>{thinking}</think>{said}"
            answer = Answer(text, said, thinking, len(text) - len(said), f"{text}<end_of_turn>")
            spans = [{"start": len(text) - 20, "end": len(text) - 5, "why": "reads so", "answer": 0}]
            verdicts = (
                make_verdict(outcome, reason=prose(draw, words, 8), spans=spans),
                make_verdict("pass", judge="form"),
            )
            one = make_record(
                number, target, outcome, reason=verdicts[0]["reason"], expected=expected, verdicts=verdicts
            )
            pairs.append((one, TrialTexts((("user", asked), ("assistant", said)), (answer,))))
    return pairs


def test_three_hundred_probes_on_four_targets_stay_small(
    page: Page, finish: Finish, make_record: Callable[..., TrialRecord], make_verdict: Callable[..., Any]
) -> None:
    """1,200 trials with thinking take under 5 MB, plots included."""
    file = page(finish(large(300, make_record, make_verdict), targets=TARGETS))

    print(f"\n1,200 trials: {file.stat().st_size / 1e6:.2f} MB")
    assert file.stat().st_size < 5_000_000


def test_five_thousand_trials_are_read_at_once(
    browser: Any, page: Page, finish: Finish, make_record: Callable[..., TrialRecord], make_verdict: Callable[..., Any]
) -> None:
    """The page opens and filters; few rows exist; how long it takes is printed."""
    run = finish(large(1250, make_record, make_verdict), targets=TARGETS)
    begun = time.process_time()
    file = page(run)
    written_s = time.process_time() - begun
    browser.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    browser.open(file)
    browser.wait("return performance.getEntriesByName('evalkit-ready').length > 0")
    opening = cpu_ms(browser)
    paint = browser.run("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    ready = browser.run("return performance.getEntriesByName('evalkit-ready')[0].startTime")
    browser.run("prepareSearch()")
    cpu = filtering(browser)
    own = sorted(browser.run("return performance.getEntriesByName('evalkit-filter').map(entry => entry.duration)"))

    print(
        f"\n5,000 trials: written in {written_s:.1f} CPU s, {file.stat().st_size / 1e6:.1f} MB; first paint after "
        f"{paint or 0:.0f} ms, trials there after {ready:.0f} ms ({opening:.0f} ms of CPU)\n{len(own)} filters: median "
        f"{own[len(own) // 2]:.0f} ms, slowest {own[-1]:.0f} ms; of CPU, painting included, median "
        f"{cpu[len(cpu) // 2]:.0f} ms, slowest {cpu[-1]:.0f} ms"
    )
    assert browser.text("#count") == "5,000 trials"
    assert browser.run("return byId('rows').children.length") < 60
    browser.run("byId('list').scrollTop = 1e9")
    browser.wait("return byId('rows').lastChild.ariaPosInSet === '5000'")
    assert browser.complaints() == []
