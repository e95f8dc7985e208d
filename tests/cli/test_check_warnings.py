"""What ``evalkit check`` warns of, and the lists of probes that a training file holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Command

    Write = Callable[[str, str], Path]

TWINS = """\
probes:
  - {id: blue, category: price, prompt: What does the blue kettle in the old shop cost today?, expect: {contains: a}}
  - {id: green, category: price, prompt: What does the green kettle in the old shop cost today?, expect: {contains: a}}
"""
TWINS_LINE = (
    "suites/twins.yaml:3: warning: green is a near-copy of blue (suites/twins.yaml:2): cosine 0.85. "
    "Ask something else, or give both one cluster.\n"
)


def test_near_copies(evalkit: Command, workspace: Path, write: Write) -> None:
    """Both are named with their lines; a warning breaks nothing unless it is asked to."""
    write("suites/twins.yaml", TWINS)

    done, strict = evalkit("check", "suites/twins.yaml"), evalkit("check", "--strict", "suites/twins.yaml")

    assert (done.status, done.out) == (0, f"{TWINS_LINE}1 suite, 2 probes, 0 problems, 1 warning\n")
    assert (strict.status, strict.out) == (1, done.out)


def test_near_copies_in_the_suites_other_files(evalkit: Command, workspace: Path, write: Write) -> None:
    """Are told at the probe of the file that was asked for, whichever file comes first."""
    twin = "probes: [{{id: {0}, why: {0}, prompt: What does the {0} kettle cost in the old shop today?, {1}}}]\n"
    for number, colour in enumerate(("red", "teal"), start=1):
        write(f"suites/pair/{number}.yaml", twin.format(colour, "category: price, expect: {contains: a}"))

    for own, other, colours in ((1, 2, ("red", "teal")), (2, 1, ("teal", "red"))):
        assert evalkit("check", f"suites/pair/{own}.yaml").out == (
            f"suites/pair/{own}.yaml:1: warning: {colours[0]} is a near-copy of {colours[1]} "
            f"(suites/pair/{other}.yaml:1): cosine 0.85. Ask something else, or give both one cluster.\n"
            "1 suite, 1 probe, 0 problems, 1 warning\n"
        )


def test_strict_without_warnings(evalkit: Command, workspace: Path) -> None:
    """Exit 0."""
    assert evalkit("check", "--strict").status == 0


def test_missing_expectations(evalkit: Command, workspace: Path, write: Write) -> None:
    """A judge of meaning that is told nothing, and reasons where others have one."""
    write(
        "suites/small/second.yaml",
        "probes:\n  - {id: a, why: once, prompt: A?, judges: [behaviour]}\n"
        "  - {id: b, why: twice, prompt: B?, judges: [heuristic_v2]}\n"
        "  - {id: c, prompt: C?, expect: {contains: c}}\n  - {id: d, prompt: D?, expect: {contains: d}}\n",
    )

    done = evalkit("check", "suites/small")

    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "suites/small/first.yaml:1: warning: one has no why. Say what only it tests.\n"
        "suites/small/second.yaml:2: warning: a tells its judge nothing. "
        "Add expect: {behaviour: …}, must_say or must_not_say.\n"
        "suites/small/second.yaml:4: warning: 2 probes have no why: c, d. Say what only each of them tests.\n"
        "1 suite, 5 probes, 0 problems, 3 warnings\n"
    )


def test_a_gate_that_asks_too_much(evalkit: Command, workspace: Path, write: Write) -> None:
    """At the gate's own line, in suite.yaml or in a file of gates."""
    write("suites/small/suite.yaml", "gates:\n  - {name: nearly all, metric: pass_rate, at_least: 0.9}\n")
    write("fixtures/targets.yaml", (workspace / "fixtures/targets.yaml").read_text() + "gates: [fixtures/gates.yaml]\n")
    write("fixtures/gates.yaml", "gates:\n  - {name: some, suite: small, metric: pass_rate, at_least: 0.5, min_n: 9}\n")

    done = evalkit("check")

    assert (done.status, done.out) == (
        0,
        "fixtures/gates.yaml:2: warning: gate 'some': asks for min_n 9, and one target has 1 trial.\n"
        "suites/small/suite.yaml:2: warning: gate 'nearly all': 1 of 1 still leaves a 95 % interval down to "
        "20.7 %, and it asks for 90.0 %; 35 independent probes can show that.\n"
        "1 suite, 1 probe, 0 problems, 2 warnings\n",
    )


