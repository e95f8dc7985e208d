"""What each kind of plot shows and says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from evalkit.plots.deltas import delta_plots, part_verdict
from evalkit.plots.rates import rate_plots
from evalkit.plots.scores import score_plots, swarm
from evalkit.plots.steps import step_plots
from evalkit.plots.trust import trust_plots
from evalkit.reporting.figure_nouns import RunFigures, StepRow, TrustRow

SVG = "{http://www.w3.org/2000/svg}"
BASE = "gemma2-27b:nf4:naked:greedy"
TUNED = "gemma2-27b+logos21:nf4:naked:greedy"


def words(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}text")]


def dots(svg: str, colour: str) -> list[float]:
    """Where the marks of a colour stand, from the left."""
    return [float(node.get("x", "")) for node in ET.fromstring(svg).iter(f"{SVG}use")
            if f"k-{colour}" in (node.get("class") or "")]  # fmt: skip


def test_rates_stand_where_they_are(run: Callable[..., RunFigures]) -> None:
    """A dot for every target under each category, at its rate, with its figures; legend and caption say the rest."""
    figures = run(n=10, passes={BASE: 0.5, TUNED: 1.0})
    (plot,) = rate_plots(figures.rows)

    assert dots(plot.wide, "s1")[1:] == [396.0] * 3  # the first stands in the legend; 0 to 100 % is 200 to 592
    assert dots(plot.wide, "s2")[1:] == [592.0] * 3
    assert words(plot.wide)[:2] == ["base", "+logos21"]
    assert {"fraud", "medical", "all categories", "50 %", "5/10", "10/20", "100 %", "20/20"} <= set(words(plot.wide))
    assert set(words(plot.narrow)) == set(words(plot.wide))
    assert plot.caption == (
        "Pass rates of 2 targets in 2 categories: passed of scored trials, n = 40. Whiskers are Wilson's 95 % "
        "intervals. All targets: gemma2-27b:nf4:naked:greedy."
    )
    assert plot.table[:2] == (
        ("target", "category", "passed", "scored", "pass rate", "95 % interval", "unscored", "errors"),
        (BASE, "fraud", "5", "10", "50.0 %", "23.7–76.3 %", "0", "0"),
    )


def test_whiskers_are_the_intervals(run: Callable[..., RunFigures]) -> None:
    """One path for those of a colour, end to end."""
    rows = run(targets=(BASE,), categories=("fraud",), n=10, passes={BASE: 0.5}).rows
    (plot,) = rate_plots(rows)
    low, high = rows[0].passes.low, rows[0].passes.high
    found = [node.get("d", "") for node in ET.fromstring(plot.wide).iter(f"{SVG}path") if node.get("class") == "k-s1"]

    assert found == [f"M {200 + 392 * low:.2f} 15 L {200 + 392 * high:.2f} 15"]


def test_a_reference_is_hollow_and_says_so(run: Callable[..., RunFigures]) -> None:
    """So that nobody takes its failures for a subject's."""
    (plot,) = rate_plots(run(roles={BASE: "reference"}).rows)

    assert "base (reference)" in words(plot.wide)
    assert "Hollow: a reference target, which may fail." in plot.caption


def test_what_was_not_scored_is_told(run: Callable[..., RunFigures]) -> None:
    """Unscored trials and errors are left out of rates; a category without any verdict, or not asked, says so."""
    figures = run(targets=(BASE, TUNED), n=4)
    nothing = replace(figures.rows[0].passes, part=0, whole=0, low=0.0, high=1.0)
    left = replace(figures.rows[0], scored=0, passes=nothing)
    total = replace(
        figures.rows[2], unscoreds=replace(nothing, part=3, whole=4), errors=replace(nothing, part=1, whole=4)
    )  # fmt: skip
    (plot,) = rate_plots((left, figures.rows[1], total, *figures.rows[4:]))

    assert {"none scored", "not asked"} <= set(words(plot.wide))
    assert "Left out: 3 unscored, 1 with an error." in plot.caption
    assert plot.table[1][4:6] == ("–", "–")


def test_families_are_named_with_the_interval(run: Callable[..., RunFigures]) -> None:
    """Where a family has several trials Wilson's interval would be too narrow."""
    rows = run(targets=(BASE,)).rows
    (plot,) = rate_plots([replace(row, passes=replace(row.passes, families=3)) for row in rows])

    assert (
        "Whiskers are 95 % intervals: Wilson's, or one that respects families of probes where a family has several "
        "trials."
    ) in plot.caption


def test_many_targets_get_a_panel_for_each_category(run: Callable[..., RunFigures]) -> None:
    """All over the same targets, the whole first; two columns, one on a phone."""
    targets = [f"gemma2+a{number}:nf4:naked:greedy" for number in range(6)]
    (plot,) = rate_plots(run(targets=targets, categories=("fraud", "medical", "law")).rows)

    found = words(plot.wide)
    assert [word for word in found if word in ("all categories", "fraud", "medical", "law")] == [
        "all categories", "fraud", "medical", "law",
    ]  # fmt: skip
    assert found.count("+a3") == 2  # once a line of panels
    assert words(plot.narrow).count("+a3") == 4


