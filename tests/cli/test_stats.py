"""``evalkit stats``: published figures from their raw counts, through the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Command

    Write = Callable[[str, str], Path]

SUMMARIES = Path(__file__).parents[3] / "shared" / "data" / "lek_p100_summaries.json"
WILSON = {
    "0/14950": (0.00, 0.03), "292/300": (94.83, 98.64), "2/300": (0.18, 2.40), "12127/12414": (97.41, 97.94),
    "12127/14950": (80.48, 81.74), "287/14950": (1.71, 2.15), "51/14950": (0.26, 0.45), "236/14950": (1.39, 1.79),
    "287/300": (92.73, 97.45), "279/300": (89.54, 95.38), "0/300": (0.00, 1.26),
}  # fmt: skip
# To the one digit that the model card and the tables of seeds and overlaps print.
WILSON_1 = {
    "289/300": (93.6, 97.9), "296/300": (96.6, 99.5), "290/300": (94.0, 98.2), "1/3": (6.1, 79.2),
    "226/300": (70.2, 79.9), "2/10": (5.7, 51.0), "14/40": (22.1, 50.5),
}  # fmt: skip
PRINTED_AS_WILSON = {"2/10": (5.7, 50.7), "14/40": (21.1, 51.7)}
RATES = """\
count    rate %    95 % (wilson)
-------  --------  ---------------
292/300  97.33     [94.83, 98.64]
2/10     20.00     [5.67, 50.98]
0/0      -         [0.00, 100.00]
"""
FIVE_WORSE = """\
exact McNemar          p 0.0625
chi-square             5.00, p 0.0253
chi-square, corrected  3.20, p 0.0736
difference             −1.67 points of 300 pairs
95 % (Tango)           [−3.84, −0.38]
verdict                UNDERPOWERED, margin 3 points; about 469 such pairs would decide
"""
# The five runs of the 141 set: counts that give the published shares of each run and category and add up to its total
# (lumensyntax-org/instrument-trap-benchmark, data/confidence_bands.json).
RUNS = """\
name,of,run 1,run 2,run 3,run 4,run 5
ADV,54,48,46,45,45,44
BAP,12,9,8,7,8,8
COR,15,7,6,9,6,8
IG,20,15,16,15,15,18
KEN,10,7,8,7,8,7
LG,15,4,6,6,5,5
MYS,15,6,6,7,9,5
all,141,96,96,96,96,95
"""
BANDS = """\
     repeats                min    mean    max    sd
