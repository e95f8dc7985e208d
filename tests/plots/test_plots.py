"""What every plot keeps to, whatever it shows."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.plots import PLOT_CSS, Plot, missing, run_plots
from evalkit.plots.lettering import fitted, lines_of, short_names, visible, width_of
from evalkit.plots.palette import DARK, LIGHT, MARKERS, SERIES
from evalkit.plots.rates import rate_plots
from evalkit.reporting.figure_nouns import RunFigures

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ["rates", "deltas-pass-rate", "deltas-mean-score", "steps", "scores-1", "trust"]


def drawings(plots: tuple[Plot, ...]) -> list[ET.Element]:
    return [ET.fromstring(svg) for plot in plots for svg in (plot.wide, plot.narrow)]


def words(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}text")]


def test_only_what_has_figures_is_drawn(run: Callable[..., RunFigures], plots: tuple[Plot, ...]) -> None:
    """Five kinds where all have data, the rates alone for one target without scores, nothing for nothing."""
    assert [plot.name for plot in plots] == KINDS
    assert [plot.name for plot in run_plots(run(targets=("demo:fp32:naked:greedy",)))] == ["rates"]
    assert run_plots(run(n=0)) == ()


def test_the_same_figures_give_the_same_bytes(plots: tuple[Plot, ...], everything: RunFigures) -> None:
    """No date, no random id."""
    assert run_plots(everything) == plots


@pytest.mark.slow
def test_the_bytes_are_the_same_in_another_process() -> None:
    """Whatever the hash seed and the settings of matplotlib around it."""
    program = (
        "import runpy, hashlib, matplotlib; matplotlib.rcParams['svg.fonttype'] = 'path'; "
        "made = runpy.run_path('tests/plots/conftest.py'); from evalkit.plots import run_plots; "
        "text = ''.join(plot.svg for plot in run_plots(made['make_run'](scores=True))); "
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip

    assert len(seen) == 1


def test_a_page_can_hold_them_all(plots: tuple[Plot, ...]) -> None:
    """Ids are unique, nothing is fetched, and neither scripts nor styles are in them: a strict policy lets them be."""
    nodes = [node for root in drawings(plots) for node in root.iter()]
    ids = [node.get("id") for node in nodes if node.get("id")]
    links = [value for node in nodes for name, value in node.attrib.items() if name.endswith("href")]

    assert len(ids) == len(set(ids))
    assert all(found.startswith("#plot-") and found[1:] in ids for found in links)
    assert {node.tag.removeprefix(SVG) for node in nodes} == {"svg", "title", "desc", "defs", "path", "use", "text"}
    assert not [name for node in nodes for name in node.attrib if name == "style" or name.startswith("on")]
    assert not re.search(r"url\(|http(?!://www\.w3\.org/2000/svg\")", "".join(plot.svg for plot in plots))


def test_each_is_an_image_with_title_and_description(plots: tuple[Plot, ...]) -> None:
    """What a screen reader says is the caption."""
    for plot in plots:
        for svg, kind, width in ((plot.wide, "wide", "720"), (plot.narrow, "narrow", "360")):
            root = ET.fromstring(svg)
            title, description = root[0], root[1]

            assert root.get("role") == "img"
            assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
            assert (title.text, description.text) == (plot.title, plot.caption)
            assert root.get("class") == f"plot plot-{kind}"
            assert root.get("width") == width
            assert root.get("viewBox") == f"0 0 {width} {root.get('height')}"


def test_every_colour_can_be_themed(plots: tuple[Plot, ...]) -> None:
    """Each paint has a class that the style sheet knows, and the light theme's value where there is none."""
    for root in drawings(plots):
        for node in root.iter():
            classes = (node.get("class") or "").split()
            for paint, letter in (("fill", "f"), ("stroke", "k")):
                value = node.get(paint)
                if value and value != "none":
                    name = next(found[2:] for found in classes if found.startswith(f"{letter}-"))
                    assert LIGHT[name] == value  # type: ignore[index]
                    assert f".{letter}-{name}{{" in PLOT_CSS


def test_text_is_text_of_a_size_to_read(plots: tuple[Plot, ...]) -> None:
    """At 360 pixels no letter is smaller than 11, none is turned, and the page's font is used."""
    for root in drawings(plots):
        texts = list(root.iter(f"{SVG}text"))
        assert texts
        assert {node.get("font-size") for node in texts} <= {"11", "12"}
        assert not [node for node in texts if node.get("transform") or node.get("font-family")]
    assert ".plot{" in PLOT_CSS
    assert "font-family:inherit" in PLOT_CSS


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_everything_stands_out(colours: dict[str, str]) -> None:
    """Text by 4.5:1 on paper, and on the band; marks by 3:1 (WCAG 2.2, 1.4.3 and 1.4.11)."""
    for name in ("ink", "muted", "good", "bad"):
        assert min(contrast(colours[name], colours[ground]) for ground in ("paper", "band")) >= 4.5, name
    for name in SERIES:
        assert contrast(colours[name], colours["paper"]) >= 3, name
    assert len(set(colours.values())) >= len(colours) - 1  # in the dark, good is the green of a series


