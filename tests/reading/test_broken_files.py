"""Every kind of mistake gives its exact message: broken/<name>.yaml is answered by broken/<name>.txt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from evalkit.errors import UnreadableFile
from evalkit.reading.build import FileReading, read_suite
from evalkit.reading.judge_files import judge_names
from evalkit.workspace import Workspace, builtin_root

BROKEN = Path(__file__).parent / "broken"
NAMES = sorted(path.stem for path in BROKEN.glob("*.yaml"))
JUDGES = judge_names(Workspace(builtin_root())) | {"rubric"}
GOOD = "  - {id: good, prompt: What is two and two?, expect: {contains: four}}\n"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite folder with the files that broken probe files name."""
    data = tmp_path / "suites" / "broken" / "_data"
    data.mkdir(parents=True)
    (data / "metaphor.txt").write_text("A river.", encoding="utf-8")
    (data / "empty.txt").write_text("\n", encoding="utf-8")
    (data / "latin1.txt").write_bytes(b"caf\xe9")
    (data / "asks.txt").write_text("one\n\ntwo\n", encoding="utf-8")
    (data / "asks.csv").write_text("one,two\n", encoding="utf-8")
    (data / "twice.txt").write_text("one\n\ntwo\none\n", encoding="utf-8")
    (data / "mapping.yaml").write_text("asks: [one]\n", encoding="utf-8")
    (data / "flawed.yaml").write_text("- one\n- 2024-01-01\n", encoding="utf-8")
    return data.parent


def read_only_file(suite: Path) -> FileReading:
    return read_suite(suite, Workspace(suite.parent.parent), JUDGES).files[0]


def test_there_are_enough_kinds() -> None:
    """The folder holds at least one file for each of twenty-five kinds of mistake, each with its answer."""
    assert len(NAMES) >= 25
    assert sorted(path.stem for path in BROKEN.glob("*.txt")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_broken_file_gives_its_exact_message(name: str, suite: Path) -> None:
    """All lines of the error are those written beside the broken file."""
    shutil.copy(BROKEN / f"{name}.yaml", suite)

    reading = read_only_file(suite)

    assert str(UnreadableFile(reading.problems)) + "\n" == (BROKEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "bad",
    [
        "  - {prompt: Who are you?, licence: MIT, expect: {contains: I}}\n",
        "  - {prompt: Who are you?}\n",
        "  - {prompt: Who are you?, prompt: Who?, expect: {contains: I}}\n",
        "  - {prompt: 2024-01-01, expect: {contains: I}}\n",
        "  - {prompt: !!python/object:os.system x, expect: {contains: I}}\n",
        "  - {prompt: Who are you?, on: 1, expect: {contains: I}}\n",
        "  - {id: good, prompt: Who are you?, expect: {contains: I}}\n",
        "  - {prompt_file: nowhere.txt, expect: {contains: I}}\n",
        "  - 5\n",
    ],
)
def test_good_probe_beside_a_bad_one_is_read(bad: str, suite: Path) -> None:
    """One bad probe costs one problem and leaves the probes around it."""
    last = GOOD.replace("good", "last")
    (suite / "mixed.yaml").write_text("probes:\n" + GOOD + bad + last, encoding="utf-8")

    reading = read_only_file(suite)

    assert [probe.id for probe in reading.probes] == ["good", "last"]
    assert [problem.line for problem in reading.problems] == [3]


def test_flood_of_brackets_is_refused_and_does_not_end_the_process(suite: Path) -> None:
    """Nesting that crashes PyYAML's composer is an ordinary problem here."""
    (suite / "flood.yaml").write_text("[" * 200_000, encoding="utf-8")

    assert [str(problem) for problem in read_only_file(suite).problems] == [
        "suites/broken/flood.yaml:1: nested more than 50 levels deep. Put text that starts with brackets in quotes."
    ]


def test_brackets_inside_text_are_no_nesting(suite: Path) -> None:
    """Only real nesting is bounded: a prompt may hold any number of brackets."""
    text = "probes:\n  - prompt: '" + "[" * 500 + "'\n    expect: {contains: '{'}\n"
    (suite / "text.yaml").write_text(text, encoding="utf-8")

    assert read_only_file(suite).probes[0].prompt == "[" * 500


def test_too_large_file_is_refused_unread(suite: Path) -> None:
    """A file over ten million bytes is refused by its size."""
    with (suite / "large.yaml").open("wb") as file:
        file.truncate(10_000_001)

    assert [str(problem) for problem in read_only_file(suite).problems] == [
        "suites/broken/large.yaml: found 10,000,001 bytes; at most 10,000,000 are read. Split the file."
    ]


def test_folder_and_lost_link_are_problems(suite: Path) -> None:
    """What looks like a probe file and cannot be opened is reported, not raised."""
    (suite / "folder.yaml").mkdir()
    (suite / "lost.yaml").symlink_to(suite / "nothing")

    files = read_suite(suite, Workspace(suite.parent.parent)).files

    assert [str(problem) for file in files for problem in file.problems] == [
        "suites/broken/folder.yaml: expected a file, found a folder or a device.",
        "suites/broken/lost.yaml: cannot be opened: No such file or directory.",
    ]


def test_prompt_file_behind_a_link_out_of_the_workspace_is_refused(suite: Path, tmp_path: Path) -> None:
    """Links are followed before a prompt file is judged to be inside."""
    outside = tmp_path.parent / f"{tmp_path.name}-outside.txt"
    outside.write_text("secret", encoding="utf-8")
    (suite / "_data" / "link.txt").symlink_to(outside)
    (suite / "link.yaml").write_text(
        "probes:\n  - {prompt_file: _data/link.txt, expect: {contains: I}}\n", encoding="utf-8"
    )

    assert [str(problem) for problem in read_only_file(suite).problems] == [
        "suites/broken/link.yaml:2: $.probes[0].prompt_file: the file '_data/link.txt' is outside the workspace. "
        "Copy it next to this file."
    ]


def test_id_used_in_another_file_names_its_place(suite: Path) -> None:
    """A written id is unique in the suite; the second place is the error."""
    (suite / "a.yaml").write_text("probes:\n" + GOOD, encoding="utf-8")
    (suite / "b.yaml").write_text("probes:\n" + GOOD.replace("good", "other") + GOOD, encoding="utf-8")

    first, second = read_suite(suite, Workspace(suite.parent.parent)).files

    assert first.problems == ()
    assert [str(problem) for problem in second.problems] == [
        "suites/broken/b.yaml:3: $.probes[1].id: the id 'good' is already at suites/broken/a.yaml:2. "
        "Give this probe another."
    ]
    assert [probe.id for probe in second.probes] == ["other"]