---  ---------------------  -----  ------  -----  -----
ADV  48 46 45 45 44 of 54   81.48  84.44   88.89  2.81
BAP  9 8 7 8 8 of 12        58.33  66.67   75.00  5.89
COR  7 6 9 6 8 of 15        40.00  48.00   60.00  8.69
IG   15 16 15 15 18 of 20   75.00  79.00   90.00  6.52
KEN  7 8 7 8 7 of 10        70.00  74.00   80.00  5.48
LG   4 6 6 5 5 of 15        26.67  34.67   40.00  5.58
MYS  6 6 7 9 5 of 15        33.33  44.00   60.00  10.11
all  96 96 96 96 95 of 141  67.38  67.94   68.09  0.32
"""
INTERACTION = """\
first        +2.79
second       +1.58
additive     24.83
measured     23.72
interaction  −1.11
"""


def test_wilson_to_two_digits(evalkit: Command) -> None:
    """Every interval that the Instrument Trap paper prints so, from its counts, in one call."""
    found = json.loads(evalkit("stats", "rate", *WILSON, "--json").out)

    assert found["method"] == "wilson"
    assert {f"{row['passed']}/{row['total']}": bounds(row, 2) for row in found["rates"]} == WILSON


def test_wilson_to_one_digit(evalkit: Command) -> None:
    """And the two that are printed as Wilson's and are not come out as Wilson's."""
    found = json.loads(evalkit("stats", "rate", *WILSON_1, "--json").out)["rates"]
    ours = {f"{row['passed']}/{row['total']}": bounds(row, 1) for row in found}

    assert ours == WILSON_1
    assert all(ours[count] != printed for count, printed in PRINTED_AS_WILSON.items())


def bounds(row: dict[str, float], digits: int) -> tuple[float, float]:
    return round(100 * row["low"], digits), round(100 * row["high"], digits)


def test_the_table_of_rates(evalkit: Command) -> None:
    """As percentages with two digits; a rate over nothing is none."""
    done = evalkit("stats", "rate", "292/300", "2/10", "0/0")

    assert (done.status, done.out, done.err) == (0, RATES, "")


def test_clopper_pearson(evalkit: Command) -> None:
    """The upper bound of 14 of 40 that was printed as Wilson's is this one's."""
    done = evalkit("stats", "rate", "14/40", "--method", "clopper-pearson")

    assert done.out.splitlines()[-1] == "14/40    35.00     [20.63, 51.68]"


@pytest.mark.parametrize(
    ("worse", "better", "line"),
    [("81", "12", "51.19, p 8.4e-13"), ("76", "15", "40.89, p 1.6e-10"), ("21", "13", "1.88, p 0.1701")],
)
def test_published_mcnemar_values(evalkit: Command, worse: str, better: str, line: str) -> None:
    """They are uncorrected; without --of there is no difference and no verdict."""
    lines = evalkit("stats", "paired", worse, better).out.splitlines()

    assert [" ".join(one.split()) for one in lines][1] == f"chi-square {line}"
    assert len(lines) == 3


def test_a_paired_difference_with_its_verdict(evalkit: Command) -> None:
    """Five of 300 got worse and none better: not decided, and how many pairs would."""
    done = evalkit("stats", "paired", "5", "0", "--of", "300")

    assert (done.status, done.out, done.err) == (0, FIVE_WORSE, "")


@pytest.mark.parametrize(
    ("worse", "better", "margin", "interval", "verdict"),
    [
        ("12", "1", "3", "[−6.57, −1.59]", "REGRESSED, margin 3 points"),
        ("0", "12", "3", "[2.30, 6.86]", "IMPROVED, margin 3 points"),
        ("1", "1", "3", "[−1.56, 1.56]", "HELD, margin 3 points"),
        ("5", "0", "4", "[−3.84, −0.38]", "HELD, margin 4 points"),
    ],
)
def test_verdicts_of_300(
    evalkit: Command, worse: str, better: str, margin: str, interval: str, verdict: str
) -> None:  # fmt: skip
    """The goldens of the verdict rule."""
    lines = evalkit("stats", "paired", worse, better, "--of", "300", "--margin", margin).out.splitlines()

    assert [" ".join(line.split()) for line in lines][-2:] == [f"95 % (Tango) {interval}", f"verdict {verdict}"]


def test_a_paired_difference_as_json(evalkit: Command) -> None:
    """Rates are proportions."""
    found = json.loads(evalkit("stats", "paired", "5", "0", "--of", "300", "--json").out)

    assert {name: round(value, 4) if isinstance(value, float) else value for name, value in found.items()} == {
        "worse": 5, "better": 0, "p": 0.0625, "chi_square": 5.0, "chi_square_p": 0.0253, "corrected": 3.2,
        "corrected_p": 0.0736, "pairs": 300, "difference": -0.0167, "low": -0.0384, "high": -0.0038, "margin": 0.03,
        "verdict": "UNDERPOWERED", "needed": 469,
    }  # fmt: skip


def test_bands_of_counts(evalkit: Command) -> None:
    """The overall counts of five runs; and plain numbers."""
    overall = evalkit("stats", "bands", "96", "96", "96", "96", "95", "--of", "141").out.splitlines()
    seeds = evalkit("stats", "bands", "221", "226", "227", "222", "233", "--of", "300").out.splitlines()
    plain = evalkit("stats", "bands", "3", "4.5").out.splitlines()
    single = evalkit("stats", "bands", "3").out.splitlines()

    assert overall[-1].split() == ["96", "96", "96", "96", "95", "of", "141", "67.38", "67.94", "68.09", "0.32"]
    assert seeds[-1].split()[-4:] == ["73.67", "75.27", "77.67", "1.59"]
    assert plain[-1].split() == ["3", "4.5", "3.00", "3.75", "4.50", "1.06"]
    assert single[-1].split() == ["3", "3.00", "3.00", "3.00", "-"]


def test_bands_of_a_file(evalkit: Command, write: Write) -> None:
    """The published bands of every category, from the counts of its runs; as JSON the same."""
    write("runs.csv", RUNS)
    rows = [row.split(",") for row in RUNS.splitlines()[1:]]
    write("runs.json", json.dumps({name: {"of": int(of), "counts": [*map(int, runs)]} for name, of, *runs in rows}))

    assert evalkit("stats", "bands", "runs.csv").out == BANDS
    assert evalkit("stats", "bands", "runs.json").out == BANDS


def test_bands_as_json(evalkit: Command, write: Write) -> None:
    """Blank cells are runs that were not made; without a total the numbers stay as they are."""
    write("runs.csv", "name,run 1,run 2,run 3\nx,1,,3\n")

    (found,) = json.loads(evalkit("stats", "bands", "runs.csv", "--json").out)

    assert found.pop("deviation") == pytest.approx(2**0.5)
    assert found == {"name": "x", "total": None, "counts": [1, 3], "least": 1, "mean": 2, "most": 3}


@pytest.mark.skipif(not SUMMARIES.exists(), reason="the stored summaries are not in this checkout")
def test_published_means_from_category_means(evalkit: Command) -> None:
    """All 16 overall means of six models, to the digit."""
    found = json.loads(evalkit("stats", "means", str(SUMMARIES), "--json").out)

    assert len(found) == 16
    assert all(row["agrees"] and round(row["mean"], 2) == row["published"] and row["n"] == 101 for row in found)
    assert {row["name"]: row["published"] for row in found if row["condition"] == "baseline"} == {
        "12b": 20.47, "27b": 20.16, "4b": 21.12, "lek1b": 21.74, "qwen3": 18.71, "lek4b": 21.24,
    }  # fmt: skip


def test_means_of_small_files(evalkit: Command, write: Write) -> None:
    """A table has a column a condition; a published mean that does not come out says no."""
    write("means.csv", "category,n,naked,json\nx,2,1.0,\ny,1,4.0,3.5\n")
    write(
        "means.json",
        '{"conditions": ["a"], "probes_per_category": {"x": 2, "y": 1}, '
        '"models": {"m": {"categories": {"x": [1], "y": [4]}, "avg": [2.02]}}}',
    )

    table = [line.split() for line in evalkit("stats", "means", "means.csv").out.splitlines()]
    assert table[2:] == [["naked", "3", "2.00", "-", "-"], ["json", "1", "3.50", "-", "-"]]
    assert evalkit("stats", "means", "means.json").out.splitlines()[-1].split() == ["m", "a", "3", "2.00", "2.02", "no"]


def test_the_published_interaction(evalkit: Command) -> None:
    """Kernel and tuning of the 27B model: 24.83 were the sum of both effects, 23.72 was measured."""
    done = evalkit("stats", "interaction", "20.46", "23.25", "22.04", "23.72")
    found = json.loads(evalkit("stats", "interaction", "20.46", "23.25", "22.04", "23.72", "--json").out)

    assert (done.status, done.out, done.err) == (0, INTERACTION, "")
    assert found == {"first": 2.79, "second": 1.58, "additive": 24.83, "measured": 23.72, "interaction": -1.11}
    assert (
        evalkit("stats", "interaction", "-8.11", "-6.29", "-7.32", "-6.26").out.splitlines()[-1].split()[1] == "−0.76"
    )


BANDS_SHAPE = (
    'expected a table name,of,… with a column a run, or JSON {"name": {"of": 54, "counts": [48, 46]}}.'
)  # fmt: skip
MEANS_SHAPE = (
    'expected a table category,n,… with a column a condition, or JSON {"conditions": […], "probes_per_category": '
    '{category: n}, "models": {name: {"categories": {category: [mean, …]}}}}.'
)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rate", "292"], "Expected a count such as 292/300; found '292'."),
        (["rate", "3/2"], "Expected a count such as 292/300; found '3/2'."),
        (["paired", "5", "1.5"], "Expected a whole number; found '1.5'."),
        (["paired", "5", "1", "--of", "0"], "--of 0: a difference needs at least one pair."),
        (["paired", "5", "1", "--of", "5"], "5 worse and 1 better are more than the 5 pairs of --of."),
        (["paired", "5", "1", "--of", "9", "--margin", "200"], "--margin is in points, 0 to 100; found '200'."),
        (["bands", "3", "x"], "Expected a number; found 'x'."),
        (["bands", "3", "nan"], "Expected a number; found 'nan'."),
        (["bands", "3", "9", "--of", "5"], "expected counts of 0 to 5; found 9."),
        (["bands", "3", "--of", "0"], "counts of 0 have no share."),
        (["bands", "runs.csv"], "runs.csv: there is no such file."),
        (["bands", "empty.csv"], f"empty.csv: {BANDS_SHAPE}"),
        (["bands", "letters.csv"], f"letters.csv: {BANDS_SHAPE}"),
        (["bands", "quotes.csv"], f"quotes.csv: {BANDS_SHAPE}"),
        (["bands", "none.csv"], "x: there is no repeat."),
        (["bands", "list.json"], f"list.json: {BANDS_SHAPE}"),
        (["means", "list.json"], f"list.json: {MEANS_SHAPE}"),
        (["means", "letters.csv"], f"letters.csv: {MEANS_SHAPE}"),
        (["interaction", "1", "2", "x", "3"], "Expected a number; found 'x'."),
    ],
)
def test_what_cannot_be_read_is_a_sentence(evalkit: Command, write: Write, words: list[str], sentence: str) -> None:
    """Exit 2, what was found and what was expected."""
    write("empty.csv", "name,of,run\n")
    write("letters.csv", "name,of,run\nx,9,many\n")
    write("quotes.csv", 'name,of,run\nx,9,"3"4\n')
    write("none.csv", "name,of,run\nx,9,\n")
    write("list.json", "[1, 2]")

    done = evalkit("stats", *words)

    assert (done.status, done.out, done.err) == (2, "", f"{sentence}\n")