def test_series_differ_by_more_than_colour() -> None:
    """Each has a shape of its own."""
    assert len(set(MARKERS)) == len(MARKERS) == len(SERIES)


HOSTILE = {
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    "$x_1$ & \\alpha ]]>": "$x_1$ & \\alpha ]]>",
    "日本語 🦊": "日本語 🦊",
    "a\x1b[31mb\x07": "a␛[31mb␇",
    "\u202eevil": "[U+202E]evil",
    "lone \ud800": "lone \ufffd",
    "nul\x00 line\n": "nul␀ line␊",
    "\ufffe": "\ufffd",
}


def test_hostile_names_are_shown_and_do_nothing(run: Callable[..., RunFigures]) -> None:
    """No markup, no mathematics, no warning for a glyph that a font lacks; what is invisible can be seen."""
    (plot,) = rate_plots(run(targets=("demo:fp32:naked:greedy",), categories=tuple(HOSTILE)).rows)

    for svg in (plot.wide, plot.narrow):
        assert set(HOSTILE.values()) <= set(words(svg))
        assert "<script" not in svg
    assert {row[1] for row in plot.table[1:]} == {*HOSTILE.values(), "all categories"}


@given(st.lists(st.text(max_size=60), min_size=1, max_size=3, unique=True))
@settings(max_examples=20)
def test_no_name_breaks_a_drawing(names: list[str]) -> None:
    """Whatever a category is called, the drawing is well-formed."""
    from evalkit.plots.canvas import Canvas

    canvas = Canvas(360, 40)
    for name in names:
        canvas.words(0, 10, visible(name))

    root = ET.fromstring(canvas.svg(name="x", kind="wide", title=visible(names[0]), description=""))
    assert "".join(visible("".join(names)).split()) == "".join("".join(words(ET.tostring(root, "unicode"))).split())


@given(st.text(max_size=80))
def test_visible_text_stays_on_its_line(text: str) -> None:
    """Nothing in it moves, hides or reorders what stands beside it."""
    assert all(character.isprintable() or character in "\u200c\u200d" for character in visible(text))


def test_names_give_way_in_the_middle() -> None:
    """What tells them apart is often at the end; two lines are used where there is room."""
    assert fitted("+adapter-with-a-long-name-07", 120, 12) == "+adapte…ame-07"
    assert fitted("short", 120, 12) == "short"
    assert lines_of("agreeing with a claim that is wrong", 130, 12) == ["agreeing with a", "claim that is wrong"]
    assert lines_of("one word and then very many more of them here", 100, 12) == ["one word and", "then v… here"]
    assert lines_of("onewordthatisfartoolongforanyline", 100, 12) == ["onewo…nyline"]
    assert width_of("漢字", 10) == 20.8
    assert width_of("ill", 10) < width_of("mmm", 10) / 2


def test_what_targets_share_is_left_out() -> None:
    """And said once; of one model the base is called so."""
    base, tuned = "gemma2:nf4:naked:greedy", "gemma2+logos:nf4:kernel:greedy"

    assert short_names([base, tuned]) == ({base: "base:naked", tuned: "+logos:kernel"}, "gemma2:nf4:greedy")
    assert short_names([base]) == ({base: base}, "")
    assert short_names(["a:nf4:x:y", "b:nf4:x:y"]) == ({"a:nf4:x:y": "a", "b:nf4:x:y": "b"}, "nf4:x:y")


def test_without_matplotlib_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch, everything: RunFigures) -> None:
    """And nothing is drawn."""
    find = PathFinder.find_spec
    monkeypatch.delitem(sys.modules, "matplotlib", raising=False)
    monkeypatch.setattr(
        PathFinder, "find_spec", lambda name, *rest: None if name == "matplotlib" else find(name, *rest)
    )

    assert missing() == (
        "Drawing plots needs the package 'matplotlib'. Install it with: pip install 'pytest-evalkit[report]'"
    )
    assert run_plots(everything) == ()


@pytest.mark.slow
def test_drawing_costs_little(everything: RunFigures, least_seconds: Callable[..., float]) -> None:
    """All five, wide and narrow: about 0.25 s of one core; four times that is a mistake."""
    assert least_seconds(lambda: run_plots(everything), 1.0) <= 1.0


def test_nothing_is_imported_before_it_is_drawn() -> None:
    """The package itself costs a report without plots nothing."""
    program = "import sys, evalkit.plots; print('matplotlib' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"
