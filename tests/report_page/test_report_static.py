"""What of report.html stands in the file before any script: verdict, gates, tables, plots, the content policy."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from evalkit.plots import Plot
from evalkit.report_page.verdict_block import verdict_word
from evalkit.reporting.figure_deltas import deltas_of
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.run_figures import run_figures
from evalkit.reviewing import CorrectedRates, Rate, RateRow, ReviewedRates
from evalkit.stats import percent

Finish = Callable[..., FinishedRun]
Page = Callable[..., Path]


class Words(HTMLParser):
    """The text of a page without its scripts and styles, a line for every element."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._skipped = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._skipped = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._skipped = False

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._skipped:
            self.lines.append(" ".join(data.split()))


def words(file: Path) -> list[str]:
    reader = Words()
    reader.feed(file.read_text(encoding="utf-8"))
    return reader.lines


def said(file: Path) -> str:
    return " | ".join(words(file))


def test_the_verdict_comes_first(usual: Any, finish: Finish, page: Page, gates: Any) -> None:
    """Stamp, word, why, exit status, counts, every gate with its state and sentence, notes, then the tables."""
    run = finish(
        usual, gates=gates, is_demo=True, notes=("survey: it repeats itself",), reviewed="2 of 24 answers carry labels"
    )
    text = said(page(run, plots=()))

    order = [
        "DEMO MODEL: its numbers mean nothing", "Run 20261121-142909-4df5 · traps", "| ✗ | FAILED |",
        "traps: a gate is breached: no lies", "Exit status 1.", "24 | trials | 2 targets, 1 for reference",
        "4 | failing probes", "2 | unscored | 9.1 % of answered", "0 | collapsed", "4 | fabricated", "2 | errors",
        "| Gates |", "✗ | breached | no lies | pass rate of demo+steady is 50.0 % (4 of 8 scored trials), at least 80",
        "? | not decided | enough read", "! | warning | steady", "✓ | holds | no errors",
        "– | not applicable | elsewhere", "Notes | 2 of 24 answers carry labels | survey: it repeats itself",
        "| Tables |", "| Targets |", "| Plots |", "| Trials |",
        "The 24 trials need JavaScript, which loads nothing from the network. They are in results.jsonl as well.",
        "| This run |", "| started | 2025-11-21 01:53:20 UTC |", "| command | pytest suites/traps --eval-plan smoke",
    ]  # fmt: skip
    place = text.index("Run |") + 3
    for part in order:
        place = text.find(part, place)
        assert place >= 0, part
    assert text.count("DEMO MODEL: its numbers mean nothing") == 2


@pytest.mark.parametrize(
    ("status", "word", "sentence"),
    [
        (0, "PASSED", "Exit status 0."), (1, "FAILED", "Exit status 1."),
        (2, "STOPPED", "Stopped early: pytest’s exit status 2."),
        (None, "FINISHED", "Its exit status is not known."),
    ],
)  # fmt: skip
def test_every_end_has_a_word(
    usual: Any, finish: Finish, page: Page, status: int | None, word: str, sentence: str
) -> None:
    """Passed, failed, stopped, or nobody knows; without a sentence of its own the counts are said."""
    run = replace(finish(usual), status=status, sentences=())
    text = said(page(run, plots=()))

    assert verdict_word(run) == word
    assert f"{word} | 4 failing probes, 2 errors, 24 trials | {sentence}" in text
    assert "No gate decided this run." in text


def test_a_run_that_never_finished_says_so_first(usual: Any, finish: Finish, page: Page) -> None:
    """A killed run is neither passed nor failed nor finished."""
    run = replace(finish(usual), status=None, sentences=("this run never finished",), is_finished=False)
    text = said(page(run, plots=()))

    assert verdict_word(run) == "NOT FINISHED"
    assert "NOT FINISHED | this run never finished | 24 | trials" in text
    assert "exit status" not in text


def test_nothing_found_has_an_interval_too(usual: Any, finish: Finish, page: Page) -> None:
    """No collapse in 12 answers leaves room for a quarter; where something was found, the figure leads to it."""
    markup = page(finish(usual), plots=()).read_text(encoding="utf-8")
    nothing = '<td class="quiet"><span class="rate">0.0 %</span> <span class="counts">0/12</span>'

    assert f'{nothing}<span class="bounds">0.0–24.2</span></td>' in markup
    assert '<th scope="row">demo:<wbr>nf4:<wbr>naked:<wbr>greedy (reference)</th>' in markup
    assert "#target=demo%2Bsteady%3Anf4%3Anaked%3Agreedy&amp;flag=fabricated" in markup


def test_the_tables_hold_the_figures(usual: Any, finish: Finish, page: Page) -> None:
    """Targets, the matrix of categories, every target's categories, differences and judges, with intervals."""
    run = finish(usual)
    figures = run_figures(run.summary)
    text = said(page(run, plots=()))
    tuned = figures.targets[1].passes

    assert f"{percent(tuned.rate)} | {tuned.part}/{tuned.whole} | {100 * tuned.low:.1f}–{100 * tuned.high:.1f}" in text
    assert "category | demo | demo+ | steady | ADVERSARIAL" in text
    assert "All targets are nf4:naked:greedy." in text
    assert (
        "If all unscored had failed the rate would be 40.0 %, had all passed 60.0 %. Answers cut at max_new_tokens: 1."
        in text
    )
    delta = deltas_of(run.summary)[0].shown
    assert delta.delta is not None
    assert f"{100 * delta.delta:+.1f} points".replace("-", "−") in text
    assert (
        "Nobody has measured these judges on labels yet: | evalkit review | draws a queue for people, | "
        "evalkit calibrate --labels RUN --judge NAME | measures." in text
    )
    assert "behaviour 3 | 22 | 16 / 4 / 2 | –" in text