def test_everything_as_json(evalkit: Command, workspace: Path, write: Write) -> None:
    """Warnings with their figures, and the figures of every category."""
    write("suites/twins.yaml", TWINS)
    train = write("train.txt", "What does the blue kettle in the old shop cost today?\n")

    result = json.loads(evalkit("check", "suites/twins.yaml", "--train", "train.txt", "--json").out)

    assert result["problems"] == []
    assert [(item["kind"], item["probe"]) for item in result["warnings"]] == [
        ("near_duplicate", "green"), ("training_overlap", "blue"), ("training_overlap", "green"),
    ]  # fmt: skip
    assert result["warnings"][0]["cosine"] == pytest.approx(0.85, abs=0.01)
    assert (result["warnings"][1]["training"], result["warnings"][1]["jaccard"]) == ("train.txt:1", 1.0)
    assert result["categories"] == [{
        "suite": "twins", "category": "price", "probes": 2, "families": 2, "languages": {"none": 2},
        "subcategories": {}, "words": {"p10": 11, "median": 11, "p90": 11}, "without_why": 2, "largest_skeleton": 2,
        "largest_opening": 1,
    }]  # fmt: skip
    assert result["training"] == [
        {"name": "train.txt", "sha256": hashlib.sha256(train.read_bytes()).hexdigest(), "texts": 1}
    ]


CHAT = json.dumps({"messages": [
    {"role": "system", "content": "You sell kettles."},
    {"role": "user", "content": "Tell me: what does the kettle cost?"},
    {"role": "assistant", "content": "Nine."},
]})  # fmt: skip
OVERLAP = "suites/small/first.yaml:1: warning: one overlaps with chats.jsonl:2: word Jaccard 0.83.\n"


def test_a_training_file(evalkit: Command, workspace: Path, write: Write) -> None:
    """Each probe that overlaps, with the place of the nearest text and how near it is; nothing is written."""
    write("chats.jsonl", json.dumps({"prompt": "Sing me a song of the sea."}) + "\n" + CHAT + "\n")

    done = evalkit("check", "--train", "chats.jsonl")

    assert (done.status, done.err) == (0, "")
    assert done.out == f"{OVERLAP}1 suite, 1 probe, 0 problems, 1 warning\n"
    assert not (workspace / "suites/small/_data").exists()


LIST = """\
# Probes that runs leave out, as evalkit check --train … --exclude found them. Make it again, do not edit it.
measure: >-
  sets of words of 3 and more letters with a Jaccard index of at least 0.3 that share 2 content words or all \
there are; or runs of 8 words in common that cover half of the prompt, or one of 13
training:
  - file: chats.jsonl
    sha256: "{sha256}"
    texts: 2
excluded:
  - probe: small/one
    text: "{text}"
    training: "chats.jsonl:2"
    jaccard: 0.833
    runs: 0.0
"""


def test_a_list_is_written_into_the_suite(evalkit: Command, workspace: Path, write: Write) -> None:
    """With what it was measured against; the next step is told until suite.yaml takes it."""
    chats = write("chats.jsonl", json.dumps({"prompt": "Sing me a song of the sea."}) + "\n" + CHAT + "\n")
    name = "suites/small/_data/excluded.yaml"

    first = evalkit("check", "--train", "chats.jsonl", "--exclude")
    write("suites/small/suite.yaml", "exclusions: _data/excluded.yaml\n")
    second = evalkit("check", "--train", "chats.jsonl", "--exclude")

    tail = "1 suite, 1 probe, 0 problems, 1 warning\n"
    assert first.out == (
        f"{OVERLAP}wrote {name}: 1 probe that runs leave out, once suites/small/suite.yaml says "
        f"exclusions: _data/excluded.yaml\n{tail}"
    )
    assert second.out == f"{OVERLAP}wrote {name}: 1 probe that runs leave out\n{tail}"
    assert (workspace / name).read_text() == LIST.format(
        sha256=hashlib.sha256(chats.read_bytes()).hexdigest(),
        text=hashlib.sha256(b"What does the kettle cost?").hexdigest()[:16],
    )


def test_a_list_where_it_is_wanted(evalkit: Command, workspace: Path, write: Write) -> None:
    """One for all suites; an empty one where nothing overlaps, over an older one and over nothing else."""
    write("chats.jsonl", CHAT + "\n")
    write("songs.txt", "Sing me a song of the sea.\n")
    write("notes.yaml", "mine\n")

    one = evalkit("check", "--train", "chats.jsonl", "--exclude", "out/left.yaml")
    none = evalkit("check", "--train", "songs.txt", "--exclude", "out/left.yaml")
    mine = evalkit("check", "--train", "songs.txt", "--exclude", "notes.yaml")

    assert "wrote out/left.yaml: 1 probe that runs leave out with --eval-exclude out/left.yaml\n" in one.out
    assert "wrote out/left.yaml: 0 probes that runs leave out with --eval-exclude out/left.yaml\n" in none.out
    assert (workspace / "out/left.yaml").read_text().endswith("excluded: []\n")
    assert (mine.status, mine.err) == (
        2,
        "notes.yaml: is there already and is no list of exclusions. Name another file.\n",
    )
    assert (workspace / "notes.yaml").read_text() == "mine\n"


@pytest.mark.parametrize("folder", ["suites/small", "suites"])
def test_a_list_among_probe_files_is_refused(evalkit: Command, workspace: Path, write: Write, folder: str) -> None:
    """It would be read as probes; a place where it is not is named."""
    write("chats.jsonl", CHAT + "\n")

    done = evalkit("check", "--train", "chats.jsonl", "--exclude", f"{folder}/ex.yaml")

    assert (done.status, done.out, done.err) == (
        2, "",
        f"--exclude {folder}/ex.yaml: a file there is read as probes. Name another, such as {folder}/_data/ex.yaml.\n",
    )  # fmt: skip
    assert not (workspace / folder / "ex.yaml").exists()


