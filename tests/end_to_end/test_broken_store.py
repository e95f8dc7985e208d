"""A workspace whose store, or the folder it is in, cannot be used: sentences, and never a hang."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Desk

REPLAYED = """\
models: {one: {path: model}}
engines: {stored: {kind: replay}}
default: [{model: one, quantisation: fp32, engine: stored}]
"""


@pytest.fixture
def replayed(desk: Desk) -> Desk:
    """Four probes with recorded answers that pass."""
    desk.write("fixtures/targets.yaml", REPLAYED)
    desk.write("model/config.json", "{}")
    probes, recorded = ["probes:"], []
    for number in range(4):
        probes.append(f"  - {{id: p{number}, prompt: Question {number}?, expect: {{contains: check}}}}")
        messages = [{"role": "user", "content": f"Question {number}?"}]
        line = {"messages": messages, "target": "one:fp32:naked:greedy", "text": "Please check the list."}
        recorded.append(json.dumps(line))
    desk.write("suites/small/a.yaml", "\n".join(probes) + "\n")
    desk.write("fixtures/recordings/all.jsonl", "\n".join(recorded) + "\n")
    return desk


def is_noted(sentence: str, output: str) -> bool:
    """Whether the output holds the sentence as a note, however it was folded over lines."""
    return "".join(f"note{sentence}".split()) in "".join(output.split())


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_a_folder_in_the_place_of_the_store_is_an_error_of_every_trial(workers: str, replayed: Desk) -> None:
    """Each says what SQLite said and where to look; the reports are written all the same."""
    file = replayed.root / ".evalkit" / "store.sqlite3"
    file.mkdir(parents=True)

    status, output = replayed.run("suites/small", "-n", workers)

    sentence = (
        f"{file}: cannot open the store: unable to open database file. Check the disk and the folder's permissions."
    )
    assert [line["reason"] for line in replayed.results()] == [sentence] * 4
    assert status == 1
    assert is_noted(f"{sentence} The reports of this run are complete all the same.", output)
    assert (replayed.processes(), replayed.socket_folders()) == ({}, [])


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_a_file_in_the_place_of_the_state_folder_is_an_error_of_every_trial(workers: str, replayed: Desk) -> None:
    """The host cannot write its log and is not started; nobody waits for it."""
    (replayed.root / ".evalkit").write_text("in the way")

    status, output = replayed.run("suites/small", "-n", workers)

    assert {line["outcome"] for line in replayed.results()} == {"error"}
    assert all(line["reason"].startswith("Host lost after 0 of 4 trials. ") for line in replayed.results())
    assert status == 1
    state = replayed.root / ".evalkit"
    assert is_noted(f"The model host cannot be started: [Errno 17] File exists: '{state}'.", output)
    assert (replayed.processes(), replayed.socket_folders()) == ({}, [])


def test_a_store_that_breaks_after_the_answers_leaves_results_without_conversations(replayed: Desk) -> None:
    """The results are there, and the note says what is not."""
    replayed.write(
        "conftest.py",
        "import pathlib, sqlite3\n\n\ndef pytest_runtest_logfinish(nodeid):\n"
        "    if nodeid.split('::')[1].startswith('p3'):\n"
        "        connection = sqlite3.connect('.evalkit/store.sqlite3')\n"
        "        connection.execute('DROP TABLE generations')\n"
        "        connection.close()\n",
    )

    status, output = replayed.run("suites/small", "-n", "0")

    assert [line["outcome"] for line in replayed.results()] == ["pass"] * 4
    assert [line["answers"] for line in replayed.results()] == [[]] * 4
    sentence = "The store cannot be used: no such table: generations. The reports hold no conversations."
    assert is_noted(sentence, output)
    assert status == 0
