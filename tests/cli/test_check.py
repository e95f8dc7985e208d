"""``evalkit check``: every mistake of a workspace at its line, without a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.reading.policies.kinds import KINDS

if TYPE_CHECKING:
    from conftest import Command

    Write = Callable[[str, str], Path]

BROKEN = """\
probes:
  - prompt: When was it?
    expect: {contains: 1990}
  - prompt: Who was it?
    expect: {contains: me}
    judges: [behavior]
  - id: fine
    prompt: Why not?
    expect: {contains: me}
"""
BROKEN_LINES = """\
suites/small/second.yaml:3: $.probes[0].expect.contains: expected text or a list of text, found 1990. \
Write "1990" in quotes.
suites/small/second.yaml:6: $.probes[1].judges[0]: there is no judge 'behavior'. Did you mean 'behaviour'?
"""


def test_a_good_workspace(evalkit: Command, workspace: Path) -> None:
    """Exit 0 and what was read; files that are no probes do not count."""
    (workspace / "suites" / "README.md").write_text("notes")
    (workspace / "suites" / "_data").mkdir()
    (workspace / "suites" / "_data" / "list.yaml").write_text("a: [")

    done = evalkit("check")

    assert (done.status, done.out, done.err) == (0, "1 suite, 1 probe, 0 problems\n", "")


def test_a_broken_file(evalkit: Command, workspace: Path, write: Write) -> None:
    """Exit 1 and one line a mistake; the good probes beside it are counted."""
    write("suites/small/second.yaml", BROKEN)

    done = evalkit("check")

    assert (done.status, done.err) == (1, "")
    assert done.out == f"{BROKEN_LINES}1 suite, 2 probes, 2 problems\n"


def test_as_json(evalkit: Command, workspace: Path, write: Write) -> None:
    """File, line, path and sentence apart."""
    write("suites/small/second.yaml", BROKEN)

    done = evalkit("check", "--json")

    result = json.loads(done.out)
    assert (done.status, result["suites"], result["probes"], len(result["problems"])) == (1, 1, 2, 2)
    assert result["problems"][1] == {
        "file": "suites/small/second.yaml",
        "line": 6,
        "path": "$.probes[1].judges[0]",
        "message": "there is no judge 'behavior'. Did you mean 'behaviour'?",
    }


def test_a_broken_suite_file_without_probes(evalkit: Command, workspace: Path, write: Write) -> None:
    """A folder with nothing but a suite.yaml is read too."""
    write("suites/new/suite.yaml", "titel: New\n")

    done = evalkit("check")

    assert done.out == (
        "suites/new/suite.yaml:1: $.titel: unknown key 'titel'. Did you mean 'title'?\n2 suites, 1 probe, 1 problem\n"
    )


def test_paths_narrow_what_is_read(evalkit: Command, workspace: Path, write: Write) -> None:
    """A file, a suite, the folder suites/ or a workspace's root may be named, from anywhere."""
    write("suites/small/second.yaml", BROKEN)
    write("suites/other.yaml", "probes: [{prompt: Who?, expect: {contains: me}}]\n")

    assert evalkit("check", "suites/small/first.yaml").out == "1 suite, 1 probe, 0 problems\n"
    assert evalkit("check", "suites/other.yaml", "suites/small/first.yaml").out == "2 suites, 2 probes, 0 problems\n"
    assert evalkit("check", "suites/small").out == f"{BROKEN_LINES}1 suite, 2 probes, 2 problems\n"
    for whole in (".", "suites", str(workspace), "suites/small/.."):
        assert evalkit("check", whole).out == f"{BROKEN_LINES}2 suites, 3 probes, 2 problems\n"


def test_a_named_file_depends_on_its_suite_file(evalkit: Command, workspace: Path, write: Write) -> None:
    """A mistake in suite.yaml is told with every file of the suite, because its defaults hold there."""
    write("suites/small/suite.yaml", "titel: Small\n")

    done = evalkit("check", "suites/small/first.yaml")

    assert done.out == (
        "suites/small/suite.yaml:1: $.titel: unknown key 'titel'. Did you mean 'title'?\n"
        "suites/small/first.yaml: not read, because suites/small/suite.yaml is broken. Correct that first.\n"
        "1 suite, 0 probes, 2 problems\n"
    )


def test_paths_that_are_no_probes(evalkit: Command, workspace: Path, write: Write) -> None:
    """Exit 2 and a sentence that names the path."""
    write("suites/README.md", "notes")
    suites = workspace / "suites"
    sentences = {
        "suites/nope.yaml": f"{suites}/nope.yaml: is not a file or folder under {suites}\n",
        "suites/README.md": f"{suites}/README.md: holds no probes; they are YAML files, in no folder named _… or .…\n",
        "model": f"{workspace}/model: is in no folder suites/, and holds none\n",
    }
    for path, sentence in sentences.items():
        done = evalkit("check", path)
        assert (done.status, done.out, done.err) == (2, "", sentence)


def test_judges_that_cannot_be_made(evalkit: Command, workspace: Path, write: Write) -> None:
    """Settings are checked where a probe gives them: once each, at the first probe's line."""
    judge = "judges: [{use: strict, colour: 1}]"
    write("judges/strict.py", "class judge:\n    def __init__(self, at_least=1): pass\n    ask = read = None\n")
    write("judges/broken.py", "import nothing_here\n")
    write(
        "suites/small/second.yaml",
        f"probes:\n  - {{id: a, prompt: A?, {judge}}}\n  - {{id: b, prompt: B?, {judge}}}\n"
        f"  - {{id: c, prompt: C?, {judge}}}\n  - {{id: d, prompt: D?, judges: [broken]}}\n",
    )

    done = evalkit("check")

    assert done.status == 1
    assert done.out == (
        "suites/small/second.yaml:2: judges/strict.py: the class judge cannot be made: TypeError: "
        "judge.__init__() got an unexpected keyword argument 'colour' (2 more probes use it so.)\n"
        "suites/small/second.yaml:5: judges/broken.py: importing it raised ModuleNotFoundError: "
        "No module named 'nothing_here'\n"
        "1 suite, 5 probes, 2 problems\n"
    )


