"""What our own suites promise: counts, reasons, expectations, and that no probe is a copy of another."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from evalkit.authoring.frames import repeated_openings, repeated_skeletons
from evalkit.authoring.lengths import LONG_WORDS, SHORT_WORDS, lengths
from evalkit.authoring.likeness import alike
from evalkit.probe import Probe
from evalkit.reading.build import read_suite
from evalkit.reading.judge_files import judge_names
from evalkit.workspace import Workspace

ROOT = Path(__file__).parents[2]
TRAP = "instrument_trap"
COUNTS = {
    "ADVERSARIAL": 156, "HARMFUL_REFUSAL": 44, "ERROR_CORRECTION": 44, "EPISTEMIC_HUMILITY": 44, "CONTROL": 44,
    "IDENTITY_INTEGRITY": 34, "SAFE_PASSAGE": 34, "IRREDUCIBLE_UNCERTAINTY": 34,
}  # fmt: skip
ATTACKS = {
    "JAILBREAK": 26, "DISGUISED": 26, "EMOTIONAL": 20, "AUTHORITY": 19, "ENCODING": 13, "LOGIC": 13, "MULTI_TURN": 13,
    "IDENTITY": 13, "SOCIAL": 13,
}  # fmt: skip
RECOMMENDATIONS = {"BLOCK", "PASS", "LIMIT"}
WRITTEN = [
    name
    for name in (TRAP, "lek_p101", "lek_p21", "lek_rephrased", "lek_creative", "reasoning", "ccp_alignment")
    if (ROOT / "suites" / name).is_dir()
]
"""Suites whose every probe was written by hand; the generated items of capability are not among them."""


@cache
def probes(suite: str) -> tuple[Probe, ...]:
    workspace = Workspace(ROOT)
    reading = read_suite(workspace.suites / suite, workspace, judge_names(workspace))
    assert [problem for file in reading.files for problem in file.problems] == []
    return reading.probes


def by_category(suite: str) -> dict[str, list[Probe]]:
    groups: dict[str, list[Probe]] = {}
    for probe in probes(suite):
        groups.setdefault(probe.category, []).append(probe)
    return groups


def test_the_trap_holds_its_counts() -> None:
    """In every category, and in every kind of attack."""
    assert Counter(probe.category for probe in probes(TRAP)) == COUNTS
    attacks = Counter(probe.subcategory for probe in probes(TRAP) if probe.category == "ADVERSARIAL")
    assert attacks == ATTACKS


def test_the_trap_speaks_several_languages() -> None:
    """At least a tenth is Spanish, in every category some; three more languages at the least."""
    spoken = Counter(probe.language for probe in probes(TRAP))

    assert spoken["es"] >= 0.1 * len(probes(TRAP))
    assert len(spoken) >= 5
    assert None not in spoken
    for category, members in by_category(TRAP).items():
        assert any(probe.language == "es" for probe in members), category


def test_every_probe_of_the_trap_says_why_and_what_is_expected() -> None:
    """One reason of its own each, a behaviour and a recommendation."""
    reasons = Counter(probe.why for probe in probes(TRAP))

    assert [reason for reason, count in reasons.items() if not reason or count > 1] == []
    for probe in probes(TRAP):
        assert probe.expect.behaviour, probe.id
        assert probe.expect.recommendation in RECOMMENDATIONS, probe.id


def test_pressure_over_several_turns_is_there() -> None:
    """Among the attacks, and bypasses by format and look-alike letters are tagged."""
    attacks = by_category(TRAP)["ADVERSARIAL"]
    tags = {tag for probe in probes(TRAP) for tag in probe.tags}

    assert sum(len([turn for turn in probe.turns if hasattr(turn, "decoding")]) > 1 for probe in attacks) >= 10
    assert {"format_bypass", "homoglyph"} <= tags


@pytest.mark.parametrize("category", COUNTS)
def test_lengths_of_the_trap_spread(category: str) -> None:
    """From 8 words at the 10th percentile to 45 at the 90th, in every category."""
    found = lengths(by_category(TRAP)[category])

    assert found.is_wide, f"{found}: want at most {SHORT_WORDS} and at least {LONG_WORDS}"


@pytest.mark.parametrize("suite", WRITTEN)
def test_no_frame_is_filled_again(suite: str) -> None:
    """No masked skeleton more than twice in a category, no opening of four words more than three times."""
    alone = probes(suite) if suite != TRAP else tuple(replace(probe, cluster=None) for probe in probes(suite))
    skeletons = [(frame.words, [probe.id for probe in frame.probes]) for frame in repeated_skeletons(alone)]
    openings = [(frame.words, [probe.id for probe in frame.probes]) for frame in repeated_openings(alone)]

    assert (skeletons, openings) == ([], [])


@pytest.mark.parametrize("suite", WRITTEN)
def test_no_probe_is_a_near_copy(suite: str) -> None:
    """TF-IDF cosine under 0.6 inside a category, variants in one cluster excepted."""
    assert [(pair.earlier.id, pair.later.id, round(pair.cosine, 2)) for pair in alike(probes(suite))] == []


@pytest.mark.parametrize("suite", WRITTEN)
def test_no_id_is_taken_twice(suite: str) -> None:
    """Also across files, and whatever the capitals."""
    assert [name for name, count in Counter(probe.id.lower() for probe in probes(suite)).items() if count > 1] == []
