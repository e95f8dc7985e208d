"""What a gate may ask: the same errors in suite.yaml and in files of gates."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from evalkit.errors import UnreadableFile
from evalkit.gates import Gate, Metric
from evalkit.reading.gate_schema import FileGateEntry
from evalkit.reading.gates import read_gates
from evalkit.reading.suite_file import read_suite_file
from evalkit.workspace import Workspace

RATE, SCORE, COUNT = "metric: pass_rate", "metric: mean_score", "metric: count, flag: collapsed"
ASKS = "Add at_least, above, at_most, below or equals."
POINTS = "-1 to 1"


def problems_of_suite(root: Path, fields: str) -> list[str]:
    folder = root / "suites" / "s"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(f"gates:\n  - {{name: a, {fields}}}\n", encoding="utf-8")
    reading = read_suite_file(folder, Workspace(root), None)
    return [str(problem).removeprefix("suites/s/suite.yaml:2: ") for problem in reading.problems]


def problems_of_file(root: Path, fields: str) -> list[str]:
    (root / "gates.yaml").write_text(f"gates:\n  - {{name: a, suite: s, {fields}}}\n", encoding="utf-8")
    try:
        read_gates(root / "gates.yaml", Workspace(root))
    except UnreadableFile as error:
        return [str(problem).removeprefix("gates.yaml:2: ") for problem in error.problems]
    return []


def gate(root: Path, fields: str) -> Gate:
    (root / "gates.yaml").write_text(f"gates:\n  - {{name: a, suite: s, {fields}}}\n", encoding="utf-8")
    (found,) = read_gates(root / "gates.yaml", Workspace(root))
    return found


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        (RATE, "", f"gate 'a' asks for nothing. {ASKS}"),
        (f"{RATE}, fail_below: 0.5", "", f"fail_below is where it fails, and nothing says where it passes. {ASKS}"),
        (f"{RATE}, at_least: 80", ".at_least", "expected a proportion from 0 to 1, found 80. Write 0.8."),
        (f"{RATE}, at_least: 800", ".at_least", "expected a proportion from 0 to 1, found 800."),
        (f"{RATE}, at_least: -0.1", ".at_least", "expected a proportion from 0 to 1, found -0.1."),
        (f"{RATE}, against: baseline, at_least: -3", ".at_least",
         "expected a difference of rates from -1 to 1, found -3. Write -0.03."),
        (f"{COUNT}, at_most: -1", ".at_most", "expected at least 0, found -1."),
        (f"{RATE}, at_least: 0.9, at_most: 0.1", "", "gate 'a' cannot hold: at_least 0.9 is above at_most 0.1."),
        (f"{SCORE}, above: 2, at_most: 2", "", "gate 'a' cannot hold: above 2 is the same as at_most 2."),
        (f"{SCORE}, at_least: 2, above: 1", ".above", "at_least and above are both lower bounds. Keep one of them."),
        (f"{SCORE}, at_most: 2, below: 3", ".below", "at_most and below are both upper bounds. Keep one of them."),
        (f"{SCORE}, at_least: 2, fail_above: 3", ".fail_above",
         "fail_above goes with at_most or below: what is between the two warns. Add one, or take it out."),
        (f"{SCORE}, at_most: 2, fail_below: 1", ".fail_below",
         "fail_below goes with at_least or above: what is between the two warns. Add one, or take it out."),
        (f"{RATE}, against: baseline, fail_below: -0.1", ".fail_below",
         "fail_below goes with at_least or above: what is between the two warns. Add one, or take it out."),
        (f"{SCORE}, at_least: 2, fail_below: 3", ".fail_below",
         "fail_below 3 is above at_least 2, so that nothing warns. Change one of them."),
        (f"{SCORE}, at_most: 2, fail_above: 1", ".fail_above",
         "fail_above 1 is below at_most 2, so that nothing warns. Change one of them."),
        (f"{SCORE}, at_least: 2, tolerance: 1", ".tolerance",
         "tolerance is how far from equals still passes, and there is no equals. Add it."),
        (f"{SCORE}, equals: 3.8 ± 0.1, at_least: 2, fail_below: 1", ".equals",
         "equals stands alone, found at_least and fail_below beside it. Keep one of them."),
        (f"{SCORE}, equals: about 3", ".equals",
         "expected a figure such as 96.3, or text such as 96.3 ± 0.05; found 'about 3'."),
        (f"{SCORE}, equals: 3.8 ± 0.1, tolerance: 0.1", ".tolerance",
         "equals gives a tolerance already. Keep one of the two."),
        (f"{SCORE}, equals: 3.80", ".equals",
         "equals needs a tolerance, how far the printed figure may be off: of 3.8, 0.05 each way."),
        (f"{SCORE}, equals: '3.80'", ".equals",
         "equals needs a tolerance, how far the printed figure may be off: of 3.80, 0.005 each way."),
        (f"{RATE}, equals: 96", ".equals",
         "equals needs a tolerance, how far the printed figure may be off: of 96, 0.5 each way."),
        (f"{RATE}, equals: 0.963 ± 0.0005", ".equals",
         "equals of a rate is in per cent, as tables print it, and 0.963 may be a proportion. Say which: '96.3 %' or "
         "'0.963 %'."),
        (f"{RATE}, equals: 1, tolerance: 0.5", ".equals",
         "equals of a rate is in per cent, as tables print it, and 1 may be a proportion. Say which: '100 %' or "
         "'1 %'."),
        (f"{RATE}, against: baseline, equals: -0.5 ± 0.05", ".equals",
         "equals of a difference of rates is in points, as tables print it, and -0.5 may be a proportion. Say which: "
         "'-50 points' or '-0.5 points'."),
        (f"{RATE}, equals: 96.3 points ± 0.05", ".equals",
         "equals of a rate is in per cent, found point. Write 96.3 %."),
        (f"{RATE}, against: baseline, equals: 6.3 % ± 0.05", ".equals",
         "equals of a difference of rates is in points, found %. Write 6.3 points."),
        (f"{RATE}, equals: 963 ± 0.5", ".equals", "expected from 0 to 100 per cent, found 963."),
        (f"{RATE}, against: baseline, equals: -963 ± 0.5", ".equals", "expected from -100 to 100 points, found -963."),
        (f"{SCORE}, equals: 3.8 % ± 0.1", ".equals", "% is for rates, and mean_score is a plain number. Take it out."),
        (f"{COUNT}, equals: -1", ".equals", "expected at least 0, found -1."),
        (f"{RATE}, at_least: 0.5, margin: 0.1", ".margin",
         "margin is how much worse a comparison may be. Add against, or take it out."),
        (f"{RATE}, against: baseline, at_least: 0.1, margin: 0.1", ".margin",
         "margin asks whether it regressed, and bounds ask for more. Keep one of them."),
        (f"{RATE}, against: baseline, margin: 3", ".margin",
         "expected a difference of rates from 0 to 1, found 3. Write 0.03."),
        (f"{RATE}, against: basline", ".against",
         "expected baseline, baseline:NAME, target:GLOB or condition:NAME, found 'basline'. Did you mean 'baseline'?"),
        (f"{RATE}, against: 'baseline:'", ".against",
         "baseline: needs a name after the colon, such as baseline:main."),
        (f"{RATE}, against: target", ".against", "target: needs a name after the colon, such as target:'base:*'."),
        (f"{RATE}, against: 'condition:'", ".against",
         "condition: needs a name after the colon, such as condition:naked."),
        (f"{RATE}, against: 'baseline:../x'", ".against",
         "a baseline's name is made of letters, digits, '.', '_' and '-', found '../x'."),
        (f"{COUNT}, against: baseline, at_most: 0", ".metric",
         "against compares pass_rate, collapse_rate, fabrication_rate, over_refusal_rate, unscored_rate, error_rate "
         "and mean_score, not count."),
        ("metric: worst_score, at_least: 1, end: low", ".end",
         "worst_score has no interval, so no low end. Take end out."),
        (f"{RATE}, equals: 96.3 ± 0.05, end: high", ".end",
         "equals checks the printed value, which has no ends. Take end out."),
        (f"{RATE}, against: baseline, end: low", ".end",
         "without bounds the verdict of the comparison decides, not an end. Add a bound, or take end out."),
        ("metric: count, at_most: 0", "",
         "count needs a flag or a signal to count, found neither. Give one, such as flag: collapsed."),
        ("metric: count, at_most: 0, flag: x, signal: y, from: 1", "",
         "count needs a flag or a signal to count, found both. Give one, such as flag: collapsed."),
        (f"{RATE}, at_least: 0.5, flag: collapsed", ".flag",
         "flag is for the metric count, and this is pass_rate. Take it out."),
        ("metric: count, at_most: 0, signal: degeneration", ".signal",
         "a signal needs from, the smallest value that counts, such as from: 0.5."),
        (f"{COUNT}, at_most: 0, from: 0.5", ".from",
         "from is the smallest signal that counts, and there is no signal. Add it, or take from out."),
        (f"{RATE}, at_least: 0.5, judge: behaviour", ".judge",
         "judge is for scores and signals, and this is pass_rate. Take it out."),
        (f"{COUNT}, at_most: 0, judge: behaviour", ".judge",
         "judge is for scores and signals, and this is count. Take it out."),
        ("metric: pas_rate, at_least: 1", ".metric",
         "expected one of pass_rate, corrected_pass_rate, collapse_rate, fabrication_rate, over_refusal_rate, "
         "unscored_rate, error_rate, mean_score, median_score, worst_score, count; found 'pas_rate'. "
         "Did you mean 'pass_rate'?"),
        (f"{RATE}, at_leest: 1", ".at_leest", "unknown key 'at_leest'. Did you mean 'at_least'?"),
        (f"{RATE}, at_least: high", ".at_least", "expected a number, found the text 'high'."),
        (f"{RATE}, at_least: 0.5, end: lower", ".end",
         "expected one of estimate, low, high; found 'lower'. Did you mean 'low'?"),
        (f"{RATE}, at_least: 0.5, undecided: pass", ".undecided", "expected one of warn, fail; found 'pass'."),
        (f"{RATE}, at_least: 0.5, min_n: 0", ".min_n", "expected at least 1, found 0."),
        (f"{RATE}, at_least: 0.5, coverage: 90", ".coverage", "expected at most 1, found 90."),
        (f"{RATE}, at_least: 0.5, category: ", ".category",
         "expected text, found nothing. Write a value, or remove the key."),
        ("at_least: 0.5", "", "the key 'metric' is missing. Add it."),
    ],
)  # fmt: skip
def test_a_wrong_gate_is_told_alike_everywhere(tmp_path: Path, fields: str, field: str, message: str) -> None:
    """A gate that cannot decide must not be taken for one that holds: file, line, field, found, what to do."""
    expected = [f"$.gates[0]{field}: {message}"]

    assert problems_of_file(tmp_path, fields) == expected
    assert problems_of_suite(tmp_path, fields) == expected


def test_only_files_name_the_suite(tmp_path: Path) -> None:
    """In suite.yaml it is implied, in a file it is needed."""
    (tmp_path / "gates.yaml").write_text("gates: [{name: a, metric: pass_rate, at_least: 1}]\n", encoding="utf-8")

    with pytest.raises(UnreadableFile) as raised:
        read_gates(tmp_path / "gates.yaml", Workspace(tmp_path))

    assert str(raised.value) == "gates.yaml:1: $.gates[0]: the key 'suite' is missing. Add it."
    assert problems_of_suite(tmp_path, "suite: s, metric: pass_rate, at_least: 1") == [
        "$.gates[0]: a gate of suite.yaml is about that suite. Remove the key 'suite'."
    ]


def test_every_mistake_of_a_gate_is_told_at_once(tmp_path: Path) -> None:
    """Each at its own field."""
    assert problems_of_file(tmp_path, f"{RATE}, at_least: 90, judge: x, margin: 0.1") == [
        "$.gates[0].at_least: expected a proportion from 0 to 1, found 90. Write 0.9.",
        "$.gates[0].margin: margin is how much worse a comparison may be. Add against, or take it out.",
        "$.gates[0].judge: judge is for scores and signals, and this is pass_rate. Take it out.",
    ]


def test_every_key_arrives(tmp_path: Path) -> None:
    """In the noun's own names and units."""
    found = gate(
        tmp_path,
        "metric: mean_score, target: 'a*', category: 'A*', probe: 'P1*', condition: json, above: 1, below: 9,"
        " fail_below: 0, fail_above: 10, end: low, judge: v2, min_n: 20, coverage: 0.9, against: 'condition:naked',"
        " undecided: warn, because: it must",
    )

    assert found == Gate(
        "a", "s", "mean_score", target="a*", category="A*", probe="P1*", condition="json", above=1, below=9,
        fail_below=0, fail_above=10, end="low", judge="v2", min_n=20, coverage=0.9, against="condition:naked",
        undecided="warn", because="it must", source="gates.yaml:2",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "equals", "tolerance"),
    [
        (f"{RATE}, equals: 96.3, tolerance: 0.05", 0.963, 0.0005),
        (f"{RATE}, equals: 96.3 ± 0.05", 0.963, 0.0005),
        (f"{RATE}, equals: 96.3 % +/- 0.05 %", 0.963, 0.0005),
        (f"{RATE}, equals: 0.9 %, tolerance: 0.05", 0.009, 0.0005),
        (f"{RATE}, equals: 0, tolerance: 0.05", 0.0, 0.0005),
        (f"{RATE}, against: baseline, equals: −3.7 ± 0.05", -0.037, 0.0005),
        (f"{RATE}, against: baseline, equals: -0.5 points ± 0.05 points", -0.005, 0.0005),
        (f"{SCORE}, equals: -1.55 ± 0.005", -1.55, 0.005),
        (f"{SCORE}, equals: 21, tolerance: 0", 21.0, 0.0),
        (f"{COUNT}, equals: 11", 11.0, 0.0),
        (f"{COUNT}, equals: 11 ± 2", 11.0, 2.0),
    ],
)
def test_figures_are_read_as_tables_print_them(tmp_path: Path, fields: str, equals: float, tolerance: float) -> None:
    """Rates in per cent, differences of rates in points, scores and counts plain; a count needs no tolerance."""
    found = gate(tmp_path, fields)

    assert (found.equals, found.tolerance) == (pytest.approx(equals, abs=1e-15), pytest.approx(tolerance, abs=1e-15))