def test_a_broken_policy_that_no_probe_uses(evalkit: Command, workspace: Path, write: Write) -> None:
    """Every YAML file under judges/ is read, and one that a probe uses as well is told once."""
    write("judges/stern.yaml", "kind: rubrik\n")
    line = (
        "judges/stern.yaml:1: $.kind: expected one of "
        f"{', '.join(sorted(KINDS))}; found 'rubrik'. Did you mean 'rubric'?\n"
    )
    assert evalkit("check").out == f"{line}1 suite, 1 probe, 1 problem\n"

    write("suites/stern.yaml", "probes: [{prompt: Who?, judges: [stern]}]\n")
    assert evalkit("check").out == f"{line}2 suites, 2 probes, 1 problem\n"


RUBRIC = "kind: rubric\nversion: '1'\nmodel: {}\nquestion: Well?\nlabels:\n{}"
LABELS = "  good: {means: Good., outcome: pass}\n  bad: {means: Bad., outcome: fail}\n"
UNKNOWN = "no target is named 'nobody'."


def test_models_of_judges_that_are_no_targets(evalkit: Command, workspace: Path, write: Write) -> None:
    """Told where the model is named: at the policy's line, or at the probe that names it; panels' members too."""
    write("judges/well.yaml", RUBRIC.format("nobody", LABELS))
    write("judges/fine.yaml", RUBRIC.format("one", LABELS))
    write("judges/jury.yaml", "kind: panel\nrule: all\nmembers: [well, fine]\n")
    write(
        "suites/small/second.yaml",
        "probes:\n  - {id: a, prompt: A?, judges: [well]}\n  - {id: b, prompt: B?, judges: [fine]}\n"
        "  - {id: c, prompt: C?, judges: [{use: fine, model: nobody}]}\n",
    )

    done = evalkit("check")

    assert done.status == 1
    places = [line.split(" ")[0] for line in done.out.splitlines()]
    assert places == ["judges/well.yaml:3:", "suites/small/second.yaml:4:", "judges/jury.yaml:", "1"]
    for line in done.out.splitlines()[:-1]:
        assert "nobody" in line


def test_this_repository_reads_well(evalkit: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every suite, target, gate and judge of it, the rubrics with their models."""
    monkeypatch.chdir(Path(__file__).parents[2])

    done = evalkit("check")

    assert (done.status, done.out.splitlines()[-1].split(", ")[-1]) == (0, "0 problems")


def test_target_files(evalkit: Command, workspace: Path, write: Write) -> None:
    """What is wrong with a file of targets is told at that file's own line; so are targets that cannot be used."""
    write("fixtures/targets.yaml", "models:\n  one: {path: model, revison: x}\ndefault: [one]\n")
    wrong_key = evalkit("check")
    write("fixtures/targets.yaml", "models:\n  one: {path: elsewhere}\ndefault:\n  - one\n")
    no_folder = evalkit("check")

    assert wrong_key.status == no_folder.status == 1
    assert wrong_key.out == (
        "fixtures/targets.yaml:2: $.models.one.revison: unknown key 'revison'. Did you mean 'revision'?\n"
        "1 suite, 1 probe, 1 problem\n"
    )
    assert no_folder.out == (
        f"fixtures/targets.yaml:2: $.models.one: no folder elsewhere (looked for {workspace}/elsewhere). "
        "Name a folder with config.json, or a hub id.\n1 suite, 1 probe, 1 problem\n"
    )


def test_gate_files(evalkit: Command, workspace: Path, write: Write) -> None:
    """Gates that the targets file names are read, each at its own line."""
    write("fixtures/targets.yaml", (workspace / "fixtures/targets.yaml").read_text() + "gates: [fixtures/gates.yaml]\n")
    write("fixtures/gates.yaml", "gates:\n  - {name: mostly, suite: small, metric: pass_rate}\n")

    done = evalkit("check")

    assert (done.status, done.out) == (
        1,
        "fixtures/gates.yaml:2: $.gates[0]: gate 'mostly' asks for nothing. "
        "Add at_least, above, at_most, below or equals.\n1 suite, 1 probe, 1 problem\n",
    )


def test_schemas_for_editors(evalkit: Command, tmp_path: Path) -> None:
    """Needs no workspace; the folder is made."""
    plain, as_json = evalkit("check", "--schema", "out/schemas"), evalkit("check", "--schema", "out/schemas", "--json")

    files = [f"out/schemas/{name}.schema.json" for name in ("probes", "suite", "gates")]
    assert (plain.status, plain.out) == (0, "".join(f"wrote {file}\n" for file in files))
    assert json.loads(as_json.out) == {"written": files}
    for file in files:
        assert json.loads((tmp_path / file).read_text())["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_schemas_do_not_go_into_a_file(evalkit: Command, write: Write) -> None:
    """Exit 2."""
    write("notes.txt", "mine")

    done = evalkit("check", "--schema", "notes.txt")

    assert (done.status, done.out, done.err) == (2, "", "notes.txt: is a file. Name a folder.\n")
