"""Templates and perturbed probes through real pytest processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from evalkit.reading.suites import read_all_files
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

SUITE = """\
probes:
  - id: visit
    category: TRAVEL
    expand: {city: [Paris, Lima], ask: {file: _data/asks.txt}}
    prompt: "{{ ask }} the old harbour of {{ city }} today?"
    expect: {contains: check}
    perturb: {shuffle: 0.5}
"""
ASKS = ("How big is", "How old is")
TARGET = "one:fp32:naked:greedy"


@pytest.fixture
def visits(bench: Bench) -> Bench:
    """Four expanded probes with one shuffle each; every answer is recorded."""
    bench.write("suites/visits/_data/asks.txt", "\n".join(ASKS))
    bench.write("suites/visits/a.yaml", SUITE)
    for probe in read_all_files(bench.root / "suites/visits", Workspace(bench.root), None, None).probes:
        bench.record(probe.prompt, "please check")
    return bench


def test_expanded_and_perturbed_probes_run(visits: Bench, workers: list[str]) -> None:
    """Each is an item, and the results tell a perturbed one's original, strength and cluster."""
    visits.run("suites/visits", *workers).assert_outcomes(passed=8)

    lines = {str(line["probe"]): line for line in visits.results()}
    original, derived = lines["visit.paris.how-big-is"], lines["visit.paris.how-big-is~shuffle0.5.r1"]
    assert {line["cluster"] for line in lines.values()} == {"visit"}
    assert {line["line"] for line in lines.values()} == {2}
    assert original["perturbation"] is None
    assert derived["perturbation"] == {
        "kind": "shuffle", "ratio": 0.5, "replicate": 1, "of": "visit.paris.how-big-is", "drawn": 4,
        "changed_share": derived["perturbation"]["changed_share"],  # type: ignore[index]
    }  # fmt: skip


def test_an_expanded_probe_is_selected_as_any_other(visits: Bench) -> None:
    """By its node id, by words of its id, by its category."""
    one = f"suites/visits/a.yaml::visit.lima.how-old-is~shuffle0.5.r1[{TARGET}]"

    visits.run(one).assert_outcomes(passed=1)
    visits.run("suites/visits", "-k", "lima and not shuffle").assert_outcomes(passed=2, deselected=6)
    visits.run("suites/visits", "-m", "TRAVEL").assert_outcomes(passed=8)


def test_a_large_suite_is_kept_and_collected_alike(bench: Bench, workers: list[str]) -> None:
    """The first collection writes the reading, later ones collect the same from it; a mistake is told each time."""
    numbers = ", ".join(map(str, range(150)))
    text = f"probes:\n  - {{id: x, expand: {{n: [{numbers}]}}, prompt: 'See {{{{ n }}}}', expect: {{contains: a}}}}\n"
    bench.write("suites/many/a.yaml", text)

    first = bench.run("suites/many", "--co", "-q", *workers)
    kept = list((bench.root / ".evalkit/cache/suites").iterdir())
    second = bench.run("suites/many", "--co", "-q", *workers)
    bench.write("suites/many/b.yaml", "probes: [{prompt: Who?}]\n")
    third = bench.run("suites/many", *workers)

    assert len(kept) == 1
    ids = [line for line in first.outlines if "::" in line]
    assert len(ids) == 150
    assert ids == [line for line in second.outlines if "::" in line]
    third.assert_outcomes(errors=151)
    third.stdout.fnmatch_lines(["*suites/many/b.yaml:1: $.probes[[]0]: nothing decides this probe: *"])
