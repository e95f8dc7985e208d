"""What GitHub is told: annotations at lines, and a summary it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.gates import Gate, GateResult
from evalkit.record import TrialRecord
from evalkit.reporting.github import MAX_SUMMARY_BYTES, add_to_step_summary, annotation_lines, is_github

Make = Callable[..., TrialRecord]
GATE = Gate("mostly", "it", "pass_rate", at_least=0.9, source="suites/it/suite.yaml:4")


def result(outcome: str, **changes: object) -> GateResult:
    gate = Gate(
        **{**{name: getattr(GATE, name) for name in ("name", "suite", "metric", "at_least", "source")}, **changes}
    )  # type: ignore[arg-type]
    return GateResult(gate, outcome, 0.5, 4, "pass rate is 50.0 %, at least 90 % wanted")  # type: ignore[arg-type]


def test_a_red_run_shows_gates_errors_and_failing_probes(make_record: Make) -> None:
    """Each at its own line, under the folder that the workspace has in the checkout."""
    records = [
        make_record(outcome="fail", reason="behaviour: agrees"),
        make_record(probe="lamp", line=9, outcome="error", reason="Host lost"),
        make_record(probe="bell", outcome="fail", role="reference"),
        make_record(probe="good"),
    ]

    assert annotation_lines(records, [result("fail"), result("pass")], is_red=True, prefix="evals/") == [
        "::error file=evals/suites/it/suite.yaml,line=4,title=gate mostly::"
        "pass rate is 50.0 %25, at least 90 %25 wanted",
        "::error file=evals/suites/it/control.yaml,line=9,title=lamp on demo+steady%3Afp32%3Anaked%3Agreedy::Host lost",
        "::error file=evals/suites/it/control.yaml,line=3,title=tides on demo+steady%3Afp32%3Anaked%3Agreedy::"
        "behaviour: agrees",
    ]


def test_in_a_green_run_failing_probes_are_notices(make_record: Make) -> None:
    """They are within the allowance; a warning stays one."""
    found = annotation_lines(
        [make_record(outcome="fail", reason="no")],
        [result("warn"), result("undecided", undecided="warn")],
        is_red=False,
    )

    assert [line.split(" ", 1)[0] for line in found] == ["::warning", "::warning", "::notice"]


def test_no_more_than_github_shows(make_record: Make) -> None:
    """Ten; the last says how many are left out."""
    records = [make_record(probe=f"p{number}", outcome="fail") for number in range(14)]

    found = annotation_lines(records, [], is_red=True)

    assert len(found) == 10
    assert found[-1] == "::error title=evalkit::5 more are in the job's summary and in its log."
    assert len(annotation_lines(records[:10], [], is_red=True)) == 10


@pytest.mark.parametrize(
    "hostile", ["a\n::error::b", "x%0A::stop-commands::y", "z\r\n::set-output name=q::1", "\x1b[31mred"]
)
def test_an_answer_cannot_give_commands(make_record: Make, hostile: str) -> None:
    """One line, no escape, no second command."""
    (line,) = annotation_lines([make_record(outcome="fail", reason=hostile, probe=hostile)], [], is_red=True)

    assert line.count("::") >= 2
    assert "\n" not in line
    assert "\r" not in line
    assert "\x1b" not in line
    assert "%0A::stop" not in line


def test_the_summary_is_appended_and_cut_where_github_would_refuse_it(tmp_path: Path) -> None:
    """What other steps wrote stays; a summary that is too long ends with the sentence that says so."""
    page = tmp_path / "page.md"
    page.write_text("before\n", encoding="utf-8")

    add_to_step_summary(page, "# run\n")
    assert page.read_text(encoding="utf-8") == "before\n# run\n"

    add_to_step_summary(page, "é" * MAX_SUMMARY_BYTES)
    assert page.stat().st_size <= MAX_SUMMARY_BYTES
    assert page.read_text(encoding="utf-8").endswith("`summary.md` among the run's reports.*\n")


def test_only_github_is_github() -> None:
    """Other systems get no workflow commands."""
    assert is_github({"GITHUB_ACTIONS": "true"})
    assert not is_github({"CI": "true"})