def test_differences_have_verdicts(run: Callable[..., RunFigures]) -> None:
    """A row for every category and the whole, each with its word; shape and colour say the same."""
    figures = run(n=60, passes={BASE: 0.4, TUNED: 0.95})
    (plot,) = delta_plots(figures.deltas, ("medical", "fraud"))

    found = words(plot.wide)
    assert found[0] == "+logos21 against base"
    assert [word for word in found if word in ("medical", "fraud", "all categories")] == [
        "medical", "fraud", "all categories",
    ]  # fmt: skip
    assert found.count("IMPROVED") == 3
    assert len(dots(plot.wide, "good")) == 3
    assert {"← worse", "points", "better →"} <= set(found)
    assert plot.title == "Paired differences in pass rate"
    assert plot.caption == (
        "Difference in pass rate over the probes that both targets answered, 1 comparison, n = 120 pairs. Whiskers are "
        "95 % intervals (Tango's interval, exact McNemar test). Solid line: no difference. Dashed line: the loss that "
        "still does no harm (margin 3 points). ▲ IMPROVED, ▼ REGRESSED, ● HELD, ○ UNDERPOWERED; verdicts of categories "
        "take p adjusted by Holm. All targets: gemma2-27b:nf4:naked:greedy."
    )
    assert plot.table[1][:5] == (TUNED, BASE, "medical", "60", "+55.0")
    assert plot.table[1][-1] == "IMPROVED"


def test_the_zero_line_is_in_the_middle(run: Callable[..., RunFigures]) -> None:
    """And a mark at no difference stands on it."""
    figures = run(n=40, passes={BASE: 0.5, TUNED: 0.5})
    (plot,) = delta_plots(figures.deltas)

    assert set(dots(plot.wide, "ink") + dots(plot.wide, "muted")) == {330.0}


def test_a_metric_of_which_less_is_better_is_turned_around(run: Callable[..., RunFigures]) -> None:
    """Its axis says so, and a rise of it is a regression."""
    delta = run(n=60, passes={BASE: 0.4, TUNED: 0.95}).deltas[0]
    worse = replace(delta, metric="over_refusal_rate")
    (plot,) = delta_plots([worse])

    assert {"← better", "worse →"} <= set(words(plot.wide))
    assert {part_verdict(worse, part) for part in worse.parts} == {"REGRESSED"}
    assert {part_verdict(delta, part) for part in delta.parts} == {"IMPROVED"}


def test_what_cannot_be_compared_says_so(run: Callable[..., RunFigures]) -> None:
    """Its numbers are of the pairs that can; an end that nothing bounds goes to the edge and is called unknown."""
    delta = run(n=60, passes={BASE: 0.4, TUNED: 0.95}).deltas[0]
    known = replace(delta.comparison, low=None, high=None)
    unlike = replace(delta.comparison, verdict="INCOMPARABLE", delta=None, still=known)
    (plot,) = delta_plots([replace(delta, comparison=unlike, parts=())])

    assert "INCOMPARABLE ones are drawn from the pairs that can be compared." in plot.caption
    assert {"against base", "+logos21", "INCOMPARABLE"} <= set(words(plot.wide))
    assert [word for word in words(plot.wide) if word.endswith("[unknown]")] == ["+55.0 [unknown]"]
    assert delta_plots([replace(delta, comparison=replace(unlike, still=None))]) == ()


@pytest.mark.slow
def test_with_many_comparisons_categories_stay_in_the_table(run: Callable[..., RunFigures]) -> None:
    """First those that did not move, then all."""
    targets = [f"gemma2+a{number:02d}:nf4:naked:greedy" for number in range(12)]
    categories = [f"c{number}" for number in range(20)]
    same = run(targets=targets, categories=categories, n=4, passes=dict.fromkeys(targets, 0.5))
    (quiet,) = delta_plots(same.deltas)
    moved = run(targets=targets, categories=categories, n=30, passes=dict.fromkeys(targets[1:], 0.95) |
                {targets[0]: 0.1})  # fmt: skip
    (loud,) = delta_plots(moved.deltas)

    assert "Of the categories only those that moved are drawn; the table has all." in quiet.caption
    assert "Categories are in the table only." in loud.caption
    for plot in (quiet, loud):
        assert words(plot.wide)[:2] == ["against +a00", "+a01"]
        assert not {"c0", "all categories"} & set(words(plot.wide))
        assert len(plot.table) == 1 + 11 * 21


def test_checkpoints_are_lines(steps: Callable[..., tuple[StepRow, ...]]) -> None:
    """One for each training, told apart by dashes and shape too; ticks stand at the steps."""
    rows = steps(("gemma2+a-checkpoint-…:nf4:naked:greedy", "gemma2+b-checkpoint-…:nf4:naked:greedy"))
    (plot,) = step_plots(rows)

    assert words(plot.wide)[:2] == ["+a-checkpoint-…", "+b-checkpoint-…"]
    assert {"100", "200", "300", "training step", "0", "50", "100 %"} <= set(words(plot.wide))
    assert 'stroke-dasharray="' in plot.wide
    assert plot.caption == (
        "Pass rates of 6 checkpoints of 2 trainings by step, n = 100 scored trials each. Bands are Wilson's 95 % "
        "intervals. All targets: gemma2:nf4:naked:greedy."
    )
    assert plot.table[1] == (
        "gemma2+a-checkpoint-…:nf4:naked:greedy", "100", "gemma2+a-checkpoint-100:nf4:naked:greedy", "50", "100",
        "50 %", "40.4–59.6 %",
    )  # fmt: skip


