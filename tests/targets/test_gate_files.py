"""Files of gates, the demo's among them."""

import pytest

from evalkit.errors import UnreadableFile
from evalkit.gates import Gate
from evalkit.reading.gates import read_gates
from evalkit.reading.targets import read_targets


def test_the_demo_gates_ask_only_for_what_is_caused(scratch):
    """Looping collapses, steady does not, nothing errs; each says why in a sentence."""
    (path,) = read_targets(scratch.workspace).gate_files

    gates = read_gates(path, scratch.workspace)

    assert [(gate.suite, gate.target, gate.metric, gate.at_least, gate.at_most) for gate in gates] == [
        ("instrument_trap", "demo+looping:*", "collapse_rate", 0.8, None),
        ("instrument_trap", "demo+steady:*", "collapse_rate", None, 0.05),
        ("instrument_trap", "demo*", "error_rate", None, 0.0),
    ]
    assert all(gate.because.endswith(".") for gate in gates)
    assert all(":" in gate.source for gate in gates)


def test_a_gate_knows_where_it_was_written(scratch):
    """Every field, and the line."""
    path = scratch.write(
        "fixtures/gates.yaml",
        "gates:\n  - {name: a, suite: s, metric: pass_rate, category: C, at_least: 0.5, because: b}\n",
    )

    assert read_gates(path, scratch.workspace) == (
        Gate("a", "s", "pass_rate", "*", "C", 0.5, None, "b", "fixtures/gates.yaml:2"),
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            "name: a, suite: s, metric: pass_rate",
            "$.gates[0]: gate 'a' asks for nothing. Add at_least, above, at_most, below or equals.",
        ),
        (
            "name: a, suite: s, metric: pass_rate, at_least: 0.9, at_most: 0.1",
            "$.gates[0]: gate 'a' cannot hold: at_least 0.9 is above at_most 0.1.",
        ),
        (
            "name: a, suite: s, metric: pass_rate, at_least: 80",
            "$.gates[0].at_least: expected a proportion from 0 to 1, found 80. Write 0.8.",
        ),
        (
            "name: a, suite: s, metric: pas_rate, at_least: 1",
            "$.gates[0].metric: expected one of pass_rate, corrected_pass_rate, collapse_rate, fabrication_rate, "
            "over_refusal_rate, unscored_rate, error_rate, mean_score, median_score, worst_score, count; found "
            "'pas_rate'. Did you mean 'pass_rate'?",
        ),
        ("name: a, metric: pass_rate, at_least: 1", "$.gates[0]: the key 'suite' is missing. Add it."),
    ],
)
def test_a_wrong_gate_is_shown_at_its_line(scratch, fields, message):
    """A gate that cannot decide must not be taken for one that holds."""
    path = scratch.write("fixtures/gates.yaml", f"gates:\n  - {{{fields}}}\n")

    with pytest.raises(UnreadableFile) as raised:
        read_gates(path, scratch.workspace)

    assert str(raised.value) == f"fixtures/gates.yaml:2: {message}"


def test_two_gates_of_one_name_are_told_apart(scratch):
    """The name is how a report speaks of a gate."""
    gate = "  - {name: a, suite: s, metric: pass_rate, at_least: 1}\n"
    path = scratch.write("fixtures/gates.yaml", f"gates:\n{gate}{gate}")

    with pytest.raises(UnreadableFile) as raised:
        read_gates(path, scratch.workspace)

    assert str(raised.value) == (
        "fixtures/gates.yaml:3: $.gates[1].name: the gate 'a' is already at fixtures/gates.yaml:2. "
        "Give this one another name."
    )
