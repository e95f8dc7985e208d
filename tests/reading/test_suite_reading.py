"""suite.yaml becomes settings, gates and defaults."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.gates import Gate
from evalkit.reading.build import SuiteReading, SuiteSettings, read_suite
from evalkit.workspace import Workspace

PROBE = "probes: [{prompt: Who?, expect: {contains: I}}]\n"


def read(tmp_path: Path, **files: str) -> SuiteReading:
    """The suite ``bank`` with these files; ``suite`` is suite.yaml."""
    folder = tmp_path / "suites" / "bank"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return read_suite(folder, Workspace(tmp_path))


def shown(reading: SuiteReading) -> list[list[str]]:
    return [[str(problem) for problem in file.problems] for file in reading.files]


def test_every_key_is_read(tmp_path: Path) -> None:
    """Title, description, bounds and gates arrive; the suite of a gate is implied, its source is its line."""
    text = (
        "title: Bank\ndescription: Keeps accounts apart.\nmax_unscored: 0.1\n"
        "gates:\n"
        "  - {name: kind, metric: pass_rate, target: '*:naked:*', category: A, at_least: 0.9, because: it must be}\n"
        "  - {name: calm, metric: collapse_rate, at_most: 0}\n"
    )

    reading = read(tmp_path, suite=text, a=PROBE)

    assert reading.settings == SuiteSettings(
        "Bank",
        "Keeps accounts apart.",
        0.1,
        (
            Gate("kind", "bank", "pass_rate", "*:naked:*", "A", 0.9, None, "it must be", "suites/bank/suite.yaml:5"),
            Gate("calm", "bank", "collapse_rate", "*", None, None, 0.0, "", "suites/bank/suite.yaml:6"),
        ),
    )
    assert shown(reading) == [[]]


def test_broken_settings_are_told_once_and_the_probes_still_run(tmp_path: Path) -> None:
    """The first file carries what is wrong with suite.yaml; defaults that are right are used."""
    text = (
        "title: no\ndefaults: {category: A}\n"
        "gates:\n"
        "  - {name: x, metric: pass, at_least: 1.5}\n"
        "  - {name: y, metric: error_rate}\n"
    )

    reading = read(tmp_path, suite=text, a=PROBE, b=PROBE)

    assert shown(reading) == [
        [
            "suites/bank/suite.yaml:1: $.title: expected text, found false (YAML reads a bare no as false). "
            'Write "no" in quotes.',
            "suites/bank/suite.yaml:4: $.gates[0].metric: expected one of pass_rate, corrected_pass_rate, "
            "collapse_rate, fabrication_rate, "
            "over_refusal_rate, unscored_rate, error_rate, mean_score, median_score, worst_score, count; found 'pass'. "
            "Did you mean 'pass_rate'?",
            "suites/bank/suite.yaml:5: $.gates[1]: gate 'y' asks for nothing. "
            "Add at_least, above, at_most, below or equals.",
        ],
        [],
    ]
    assert [file.probes[0].category for file in reading.files] == ["A", "A"]
    assert reading.settings == SuiteSettings("bank", "")


def test_gate_name_is_unique(tmp_path: Path) -> None:
    """The second gate of a name is refused and named with the first one's place."""
    text = "gates:\n  - {name: x, metric: error_rate, at_most: 0}\n  - {name: x, metric: pass_rate, at_least: 0}\n"

    assert shown(read(tmp_path, suite=text, a=PROBE)) == [
        [
            "suites/bank/suite.yaml:3: $.gates[1].name: the gate 'x' is already at suites/bank/suite.yaml:2. "
            "Give this one another name."
        ]
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("defaults: {categry: A}", "1: $.defaults.categry: unknown key 'categry'. Did you mean 'category'?"),
        ("default: {category: A}", "1: $.default: unknown key 'default'. Did you mean 'defaults'?"),
        ("defaults: {id: x}", "1: $.defaults.id: unknown key 'id'. Known: category, subcategory, tags, language, "
         "cluster, why, license, author, expect, judges, judge_turns, samples, decoding, expect_repetition, perturb."),
        ("defaults: {why: 2024-01-01}",
         '1: $.defaults.why: found 2024-01-01, which YAML reads as a date. Write "2024-01-01" in quotes.'),
        ("- a", "1: $: expected a mapping, found a list."),
        ("title: 'x", "1: a quote opened here is never closed. Close it."),
        ("", "1: the file is empty. Write its content, or delete it."),
    ],
)  # fmt: skip
def test_no_probe_runs_under_wrong_defaults(text: str, message: str, tmp_path: Path) -> None:
    """Where the defaults are unknown every file says why it is not read."""
    reading = read(tmp_path, suite=text, a=PROBE, b=PROBE)

    why = "not read, because suites/bank/suite.yaml is broken. Correct that first."
    assert shown(reading) == [
        [f"suites/bank/suite.yaml:{message}", f"suites/bank/a.yaml: {why}"],
        [f"suites/bank/b.yaml: {why}"],
    ]
    assert [file.probes for file in reading.files] == [(), ()]


