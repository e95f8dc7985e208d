"""Baselines are deterministic, whole or absent, and refused in a sentence when they are something else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import UnreadableFile, UsageError
from evalkit.measured import Measured
from evalkit.store.baselines import (
    Baseline,
    baseline_names,
    baseline_text,
    load_baseline,
    read_baseline,
    suite_hash,
    write_baseline,
)
from evalkit.store.results import load_results
from evalkit.workspace import Workspace

TRIAL = Measured(
    trial="suites/s/a.yaml::p[t]", suite="s", probe="p", category="C", target="t", outcome="pass",
    file="suites/s/a.yaml", line=3, probe_hash="h", judges={"text": "1"}, optional_judges={"mine": "2"},
    scores={"mine": 4.5}, signals={"text": {"n": 0.25}}, words=4, finishes=("stop",), generations=("i",),
)  # fmt: skip
OTHER = replace(TRIAL, trial="suites/s/a.yaml::q[t]", probe="q", judges={"text": "3"}, reason="quotes \ud800 an answer")
BASELINE = Baseline(
    run="20261121-1", started="2026-11-21T03:40:06Z", command=("pytest", "suites/s"),
    engines={"t": ({"torch": "2.13", "device": "cpu"},)}, trials=(OTHER, TRIAL),
)  # fmt: skip
TEXT = """\
{
 "format": 2,
 "evalkit": "0.1.0",
 "run": "20261121-1",
 "started": "2026-11-21T03:40:06Z",
 "command": [
  "pytest",
  "suites/s"
 ],
 "suites": {
  "s": "%s"
 },
 "judges": {
  "mine": [
   "2"
  ],
  "text": [
   "1",
   "3"
  ]
 },
 "engines": {
  "t": {
   "fingerprint": "a9d20d44c1e73fc6d33a8e7ad8d1a6a0c3cdb3d2ff6b11ee5ad5ad30e4ba5e8d",
   "facts": [
    {
     "device": "cpu",
     "torch": "2.13"
    }
   ]
  }
 },
 "trials": [
%s,
%s
 ]
}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def put(workspace: Workspace) -> Callable[[str], None]:
    """``put(text)`` as the baseline ``main``."""

    def written(text: str) -> None:
        file = workspace.root / "reports/baselines/main.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    return written


def test_one_trial_a_line_in_the_order_of_their_ids() -> None:
    """The same bytes whatever order the trials come in, and no text of an answer."""
    text = baseline_text(BASELINE)

    fingerprint = json.loads(text)["engines"]["t"]["fingerprint"]
    wanted = TEXT % (suite_hash([TRIAL, OTHER], "s"), json.dumps(TRIAL.to_dict()), json.dumps(OTHER.to_dict()))
    assert text == wanted.replace("a9d20d44c1e73fc6d33a8e7ad8d1a6a0c3cdb3d2ff6b11ee5ad5ad30e4ba5e8d", fingerprint)
    assert baseline_text(replace(BASELINE, trials=(TRIAL, OTHER))) == text
    assert "quotes" not in text


def test_a_baseline_comes_back_as_it_went_in(workspace: Workspace) -> None:
    """All but reasons; nothing else is left in the folder."""
    file = write_baseline(workspace, "main", BASELINE)

    found = load_baseline(workspace, file)

    assert found == replace(BASELINE, trials=(TRIAL, replace(OTHER, reason="")))
    assert read_baseline(workspace, "main") == found.trials
    assert [path.name for path in file.parent.iterdir()] == ["main.json"]
    assert baseline_names(workspace) == ["main"]


def test_the_suites_hash_is_of_its_probes(workspace: Workspace) -> None:
    """Samples and targets do not matter, an edited probe does."""
    again = replace(TRIAL, trial="other", target="u", sample=1)

    assert suite_hash([TRIAL, OTHER, again], "s") == suite_hash([OTHER, TRIAL], "s")
    assert suite_hash([TRIAL, replace(OTHER, probe_hash="new")], "s") != suite_hash([OTHER, TRIAL], "s")


