"""Whole runs through real pytest processes, bare, with -n0 and with -n2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench


def test_probes_pass_and_fail_by_their_answers(bench: Bench, workers: list[str]) -> None:
    """An answer with the wanted word passes; one without fails with the reason and the way to run it alone."""
    bench.suite("What does the kettle cost?")
    bench.suite("Where is the lamp?", name="suites/small/second.yaml", contains="lighthouse")

    result = bench.run("suites/small", *workers)

    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*suites/small/second.yaml:2: second-0 (second) on one:fp32:naked:greedy",
            "*user: Where is the lamp?",
            "*answer: The price list by the door says it; please check there.",
            "*run it alone: pytest 'suites/small/second.yaml::second-0[[]one:fp32:naked:greedy]'",
        ]
    )


def test_second_run_generates_nothing(bench: Bench, workers: list[str]) -> None:
    """Every answer of the second run comes from the store."""
    bench.suite("What does the kettle cost?", "Where is the lamp?")
    bench.run("suites/small", *workers)

    result = bench.run("suites/small", *workers)

    result.assert_outcomes(passed=2)
    assert [line["run"]["stored"] for line in bench.results()] == [True, True]


@pytest.mark.slow
def test_results_are_the_same_at_any_worker_count(bench: Bench) -> None:
    """results.jsonl differs in nothing but times and worker ids."""
    bench.suite(*(f"Question number {number} of this suite?" for number in range(12)))
    seen = []
    for arguments in ([], ["-n0"], ["-n1"], ["-n3"]):
        bench.run("suites/small", "--eval-fresh", *arguments)
        seen.append([{key: value for key, value in line.items() if key != "run"} for line in bench.results()])

    assert seen[0] == seen[1] == seen[2] == seen[3]
    assert len(seen[0]) == 12


def test_a_file_in_suites_is_a_suite_of_its_own(bench: Bench, workers: list[str]) -> None:
    """A YAML file dropped into suites/ or into a suite is collected with no other change."""
    bench.suite("What does the kettle cost?", name="suites/alone.yaml")
    bench.suite("Where is the lamp?", name="suites/small/deep/er.yml")

    bench.run("suites", *workers).assert_outcomes(passed=2)


def test_suites_are_collected_only_when_named(bench: Bench) -> None:
    """A bare pytest leaves suites alone, unless evalkit_collect = always."""
    bench.suite("What does the kettle cost?")
    bench.write("test_ordinary.py", "def test_it(): pass\n")

    bench.run().assert_outcomes(passed=1)
    bench.write("pytest.ini", "[pytest]\nevalkit_collect = always\n")
    bench.run().assert_outcomes(passed=2)


@pytest.mark.slow
def test_selection_works_as_pytest_users_expect(bench: Bench) -> None:
    """-k, -m with categories and tags, a node id, --lf, --co and -x."""
    bench.write(
        "suites/small/first.yaml",
        "defaults: {category: CONTROL}\nprobes:\n"
        "  - {id: kettle, prompt: What does the kettle cost?, tags: [shop], expect: {contains: check}}\n"
        "  - {id: lamp, prompt: Where is the lamp?, category: OTHER, expect: {contains: lighthouse}}\n",
    )
    for prompt in ("What does the kettle cost?", "Where is the lamp?"):
        bench.record(prompt, "please check there")

    bench.run("suites/small", "-k", "kettle").assert_outcomes(passed=1, deselected=1)
    bench.run("suites/small", "-m", "shop").assert_outcomes(passed=1, deselected=1)
    bench.run("suites/small", "-m", "CONTROL and not OTHER", "--strict-markers").assert_outcomes(passed=1, deselected=1)
    bench.run("suites/small/first.yaml::lamp").assert_outcomes(failed=1)
    bench.run("suites/small/first.yaml::kettle[one:fp32:naked:greedy]").assert_outcomes(passed=1)
    bench.run("suites/small").assert_outcomes(passed=1, failed=1)
    bench.run("suites/small", "--lf").assert_outcomes(failed=1)
    listed = bench.run("suites/small", "--co", "-q")
    listed.stdout.fnmatch_lines(
        [
            "suites/small/first.yaml::kettle[[]one:fp32:naked:greedy]",
            "suites/small/first.yaml::lamp[[]one:fp32:naked:greedy]",
        ]
    )


@pytest.mark.parametrize("option", ["--co", "--fixtures", "--setup-plan"])
def test_nothing_is_started_where_nothing_runs(bench: Bench, option: str) -> None:
    """Collecting or planning alone starts no host and leaves no state behind."""
    bench.suite("What does the kettle cost?")

    bench.run("suites/small", option)

    assert not (bench.root / ".evalkit").exists()
    assert not (bench.root / "reports").exists()


def test_multi_turn_probes_carry_the_conversation(bench: Bench, workers: list[str]) -> None:
    """The second turn is asked with the first answer before it, and ``judge_turns: all`` judges both."""
    bench.write(
        "suites/small/talk.yaml",
        "probes:\n  - id: talk\n    judge_turns: all\n    expect: {contains: sorry}\n    turns:\n"
        "      - system: You are brief.\n      - user: Open it.\n      - generate\n      - user: Please!\n"
        "      - generate: {max_new_tokens: 5}\n",
    )
    start = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "Open it."}]
    more = [*start, {"role": "assistant", "content": "No, sorry."}, {"role": "user", "content": "Please!"}]
    bench.say(start, "No, sorry.", "one:fp32:naked:greedy")
    bench.say(more, "Very well, opened.", "one:fp32:naked:greedy")

    result = bench.run("suites/small", *workers)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*answer: No, »sorry«.", "*user: Please!", "*answer: Very well, opened."])


def test_samples_are_trials_of_their_own(bench: Bench, workers: list[str]) -> None:
    """``samples: 3`` makes three items, each judged on its own answer."""
    bench.write(
        "suites/small/draws.yaml",
        "probes:\n  - {id: die, prompt: Roll a die., samples: 3, decoding: {temperature: 1.0},"
        " expect: {contains_any: ['4', '6']}}\n",
    )
    for sample, answer in enumerate(["A 4 it is.", "A 1, alas.", "A 6 for once."]):
        bench.record("Roll a die.", answer, sample=sample)

    result = bench.run("suites/small", *workers)

    result.assert_outcomes(passed=2, failed=1)
    assert [line["outcome"] for line in bench.results()] == ["pass", "fail", "pass"]


def test_a_missing_recording_is_an_error_not_a_failure(bench: Bench, workers: list[str]) -> None:
    """A trial whose request has no generation is an ERROR; the others go on."""
    bench.suite("What does the kettle cost?")
    bench.write("suites/small/other.yaml", "probes: [{id: q, prompt: Never recorded?, expect: {contains: x}}]\n")

    result = bench.run("suites/small", *workers)

    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == 1


def test_limit_runs_few_and_decides_no_gate(bench: Bench) -> None:
    """--eval-limit takes that many probes of each suite."""
    bench.suite("What does the kettle cost?", "Where is the lamp?", "Who waters the fern?")

    bench.run("suites/small", "--eval-limit", "2").assert_outcomes(passed=2)


@pytest.mark.slow
def test_recordings_round_trip(bench: Bench) -> None:
    """What --eval-record writes can be replayed into the same results."""
    bench.suite("What does the kettle cost?", "Where is the lamp?")
    bench.run("suites/small", "--eval-record", "fixtures/recordings/kept.jsonl", "-n2")
    first = [{key: value for key, value in line.items() if key != "run"} for line in bench.results()]
    (bench.root / "fixtures/recordings/answers.jsonl").unlink()

    bench.run("suites/small", "--eval-engine", "replay=kept.jsonl", "--eval-fresh").assert_outcomes(passed=2)

    again = [{key: value for key, value in line.items() if key != "run"} for line in bench.results()]
    assert [line["answers"] for line in again] == [line["answers"] for line in first]


def test_a_mistaken_target_is_one_sentence(bench: Bench, workers: list[str]) -> None:
    """It ends the run at once with pytest's status for usage errors, whatever -n."""
    bench.suite("What does the kettle cost?")

    result = bench.run("suites/small", "--eval-quant", "nf5", *workers)

    assert result.ret == 4
    errors = [line for line in result.stderr.lines if line]
    assert len(errors) == 1
    assert errors[0].startswith("ERROR: --eval-quant: ")
    assert "nf4" in errors[0]