def test_a_signal_has_a_start(tmp_path: Path) -> None:
    """``from`` is the user's word for it."""
    found = gate(tmp_path, "metric: count, signal: degeneration, from: 0.5, judge: v2, at_most: 0")

    assert (found.signal, found.signal_from, found.judge) == ("degeneration", 0.5, "v2")


def test_the_training_gates_are_read() -> None:
    """The file beside lek_p21, which is no probe file."""
    root = Path(__file__).parents[2]
    path = root / "suites" / "lek_p21" / "_data" / "training_gates.yaml"
    workspace = Workspace(root)

    gates: tuple[Any, ...] = read_gates(path, workspace)

    assert not workspace.is_probe_file(path)
    assert [(one.metric, one.at_least, one.above, one.at_most, one.fail_below) for one in gates] == [
        ("mean_score", 13.0, None, None, 12.0),
        ("mean_score", 21.0, None, None, 20.0),
        ("worst_score", 8.0, None, None, 6.0),
        ("mean_score", None, 0.0, None, 0.0),
        ("count", None, None, 0.0, None),
    ]


def test_the_example_of_the_docs_is_right(tmp_path: Path) -> None:
    """docs/gates.md shows a suite.yaml that reads without a problem, and names every metric and key."""
    text = (Path(__file__).parents[2] / "docs" / "gates.md").read_text(encoding="utf-8")
    folder = tmp_path / "suites" / "bank"
    folder.mkdir(parents=True)
    (folder / "suite.yaml").write_text(text.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")

    reading = read_suite_file(folder, Workspace(tmp_path), None)

    assert (len(reading.settings.gates), reading.problems) == (5, ())
    keys = {field.alias or name for name, field in FileGateEntry.model_fields.items()}
    assert [name for name in (*keys, *get_args(Metric)) if f"`{name}`" not in text and f"{name}:" not in text] == []
