"""Plots as a browser draws them: nothing is cut off, and no words lie upon others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.plots import PLOT_CSS, run_plots
from evalkit.reporting.figure_nouns import RunFigures

pytestmark = pytest.mark.slow

# Boxes of letters are higher than what is drawn of them, so that two pixels of lines below one another may overlap.
OVERLAPS = """
const wrong = [];
for (const svg of document.querySelectorAll("svg")) {
  if (getComputedStyle(svg).display === "none") continue;
  const edge = svg.viewBox.baseVal;
  const boxes = [...svg.querySelectorAll("text")].map((node) => [node.textContent, node.getBBox()]);
  for (const [words, box] of boxes)
    if (box.x < -0.5 || box.y < -0.5 || box.x + box.width > edge.width + 0.5 || box.y + box.height > edge.height + 0.5)
      wrong.push(`outside ${svg.getAttribute("aria-labelledby")}: ${words}`);
  for (let a = 0; a < boxes.length; a += 1) for (let b = a + 1; b < boxes.length; b += 1) {
    const [one, p] = boxes[a], [two, q] = boxes[b];
    const across = Math.min(p.x + p.width, q.x + q.width) - Math.max(p.x, q.x);
    const down = Math.min(p.y + p.height, q.y + q.height) - Math.max(p.y, q.y);
    if (across > 0.5 && down > 2.5) wrong.push(`${svg.getAttribute("aria-labelledby")}: ${one} / ${two}`);
  }
}
return wrong;
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def test_words_never_lie_upon_others(
    browser: Any, tmp_path: Path, run: Callable[..., RunFigures], everything: RunFigures
) -> None:
    """With few targets and with many, long names and wide letters, on a desk and on a phone, in light and dark."""
    long = [f"category {number}: agreeing with a claim that is plainly wrong 漢字" for number in range(9)]
    targets = [f"gemma2+adapter-with-a-very-long-name-{number:02d}:nf4:naked:greedy" for number in range(9)]
    runs = (
        replace(everything, rows=(), deltas=()),
        run(targets=targets, categories=long, n=3, scores=True),
        run(targets=targets[:3], categories=long, n=3, scores=True, roles={targets[0]: "reference"}),
        run(targets=("gemma2:nf4:naked:greedy", f"gemma2+{'WM' * 12}:nf4:kernel:greedy"), n=3, categories=("m" * 50,)),
        run(targets=("gemma2-27b-instruct:nf4:naked:greedy",), n=3, scores=True, categories=long),
    )
    for number, figures in enumerate(runs):
        body = "".join(plot.svg for plot in run_plots(figures))
        page = tmp_path / f"{number}.html"
        page.write_text(
            f'<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            f'<meta name="viewport" content="width=device-width"><title>plots</title>'
            f"<style>body{{font-family:sans-serif;margin:8px}}{PLOT_CSS}</style>{body}",
            encoding="utf-8",
        )
        for width, scheme, ink in ((1000, "light", "rgb(31, 35, 40)"), (375, "dark", "rgb(230, 237, 243)")):
            browser.resize(width, 800, scheme=scheme, is_phone=width < 500)
            browser.open(page)

            assert browser.run(OVERLAPS) == []
            assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
            shown = browser.run(
                "return [...document.querySelectorAll('svg')].filter(one => one.checkVisibility())"
                ".map(one => one.classList[1])"
            )
            assert set(shown) == {"plot-wide" if width > 640 else "plot-narrow"}
            assert ink in browser.run(
                "return [...document.querySelectorAll('text')].map(t => getComputedStyle(t).fill)"
            )
    assert browser.complaints() == []
