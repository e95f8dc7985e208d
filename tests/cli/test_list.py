"""``evalkit list``: targets, suites, judges and runs as a table or as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Command

    Write = Callable[[str, str], Path]

SUITES = """\
suite      probes    problems  categories    languages     conditions    title
-------  --------  ----------  ------------  ------------  ------------  ---------
other           1           1  other 1       none 1                      other
small           2           0  first 1, P 1  none 1, fr 1  naked         The small
"""
TARGETS = """\
target                 role     model
---------------------  -------  -------
one:fp32:naked:greedy  subject  model
"""


def test_targets(evalkit: Command, workspace: Path) -> None:
    """Those that run when the command line names none."""
    row = {"target": "one:fp32:naked:greedy", "role": "subject", "model": "model"}

    assert evalkit("list", "targets").out == TARGETS
    assert json.loads(evalkit("list", "targets", "--json").out) == [row]


def test_suites(evalkit: Command, workspace: Path, write: Write) -> None:
    """With the number of probes and of problems, unknown judges included; other files are no suites."""
    write("suites/README.md", "notes")
    write("suites/other.yaml", "probes: [{prompt: A?, judges: [nobody]}, {prompt: B?, expect: {contains: b}}]\n")

    write("suites/small/suite.yaml", "title: The small\nconditions: [naked]\n")
    write("suites/small/p.yaml", "probes: [{id: p, category: P, language: fr, prompt: Q?, expect: {contains: q}}]\n")

    assert evalkit("list", "suites").out == SUITES
    assert json.loads(evalkit("list", "suites", "--json").out)[1] == {
        "suite": "small", "probes": 2, "problems": 0, "categories": {"first": 1, "P": 1},
        "languages": {"none": 1, "fr": 1}, "conditions": ["naked"], "plans": [], "title": "The small",
    }  # fmt: skip


CATEGORIES = """\
suite    category      probes  languages    judges                   tags
-------  ----------  --------  -----------  -----------------------  -----------------------------
tagged   T                  2  en 2         degeneration, behaviour  a 2, b 1, c 1, d 1 and 2 more
"""


def test_the_categories_of_a_suite(evalkit: Command, workspace: Path, write: Write) -> None:
    """With who judges them and how they are tagged; the commonest where there are many."""
    write(
        "suites/tagged.yaml",
        "defaults: {category: T, language: en, judges: [behaviour]}\n"
        "probes: [{prompt: A?, tags: [a, b, c, d, e, f]}, {prompt: B?, tags: [a]}]\n",
    )

    assert evalkit("list", "suites", "tagged").out == CATEGORIES
    (row,) = json.loads(evalkit("list", "suites", "tagged", "--json").out)
    assert row["tags"] == {"a": 2, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}


def test_everything_at_once(evalkit: Command, workspace: Path) -> None:
    """Without a word: suites, judges and targets."""
    plain, lists = evalkit("list").out, json.loads(evalkit("list", "--json").out)

    assert list(lists) == ["suites", "judges", "targets"]
    assert [block.split()[0] for block in plain.split("\n\n")] == ["suite", "judge", "target"]
    assert lists["targets"] == json.loads(evalkit("list", "targets", "--json").out)


def test_names_that_are_none(evalkit: Command, workspace: Path) -> None:
    """Exit 2; only suites are looked at one by one."""
    wrong, other = evalkit("list", "suites", "smal"), evalkit("list", "judges", "text")

    assert (wrong.status, wrong.err) == (2, "There is no suite 'smal'. Did you mean 'small'?\n")
    assert (other.status, other.err) == (2, "list judges takes no names. Only list suites and list runs do.\n")


def test_judges(evalkit: Command, workspace: Path, write: Write) -> None:
    """With the kind of each, the models that it and its members ask, and where it comes from."""
    write("judges/mine.yaml", "kind: panel\nrule: any\nmembers: [text, own]\n")
    write("judges/jury.yaml", "kind: panel\nrule: all\nmembers: [{use: semantic, model: claude-sonnet}, lek_content]\n")
    write("judges/own.py", "def judge(case): return True, 'fine'\n")
    write("judges/broken.yaml", "kind: [\n")

    rows = {row["judge"]: row for row in json.loads(evalkit("list", "judges", "--json").out)}

    assert [list(rows[name].values())[1:] for name in ("mine", "jury", "own", "broken", "semantic", "text")] == [
        ["panel", "", "judges/mine.yaml"],
        ["panel", "claude-sonnet, claude-haiku", "judges/jury.yaml"],
        ["python", "", "judges/own.py"],
        ["?", "?", "judges/broken.yaml"],
        ["rubric", "claude-haiku", "built in"],
        ["text", "", "built in"],
    ]
    assert evalkit("list", "judges").out.split("\n")[0].split() == ["judge", "kind", "model", "from"]


def test_no_runs(evalkit: Command, workspace: Path) -> None:
    """Before the first run; nothing is made by looking."""
    assert evalkit("list", "runs").out == "no runs\n"
    assert json.loads(evalkit("list", "runs", "--json").out) == []
    assert not (workspace / ".evalkit").exists()


def test_runs(evalkit: Command, workspace: Path, write: Write) -> None:
    """A run on recordings leaves a row with its trials, its exit status and its command."""
    messages = [{"role": "user", "content": "What does the kettle cost?"}]
    answer = {"messages": messages, "target": "one:fp32:naked:greedy", "sample": 0, "text": "Please check the list."}
    write("fixtures/recordings/answers.jsonl", json.dumps(answer) + "\n")
    write("pytest.ini", "[pytest]\n")
    options = ["suites/small", "-p", "no:randomly", "-k", "one or two"]
    subprocess.run([sys.executable, "-m", "pytest", *options], cwd=workspace, check=True, stdout=subprocess.DEVNULL)

    (row,) = json.loads(evalkit("list", "runs", "--json").out)

    assert (row["trials"], row["status"]) == (1, 0)
    assert row["command"] == "pytest suites/small -p no:randomly -k 'one or two'"
    assert (workspace / "reports" / "out" / row["run"]).is_dir()
    header, _, line, *_ = evalkit("list", "runs").out.splitlines()
    assert header.split()[:5] == ["run", "started", "trials", "pass", "verdict"]
    assert line.startswith(row["run"])


def test_a_corrupt_store_is_told(evalkit: Command, workspace: Path, write: Write) -> None:
    """It is moved aside, and the note names both files."""
    store = write(".evalkit/store.sqlite3", "not a database, but long enough to be read as the head of one " * 20)

    done = evalkit("list", "runs")

    (aside,) = store.parent.glob("store.sqlite3.corrupt-*")
    assert (done.status, done.out) == (0, "no runs\n")
    assert done.err == (
        f"The store {store} is corrupt (file is not a database); it was moved to {aside.name} and a new one begun.\n"
    )


def test_a_broken_targets_file(evalkit: Command, workspace: Path, write: Write) -> None:
    """Targets cannot be listed, which is exit 2 with the line; the other lists do not need them."""
    write("fixtures/targets.yaml", "default: [nobody]\n")

    done, other = evalkit("list", "targets"), evalkit("list", "suites")

    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "fixtures/targets.yaml:1: $.default[0]: no model is named 'nobody'. Known: claude-haiku, claude-sonnet. "
        "A path or a hub id (org/name) works too.\n"
    )
    assert (other.status, other.err) == (0, "")


def test_an_unknown_list(evalkit: Command, workspace: Path) -> None:
    """Exit 2 and the nearest name."""
    done = evalkit("list", "judge")

    assert (done.status, done.out, done.err) == (2, "", "There is no list of 'judge'. Did you mean 'judges'?\n")
