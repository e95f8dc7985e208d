"""Probes that a training file holds are not run, and the report says so."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

SENTENCE = "1 probe left out: it overlaps with train.txt (suites/small/_data/excluded.yaml)"
ASKED = ("Where is the key to the old brewery?", "Who feeds the seven goats of the miller?")


def check(bench: Bench, *file: str) -> None:
    """``evalkit check --train train.txt --exclude [FILE]``, in a process of its own: pytester unloads modules."""
    words = ("check", "--train", "train.txt", "--exclude", *file)
    subprocess.run([sys.executable, "-m", "evalkit", *words], cwd=bench.root, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def leaked(bench: Bench) -> Bench:
    """Two probes, of which the training file holds the first."""
    bench.suite(*ASKED)
    bench.write("train.txt", f"{ASKED[0]}\n")
    return bench


def reported(bench: Bench) -> str:
    (summary,) = bench.root.glob("reports/out/*/summary.md")
    return summary.read_text(encoding="utf-8")


def test_the_list_that_suite_yaml_names(leaked: Bench, workers: list[str]) -> None:
    """Its probes are not collected; terminal and report say how many and why."""
    check(leaked)
    leaked.write("suites/small/suite.yaml", "exclusions: _data/excluded.yaml\n")

    done = leaked.run("suites/small", *workers)

    done.assert_outcomes(passed=1)
    assert SENTENCE in " ".join(done.stdout.str().split())
    assert [record["probe"] for record in leaked.results()] == ["first-1"]
    assert SENTENCE.replace("_", r"\_") in reported(leaked) or SENTENCE in reported(leaked)


def test_the_list_of_the_command_line(leaked: Bench, workers: list[str]) -> None:
    """Relative to where pytest was started."""
    check(leaked, "left.yaml")

    done = leaked.run("suites/small", "--eval-exclude", "left.yaml", *workers)

    done.assert_outcomes(passed=1)
    assert "1 probe left out: it overlaps with train.txt (left.yaml)" in " ".join(done.stdout.str().split())


def test_gates_decide_about_what_is_left(leaked: Bench) -> None:
    """The probes that are left out are no part of the plan."""
    check(leaked)
    gate = "gates: [{name: all, metric: pass_rate, at_least: 1.0}]"
    leaked.write("suites/small/suite.yaml", f"exclusions: _data/excluded.yaml\n{gate}\n")

    done = leaked.run("suites/small")

    assert done.ret == 0
    assert "not decided" not in done.stdout.str()


def test_a_changed_probe_runs(leaked: Bench) -> None:
    """And the report says that the list is behind."""
    check(leaked)
    leaked.suite("Where are the four keys to the brewery?", ASKED[1])
    leaked.write("suites/small/suite.yaml", "exclusions: _data/excluded.yaml\n")

    done = leaked.run("suites/small")

    done.assert_outcomes(passed=2)
    assert (
        "suites/small/_data/excluded.yaml: names a probe whose text has changed since, run all the same: first-0. "
        "Make the list again with: evalkit check --train FILE --exclude"
    ) in " ".join(done.stdout.str().split())


def test_a_list_that_cannot_be_read_stops_the_run(leaked: Bench) -> None:
    """One sentence, exit status 4."""
    leaked.write("left.yaml", "excluded: 3\n")

    done = leaked.run("suites/small", "--eval-exclude", "left.yaml")

    assert done.ret == 4
    done.stderr.fnmatch_lines(["*left.yaml:1: $: the key 'measure' is missing. Add it.*"])


def test_a_list_that_is_not_there_stops_the_run(leaked: Bench) -> None:
    """So does a name that is wrong."""
    done = leaked.run("suites/small", "--eval-exclude", "gone.yaml")

    assert done.ret == 4
    done.stderr.fnmatch_lines(["*gone.yaml: cannot be opened: No such file or directory."])


def test_a_suite_of_which_nothing_is_left(leaked: Bench) -> None:
    """Nothing is collected, and the reason is said all the same."""
    leaked.write("train.txt", "\n".join(ASKED))
    check(leaked)
    leaked.write("suites/small/suite.yaml", "exclusions: _data/excluded.yaml\n")

    done = leaked.run("suites/small")

    assert done.ret == 5
    done.stdout.fnmatch_lines(["2 probes left out: they overlap with train.txt (suites/small/_data/excluded.yaml)"])