def test_a_list_that_no_longer_fits(evalkit: Command, workspace: Path, write: Write) -> None:
    """A probe that was changed since, and one that is gone."""
    write("chats.jsonl", CHAT + "\n")
    evalkit("check", "--train", "chats.jsonl", "--exclude")
    write("suites/small/suite.yaml", "exclusions: _data/excluded.yaml\n")
    write("suites/small/first.yaml", "probes: [{id: one, prompt: Who came first?, expect: {contains: check}}]\n")

    done = evalkit("check")

    assert done.out == (
        "suites/small/_data/excluded.yaml: warning: names a probe whose text has changed since, run all the same: one. "
        "Make the list again with: evalkit check --train FILE --exclude\n1 suite, 1 probe, 0 problems, 1 warning\n"
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "--train train.jsonl: there is no such file.\n"),
        ('{"answer": "x"}\n', "--train train.jsonl: no line holds a text. Lines of JSON need one of: messages, prompt, "
         "instruction, text.\n"),
        ('{"prompt": "x"}\nnot json\n', "train.jsonl:2: expected a JSON object on this line, as on the first.\n"),
    ],
)  # fmt: skip
def test_training_files_that_cannot_be_read(
    evalkit: Command, workspace: Path, write: Write, content: str | None, sentence: str
) -> None:
    """Exit 2 and where it is."""
    if content is not None:
        write("train.jsonl", content)

    done = evalkit("check", "--train", "train.jsonl")

    assert (done.status, done.out, done.err) == (2, "", sentence)


def test_lines_without_a_text_are_counted(evalkit: Command, workspace: Path, write: Write) -> None:
    """The others are measured."""
    write("train.jsonl", '{"prompt": "Sing me a song"}\n{"answer": "x"}\n[]\n')

    done = evalkit("check", "--train", "train.jsonl")

    assert done.out == (
        "train.jsonl: 2 lines hold none of messages, prompt, instruction, text, and were not measured.\n"
        "1 suite, 1 probe, 0 problems\n"
    )


def test_a_list_needs_a_training_file(evalkit: Command, workspace: Path) -> None:
    """Exit 2."""
    done = evalkit("check", "--exclude")

    assert (done.status, done.err) == (2, "--exclude writes what --train FILE finds. Name a training file.\n")


def test_a_suite_of_one_file_has_no_folder_for_a_list(evalkit: Command, workspace: Path, write: Write) -> None:
    """Exit 2 and what to do."""
    write("suites/alone.yaml", "probes: [{id: two, prompt: What does the kettle cost?, expect: {contains: check}}]\n")
    write("chats.jsonl", CHAT + "\n")

    done = evalkit("check", "suites/alone.yaml", "--train", "chats.jsonl", "--exclude")

    assert (done.status, done.err) == (2, "--exclude: the suite alone is a single file. Name the list's file.\n")


def test_a_list_is_of_the_whole_suite(evalkit: Command, workspace: Path, write: Write) -> None:
    """Also where one file of it is named, so that the others' probes do not drop off it."""
    write(
        "suites/small/second.yaml",
        "probes: [{id: two, prompt: Who feeds the goats at noon?, expect: {contains: me}}]\n",
    )
    write("train.txt", "What does the kettle cost?\nWho feeds the goats at noon?\n")

    evalkit("check", "suites/small/second.yaml", "--train", "train.txt", "--exclude")

    listed = (workspace / "suites/small/_data/excluded.yaml").read_text()
    assert [line for line in listed.splitlines() if "probe:" in line] == [
        "  - probe: small/one",
        "  - probe: small/two",
    ]


def test_a_plan_that_cannot_be_drawn_is_a_problem(evalkit: Command, tmp_path: Path) -> None:
    """A typo in a category and a count too high, before anybody runs the plan."""
    folder = tmp_path / "suites" / "k"
    folder.mkdir(parents=True)
    (folder / "suite.yaml").write_text(
        "plans: {typo: {draw: {CONTROLL: 3}}, many: {draw: {C: 9}}, fine: {each: 5}}\n", encoding="utf-8"
    )
    (folder / "a.yaml").write_text(
        "probes: [{prompt: Who are you?, category: C, expect: {contains: I}}]\n", encoding="utf-8"
    )

    done = evalkit("check")

    assert done.status == 1
    assert done.out.splitlines() == [
        "suites/k/suite.yaml: The plan 'typo' of suite k draws 3 probes of CONTROLL, and none can be run. "
        "Its categories are: C.",
        "suites/k/suite.yaml: The plan 'many' of suite k draws 9 probes of C, and 1 can be run. Mend the files with "
        "errors, write more probes, leave fewer out by exclusions, or lower the count in suite.yaml.",
        "1 suite, 1 probe, 2 problems",
    ]