def test_a_write_that_fails_leaves_the_old_one(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole or not at all."""
    file = write_baseline(workspace, "main", BASELINE)
    before = file.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("evalkit.store.baselines.os.replace", full)
    with pytest.raises(OSError, match="No space left on device"):
        write_baseline(workspace, "main", replace(BASELINE, trials=()))

    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["main.json"]


@pytest.mark.parametrize("name", ["../main", "a/b", "", ".hidden", "two words"])
def test_a_name_is_a_files_name(name: str, workspace: Workspace) -> None:
    """And never a path out of the folder."""
    with pytest.raises(UsageError) as error:
        read_baseline(workspace, name)

    assert str(error.value) == f"A baseline's name is made of letters, digits, '.', '_' and '-'; found {name!r}."


def test_a_missing_baseline(workspace: Workspace, put: Callable[[str], None]) -> None:
    """Names the file, those that are there, and the command that writes it."""
    with pytest.raises(UsageError) as error:
        read_baseline(workspace, "main")
    assert str(error.value) == (
        "There is no baseline 'main' (reports/baselines/main.json). Write it with: evalkit baseline latest main"
    )

    put("{}")
    with pytest.raises(UsageError) as error:
        read_baseline(workspace, "first")
    assert str(error.value) == (
        "There is no baseline 'first' (reports/baselines/first.json). There are: main. "
        "Write it with: evalkit baseline latest first"
    )


def _with(**changes: Any) -> str:
    return json.dumps({**json.loads(baseline_text(BASELINE)), **changes})


def _with_trial(**changes: Any) -> str:
    plain = {name: value for name, value in {**TRIAL.to_dict(), **changes}.items() if value is not None}
    return _with(trials=[OTHER.to_dict(), plain])


AGAIN = "Write it again with: evalkit baseline RUN main"
REFUSED = {
    "merge conflict": ('{\n<<<<<<< HEAD\n}', f":2: is no JSON (Expecting property name enclosed in double quotes). "
                       f"Restore it from version control. {AGAIN}"),
    "empty": ("", f":1: is no JSON (Expecting value). Restore it from version control. {AGAIN}"),
    "deep": ("[" * 100_000, f": is no JSON (RecursionError). Restore it from version control. {AGAIN}"),
    "first format": ('{"format": 1, "trials": []}',
                     f": is a baseline of format 1, which holds too little to compare with. {AGAIN}"),
    "later format": ('{"format": 3}', f": expected a baseline of format 2, found 3. {AGAIN}"),
    "no mapping": ("[]", f": expected a baseline of format 2, found None. {AGAIN}"),
    "no trials": (_with(trials=None), f": the key 'trials' is missing or no list. {AGAIN}"),
    "no run": (_with(run=None), f": the key 'run' is missing or no text. {AGAIN}"),
    "engines": (_with(engines=[]), f": the key 'engines' is missing or no mapping. {AGAIN}"),
    "no outcome": (_with_trial(outcome=None),
                   f": trial 2 (suites/s/a.yaml::p[t]): the field 'outcome' is missing. {AGAIN}"),
    "odd outcome": (_with_trial(outcome="good"),
                    f": trial 2 (suites/s/a.yaml::p[t]): the field 'outcome' is 'good'. {AGAIN}"),
    "odd type": (_with_trial(judges=["text"]),
                 f": trial 2 (suites/s/a.yaml::p[t]): the field 'judges' is ['text']. {AGAIN}"),
    "odd score": (_with_trial(scores={"mine": "4"}),
                  f": trial 2 (suites/s/a.yaml::p[t]): the field 'scores' is {{'mine': '4'}}. {AGAIN}"),
    "unknown field": (_with_trial(extra=1),
                      f": trial 2 (suites/s/a.yaml::p[t]): the field 'extra' is not known. {AGAIN}"),
    "no trial": (_with(trials=["x"]), f": trial 1: is no mapping. {AGAIN}"),
    "twice": (_with(trials=[TRIAL.to_dict(), TRIAL.to_dict()]),
              f": trial 2 (suites/s/a.yaml::p[t]): is there twice, as a merge may leave it. {AGAIN}"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_baseline_is_refused(case: str, workspace: Workspace, put: Callable[[str], None]) -> None:
    """The file, what is wrong, and what to do."""
    text, sentence = REFUSED[case]
    put(text)

    with pytest.raises(UnreadableFile) as error:
        read_baseline(workspace, "main")

    assert str(error.value) == f"reports/baselines/main.json{sentence}"


def test_bytes_that_are_no_text(workspace: Workspace, put: Callable[[str], None]) -> None:
    """A sentence too."""
    put("")
    (workspace.root / "reports/baselines/main.json").write_bytes(b"\xff\xfe")

    with pytest.raises(UnreadableFile) as error:
        read_baseline(workspace, "main")

    assert str(error.value) == (
        f"reports/baselines/main.json: is no JSON (UnicodeDecodeError). Restore it from version control. {AGAIN}"
    )


def test_the_lines_of_a_results_file(tmp_path: Path) -> None:
    """As exports write them: the demo's mark under its own name, what differs between runs under ``run``."""
    line = {
        "demo": True, "trial": "t", "suite": "s", "file": "f", "line": 1, "probe": "p", "category": "C",
        "target": "x", "outcome": "pass", "reason": "why", "messages": [], "answers": [], "run": {"id": "r"},
    }  # fmt: skip
    file = tmp_path / "results.jsonl"
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")

    (found,) = load_results(file, "results.jsonl")

    assert (found.trial, found.is_demo, found.reason) == ("t", True, "why")
    foreign = "is no trial of a results.jsonl. Run the same command again: stored answers are kept."
    for text, sentence in (
        ("{}\n", f":1: {foreign}"),
        (json.dumps(line) + "\nx\n", f":2: {foreign}"),
        ((json.dumps(line) + "\n") * 2, ":2: the trial 't' is there twice. Keep one run a file."),
    ):  # fmt: skip
        file.write_text(text, encoding="utf-8")
        with pytest.raises(UnreadableFile) as error:
            load_results(file, "results.jsonl")
        assert str(error.value) == f"results.jsonl{sentence}"