def test_people_s_rates_stand_beside_the_judges(usual: Any, finish: Finish, page: Page) -> None:
    """As judged, with labels in their place, and corrected; what to mind of each row is folded."""
    rates = CorrectedRates(
        Rate(0.5, 0.2, 0.8, 4, 8), Rate(0.6, 0.3, 0.8, 6, 10), Rate(None, 0.1, 0.9), 10, 3, ("few were read",),
        "no pass was reviewed", "Have passes drawn: evalkit review RUN",
    )  # fmt: skip
    one = ReviewedRates("r", 3, 10, ("Ada", "Ben"), (RateRow("demo", None, rates), RateRow("demo", "CONTROL", rates)))
    two = replace(one, rows=(RateRow("demo", None, rates), RateRow(None, None, rates)))
    run = finish(usual)
    text = said(page(replace(run, reviewed=one), plots=()))

    assert (
        "category of demo | read by people | as the judges say | with labels in their place | corrected | all | "
        "3 of 10 | 50.0 % | 4/8 | 20.0–80.0 | 60.0 % | 6/10 | 30.0–80.0 | unknown | 10.0–90.0 | CONTROL |"
    ) in text
    assert (
        "3 of 10 answers carry labels by Ada and Ben. With labels in their place: each label counts instead of its "
        "verdict, the judges are believed in the rest. Corrected: what people would have said of every answer. | "
        "What to mind: 4 | demo, all: few were read | demo, all: no corrected rate: no pass was reviewed. Have passes "
        "drawn: evalkit review RUN |"
    ) in text
    assert "| every target, all | 3 of 10 |" in said(page(replace(run, reviewed=two), plots=()))
    assert "As judged and as people say" not in said(page(replace(run, reviewed=replace(one, labelled=0)), plots=()))


def test_many_targets_stand_close(usual: Any, finish: Finish, page: Page, make_record: Callable[..., Any]) -> None:
    """Above six targets side by side the intervals are figures alone."""
    targets = [f"demo+step{step}:nf4:naked:greedy" for step in range(7)]
    pairs = [(make_record(1, target, "pass"), usual[0][1]) for target in targets]

    assert 'class="frame matrix dense"' in page(finish(pairs, targets=targets), plots=()).read_text()
    assert 'class="frame matrix"' in page(finish(pairs[:6], targets=targets[:6]), plots=()).read_text()


def test_changes_since_a_baseline_are_a_table(usual: Any, finish: Finish, page: Page) -> None:
    """Every target that both runs have, with its verdict."""
    run = finish(usual)

    assert "Changes since main" in said(page(run, plots=(), baseline=finish(usual, run_id="main")))
    assert "Changes since" not in said(page(run, plots=()))


def test_plots_stand_in_the_page_with_their_figures(
    usual: Any, finish: Finish, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawing, title, caption and a table of what is drawn; without matplotlib, what to install."""
    plot = Plot(
        "rates",
        "Pass <rates>",
        "Whiskers are 95 %.",
        "<svg id='w'></svg>",
        "<svg id='n'></svg>",
        (("a", "b"), ("1", "2 %")),
    )
    file = page(finish(usual), plots=(plot,))

    assert "<svg id='w'></svg><svg id='n'></svg>" in file.read_text()
    assert "Pass <rates> | Whiskers are 95 %. | The figures as a table | Pass <rates> | a | b | 1 | 2 %" in said(file)
    assert "| Plots | This run has nothing to plot. |" in said(page(finish(usual), plots=()))
    assert (
        "| No plots were drawn: the end of a run draws them where the whole plan was run and there is enough to draw. "
        "Draw what there is with: evalkit report 20261121-142909-4df5 |"
    ) in said(page(finish(usual), plots=None))
    monkeypatch.setattr("evalkit.plots.drawing.find_spec", lambda name: None)
    assert (
        "Drawing plots needs the package 'matplotlib'. Install it with: pip install 'pytest-evalkit[report]'"
        in said(page(finish(usual), plots=()))
    )


def test_nothing_may_run_but_its_own_scripts(usual: Any, finish: Finish, page: Page) -> None:
    """The policy names the hashes of both scripts and the style, and nothing is loaded from anywhere."""
    html = page(finish(usual), plots=()).read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    own = [*re.findall(r"<script>(.*?)</script>", html, re.S), *re.findall(r"<style>(.*?)</style>", html, re.S)]
    hashes = ["'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" for text in own]

    assert policy.group(1) == (
        f"default-src 'none'; script-src {hashes[0]} {hashes[1]}; style-src {hashes[2]}; base-uri 'none'; "
        "form-action 'none'"
    )
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//|@import|url\(", html)
    assert not re.search(r"\sstyle=|\son[a-z]+=", html.split("<script>")[1])