def test_suite_without_probe_files_still_tells_its_problems(tmp_path: Path) -> None:
    """A broken suite.yaml alone is a reading of its own."""
    reading = read(tmp_path, suite="titel: x")

    assert [file.file for file in reading.files] == ["suites/bank/suite.yaml"]
    assert shown(reading) == [["suites/bank/suite.yaml:1: $.titel: unknown key 'titel'. Did you mean 'title'?"]]


def test_suite_file_in_the_wrong_place_is_named(tmp_path: Path) -> None:
    """A suite.yaml below the suite's folder, or spelt .yml, is not passed over in silence."""
    folder = tmp_path / "suites" / "bank" / "deep"
    folder.mkdir(parents=True)
    (folder / "suite.yaml").write_text("title: x", encoding="utf-8")
    (folder.parent / "suite.yml").write_text("title: x", encoding="utf-8")
    (folder / "a.yaml").write_text(PROBE, encoding="utf-8")

    reading = read_suite(folder.parent, Workspace(tmp_path))

    remedy = "a suite's own file is suites/bank/suite.yaml. Move or rename this one."
    assert shown(reading) == [[f"suites/bank/deep/suite.yaml: {remedy}", f"suites/bank/suite.yml: {remedy}"]]
    assert len(reading.files[0].probes) == 1


@pytest.mark.parametrize("twin", ["bank", "bank.yml"])
def test_two_suites_of_one_name_are_refused(tmp_path: Path, twin: str) -> None:
    """A file directly in suites/ may not bear the name of a folder there, nor of a file with the other suffix."""
    suites = tmp_path / "suites"
    suites.mkdir()
    (suites / "bank.yaml").write_text(PROBE, encoding="utf-8")
    if twin == "bank":
        (suites / twin).mkdir()
    else:
        (suites / twin).write_text(PROBE, encoding="utf-8")

    reading = read_suite(suites / "bank.yaml", Workspace(tmp_path))

    assert shown(reading) == [[f"suites/bank.yaml: suites/{twin} is a suite named 'bank' too. Rename one of them."]]
    assert reading.files[0].probes == ()


def test_conditions_are_found_beside_the_suite(tmp_path: Path) -> None:
    """Names stay names; files get the path that --eval-condition can read."""
    folder = tmp_path / "suites" / "bank" / "_data"
    folder.mkdir(parents=True)
    (folder / "calm.txt").write_text("Stay calm.")
    (folder.parent / "suite.yaml").write_text("conditions: [naked, calm=_data/calm.txt]\n")
    (folder.parent / "a.yaml").write_text(PROBE)

    reading = read_suite(folder.parent, Workspace(tmp_path))

    assert reading.settings.conditions == ("naked", f"calm={folder / 'calm.txt'}")
    assert shown(reading) == [[]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "conditions: [naked, calm=gone.txt]\n",
            "suites/bank/suite.yaml:1: $.conditions[1]: there is no file 'gone.txt' in the suite's folder. "
            "Write NAME=FILE, relative to suite.yaml.",
        ),
        (
            "conditions: [calm=../../outside.txt]\n",
            "suites/bank/suite.yaml:1: $.conditions[0]: there is no file '../../outside.txt' in the suite's folder. "
            "Write NAME=FILE, relative to suite.yaml.",
        ),
        (
            "conditions: [naked, naked]\n",
            "suites/bank/suite.yaml:1: $.conditions[1]: the condition 'naked' is listed twice.",
        ),
        ("conditions: []\n",
         "suites/bank/suite.yaml:1: $.conditions: expected at least one entry, found an empty list."),
    ],
)  # fmt: skip
def test_wrong_conditions_are_named(text: str, message: str, tmp_path: Path) -> None:
    """A file that is not there or outside the suite, a name twice, none at all."""
    (tmp_path / "outside.txt").write_text("x")

    assert shown(read(tmp_path, suite=text, a=PROBE)) == [[message]]
