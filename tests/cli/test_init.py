"""``evalkit init``: a workspace that reads well, and nothing of the user's overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Command

WROTE = """\
wrote suites/instrument_trap/
wrote suites/first_steps.yaml
wrote fixtures/targets.yaml
wrote .gitignore
"""
NEXT = "pytest suites/instrument_trap --eval-plan smoke -n 4"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_it_writes_a_workspace(evalkit: Command, tmp_path: Path) -> None:
    """Every file is named, and the next command is the last line."""
    done = evalkit("init")

    assert (done.status, done.out, done.err) == (0, f"{WROTE}Workspace ready. Now run: {NEXT}\n", "")
    assert (tmp_path / "judges").is_dir()
    assert (tmp_path / "reports" / "baselines").is_dir()
    assert len(list((tmp_path / "suites" / "instrument_trap").rglob("*.yaml"))) == 17
    assert (tmp_path / ".gitignore").read_text() == ".evalkit/\nreports/out/\nreports/review/\n"


def test_what_it_wrote_reads_well(evalkit: Command) -> None:
    """Suites, targets, gates and judges without a single problem."""
    evalkit("init")

    assert evalkit("check").out == "2 suites, 435 probes, 0 problems\n"


def test_a_second_time_writes_nothing(evalkit: Command, tmp_path: Path) -> None:
    """The same command again leaves every byte as it is."""
    evalkit("init")
    before = contents(tmp_path)

    done = evalkit("init")

    assert (done.status, done.out) == (0, f"Workspace ready. Now run: {NEXT}\n")
    assert contents(tmp_path) == before


def test_nothing_of_the_users_is_overwritten(evalkit: Command, tmp_path: Path) -> None:
    """Files that are there stay; lines are added to .gitignore as they are missing, whatever its bytes."""
    mine = {"suites/instrument_trap/own.yaml": b"mine", "fixtures/targets.yaml": b"mine too"}
    for name, text in mine.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text)
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9/\r\nreports/out/")

    done = evalkit("init")

    assert done.out.splitlines()[:-1] == ["wrote suites/first_steps.yaml", "wrote .gitignore"]
    left = contents(tmp_path)
    assert {name: left[name] for name in mine} == mine
    assert left[".gitignore"] == b"caf\xe9/\r\nreports/out/\n.evalkit/\nreports/review/\n"
    assert [name for name in left if name.startswith("suites/instrument_trap")] == ["suites/instrument_trap/own.yaml"]


def test_into_another_folder(evalkit: Command, tmp_path: Path) -> None:
    """The folder is made, and the next command goes there first, quoted as a shell needs it."""
    done = evalkit("init", "my evals")

    assert done.out.splitlines()[-1] == f"Workspace ready. Now run: cd 'my evals' && {NEXT}"
    assert (tmp_path / "my evals" / "suites" / "first_steps.yaml").is_file()


def test_as_json(evalkit: Command, tmp_path: Path) -> None:
    """What was written, and the next command, for a program."""
    written = [line.removeprefix("wrote ") for line in WROTE.splitlines()]

    first, second = json.loads(evalkit("init", "--json").out), json.loads(evalkit("init", "--json").out)

    assert first == {"workspace": str(tmp_path), "written": written, "next": NEXT}
    assert second == {"workspace": str(tmp_path), "written": [], "next": NEXT}


def test_a_file_is_refused(evalkit: Command, tmp_path: Path) -> None:
    """Exit 2; the file is left alone."""
    (tmp_path / "notes.txt").write_text("mine")

    done = evalkit("init", "notes.txt")

    assert (done.status, done.out, done.err) == (2, "", "notes.txt: is a file. Name a folder.\n")
    assert contents(tmp_path) == {"notes.txt": b"mine"}