def test_two_workspaces_in_one_run_are_refused(bench: Bench) -> None:
    """The second one's files are ERRORs that say what to do; nothing is dropped silently."""
    bench.suite("What does the kettle cost?")
    bench.write("other/suites/more/x.yaml", "probes: [{prompt: Hm?, expect: {contains: x}}]\n")

    result = bench.run("suites/small", "other/suites/more")

    result.assert_outcomes(passed=1, errors=1)
    sentence = f"{bench.root}/other/suites/more/x.yaml: belongs to another workspace than {bench.root}, *"
    result.stdout.fnmatch_lines([sentence])


def test_hostile_answers_do_no_harm(bench: Bench, workers: list[str]) -> None:
    """Control sequences, overrides, NUL, lone surrogates and formulas: the run ends, the terminal stays clean."""
    hostile = [
        "\x1b[2Jgone",
        "a\u202eb",
        "nul\x00here",
        "half \ud800 a pair",
        '=HYPERLINK("x")',
        "<script>x()</script>",
    ]
    for number, text in enumerate(hostile):
        bench.suite(f"Question number {number}?", name=f"suites/small/h{number}.yaml", contains="nothing of the sort")
        bench.recorded[-1]["text"] = f"{text} and more words"
    bench.record("Never asked at all", "so that the last recording is written")

    result = bench.run("suites/small", "-rA", *workers)

    result.assert_outcomes(failed=len(hostile))
    printed = result.stdout.str()
    assert not {"\x1b", "\u202e", "\x00", "\ud800"} & set(printed)
    assert [line["answers"][0]["text"] for line in bench.results()] == [f"{text} and more words" for text in hostile]


def test_a_broken_trial_is_told_without_laying_out_a_traceback(bench: Bench, workers: list[str]) -> None:
    """Which nobody sees, and which took a tenth of a second: a lost host may leave thousands of such trials."""
    bench.suite("What does the kettle cost?")
    bench.write("suites/small/second.yaml", "probes: [{id: unknown, prompt: Who?, expect: {contains: me}}]\n")
    bench.write(
        "conftest.py",
        "from _pytest.nodes import Node\n\n"
        "def laid_out(*arguments, **settings):\n    raise SystemExit('laid out')\n\n"
        "Node._repr_failure_py = laid_out\n",
    )

    result = bench.run("suites/small", *workers)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*suites/small/second.yaml:1: unknown on one:fp32:naked:greedy"])