def test_one_checkpoint_is_no_line(steps: Callable[..., tuple[StepRow, ...]]) -> None:
    """Nothing is drawn of it; a seventh training gets a panel of its own."""
    assert step_plots(steps(("m+a-…:nf4:naked:greedy",), (100,))) == ()
    (plot,) = step_plots(steps([f"m+{name}-…:nf4:naked:greedy" for name in "abcdefg"]))
    assert words(plot.wide).count("training step") == 2


def test_scores_are_dots_then_silhouettes(run: Callable[..., RunFigures]) -> None:
    """Every score a dot while there is room; the mean with its interval and the median over it."""
    few, many = run(scores=True, n=20), run(scores=True, n=200)
    (plot,), (shape,) = score_plots(few.scores), score_plots(many.scores)
    row = next(row for row in few.scores if row.category is None)

    assert len(ET.fromstring(plot.wide).findall(f"{SVG}use")) == 2 * 40 + 2
    assert f"{row.mean:.2f} [{row.low:.2f}, {row.high:.2f}]" in words(plot.wide)
    assert "n = 40" in words(plot.wide)
    assert plot.title == "Scores of traps by heuristic"
    assert plot.caption == (
        "Each dot is one answer's score, 2 targets, n = 40 each. Diamonds are means with 95 % intervals (Student's, "
        "over families of probes), the upright strokes medians. All targets: gemma2-27b:nf4:naked:greedy."
    )
    assert len(ET.fromstring(shape.wide).findall(f"{SVG}use")) == 2 * 2
    assert shape.caption.startswith("The shapes show how the scores spread, 2 targets, n = 400 each.")


def test_more_scores_than_fit_are_told(run: Callable[..., RunFigures]) -> None:
    """Eight plots of scores; the last says how many more there are."""
    row = run(scores=True).scores[-1]
    single = replace(row, low=None, high=None)
    plots = score_plots([replace(single, suite=f"s{number}") for number in range(10)])

    assert len(plots) == 8
    assert "2 more scores of other suites and judges are in the tables only." in plots[-1].caption
    assert "more score" not in plots[0].caption
    assert "Diamonds are means, the upright strokes medians; of so few there is no interval." in plots[0].caption


def test_a_swarm_hides_as_little_as_it_can() -> None:
    """Equal scores lie above one another around the line, never outside their row."""
    xs, ys = swarm([1.0, 1.0, 1.0, 5.0], 0.1)

    assert xs == [1.0, 1.0, 1.0, 5.0]
    assert ys == [-4.5, 0.0, 4.5, 0.0]
    assert max(map(abs, swarm([1.0] * 50, 0.1)[1])) == pytest.approx(17.0)


def test_judges_err_two_ways(trust: Callable[..., TrustRow]) -> None:
    """Agreement, wrong answers passed and right ones failed, each with its interval; the same judge once."""
    rows = (trust(category="fraud", labels=44), trust(), replace(trust(), target="another"))
    (plot,) = trust_plots(rows)

    found = words(plot.wide)
    assert found[:4] == ["agrees with people", "passes wrong answers", "fails right answers", "behaviour on traps"]
    assert found.count("all categories, n = 120") == 1
    assert {"fraud, n = 44", "agrees 92 %", "passes wrong 10 %", "fails right 5 %"} <= set(found)
    assert dots(plot.wide, "s2")[1:] == pytest.approx([238.0, 238.0])  # 10 % of 200 to 580
    assert plot.caption == (
        "Reliability of 1 judge (behaviour) against people's labels, n = 44 to 120 labels a row, by anna, ben. "
        "Circles: share of decided answers on which judge and people agree. Squares: share of the answers people call "
        "wrong that the judge passed. Triangles: share of the right ones that it failed. Whiskers are Wilson's 95 % "
        "intervals at the effective number of labels."
    )
    assert plot.table[2] == (
        "behaviour", "traps", "all", "120", "92.0 % (86.0–96.0 %)", "10.0 % (5.0–20.0 %)", "5.0 % (2.0–12.0 %)", "0.83",
    )  # fmt: skip


def test_what_weakens_labels_is_said(trust: Callable[..., TrustRow]) -> None:
    """Third parties' labels, reviewers who saw a verdict, and a class that nobody saw."""
    (plot,) = trust_plots([trust(is_third_party=True, blind=False, specificity=None, kappa=None)])

    assert "Some labels are of stored answers of others and correct no rate." in plot.caption
    assert "Some reviewers saw a verdict first." in plot.caption
    assert "passes wrong –" in words(plot.wide)
    assert plot.table[1][5:] == ("–", "5.0 % (2.0–12.0 %)", "–")
    assert trust_plots([]) == ()
