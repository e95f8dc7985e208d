"""``evalkit import``: what it writes, what it reports, what it refuses."""

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

SEEDS = json.dumps([
    {"id": "P 1", "domain": "Identity", "prompt": "Who decides what you are?", "hardness": 3},
    {"id": "P2", "domain": "Identity", "prompt": "Who decides what you are?"},
    {"id": "P3", "domain": "Money"},
])  # fmt: skip
FILE = """\
# Imported from seeds.json by: evalkit import lem
defaults:
  category: Identity
  judges: [{use: heuristic_v2, measure_only: true}]
probes:
  - id: P-1
    cluster: P-1
    prompt: Who decides what you are?

  - id: P2
    cluster: P-1
    prompt: Who decides what you are?
"""


def test_it_makes_a_suite_and_reports(evalkit: Command, workspace: Path, write: Write) -> None:
    """Ids, copies, fields and rows that were not taken, and what to run; exit 2 because a row is missing."""
    write("seeds.json", SEEDS)

    done = evalkit("import", "lem", "seeds.json", "--suite", "seeds")

    assert (done.status, done.err) == (2, "")
    assert done.out == (
        "suites/seeds: 2 probes in 1 file\n"
        "1 id changed: 'P 1' is P-1\n"
        "1 copy of a prompt: P2 of P-1\n"
        "not imported: hardness (1)\n"
        "left out: seeds.json: $[2]: there is no prompt (prompt or question or text as text).\n"
        "The mapping is in suites/seeds/_data/import.json. Now run: evalkit check suites/seeds && pytest suites/seeds\n"
    )
    assert (workspace / "suites/seeds/identity.yaml").read_text() == FILE
    assert (workspace / "suites/seeds/suite.yaml").read_text() == (
        "title: seeds\ndescription: Imported from seeds.json (lem).\n"
    )
    assert evalkit("check", "suites/seeds").out == "1 suite, 2 probes, 0 problems\n"


def test_the_mapping_stays_beside_the_suite(evalkit: Command, workspace: Path, write: Write) -> None:
    """With the digest of the source; the report as JSON says the same."""
    file = write("seeds.json", SEEDS)

    done = json.loads(evalkit("import", "lem", "seeds.json", "--suite", "seeds", "--json").out)

    mapping = json.loads((workspace / "suites/seeds/_data/import.json").read_text())
    assert mapping == {
        "format": "lem", "sources": {"seeds.json": hashlib.sha256(file.read_bytes()).hexdigest()}, "probes": 2,
        "ids": [{"at": "seeds.json: $[0]", "was": "P 1", "is": "P-1"}], "copies": [{"probe": "P2", "of": "P-1"}],
        "categories": [], "tags": [], "fields_not_imported": {"hardness": 1},
        "left_out": ["seeds.json: $[2]: there is no prompt (prompt or question or text as text)."],
    }  # fmt: skip
    assert (done["suite"], done["files"], done["ids"]) == ("suites/seeds", ["identity.yaml"], mapping["ids"])
    assert done["left_out"][0]["path"] == "$[2]"


def test_changed_categories_and_tags_are_told(evalkit: Command, workspace: Path, write: Write) -> None:
    """On the screen, in the mapping and as JSON, like ids."""
    write("t.csv", 'prompt,contains,category,tags\nWhy?,so,skip,"multi turn,?"\nWho?,me,skip,plain\n')

    done = evalkit("import", "csv", "t.csv", "--suite", "t")
    told = json.loads(evalkit("import", "csv", "t.csv", "--suite", "t2", "--json").out)

    assert (done.status, done.out) == (
        0,
        "suites/t: 2 probes in 1 file\n"
        "1 category changed: 'skip' is skip_\n"
        "2 tags changed: 'multi turn' is multi_turn, '?' is left out\n"
        "The mapping is in suites/t/_data/import.json. Now run: evalkit check suites/t && pytest suites/t\n",
    )
    mapping = json.loads((workspace / "suites/t/_data/import.json").read_text())
    assert mapping["categories"] == told["categories"] == [{"was": "skip", "is": "skip_"}]
    assert mapping["tags"] == told["tags"] == [{"was": "multi turn", "is": "multi_turn"}, {"was": "?", "is": ""}]


def test_copies_can_be_left_out(evalkit: Command, workspace: Path, write: Write) -> None:
    """With --unique."""
    write("seeds.json", SEEDS)

    evalkit("import", "lem", "seeds.json", "--suite", "seeds", "--unique")

    assert evalkit("check", "suites/seeds").out == "1 suite, 1 probe, 0 problems\n"


def test_named_columns_and_judges(evalkit: Command, workspace: Path, write: Write) -> None:
    """Probes with text assertions need no judge; the others get the ones that are named."""
    write("t.csv", "q,must,wanted\nWhy?,so,\nWho?,,Names nobody.\n")
    columns = ["--column", "prompt=q", "--column", "contains=must", "--column", "behaviour=wanted"]

    done = evalkit("import", "csv", "t.csv", "--suite", "t", *columns, "--judge", "semantic")

    assert (done.status, done.out.splitlines()[0]) == (0, "suites/t: 2 probes in 1 file")
    assert (
        (workspace / "suites/t/imported.yaml")
        .read_text()
        .endswith("""\
  - id: why
    prompt: Why?
    expect: {contains: [so]}

  - id: who
    prompt: Who?
    expect: {behaviour: Names nobody.}
    judges: [semantic]
""")
    )


def test_rows_that_expect_nothing(evalkit: Command, workspace: Path, write: Write) -> None:
    """Are told, and left to the behaviour judge."""
    write("t.jsonl", '{"prompt": "Why?"}\n{"prompt": "Who?"}\n')

    done = evalkit("import", "jsonl", "t.jsonl", "--suite", "t")

    assert (
        "note: nothing is expected in 2 probes: the judge behaviour leaves unscored what their category does not tell. "
        "Write expect, or name another with --judge\n"
    ) in done.out
    assert evalkit("check", "suites/t").status == 0


def test_an_import_that_reads_wrongly_is_told(evalkit: Command, workspace: Path, write: Write) -> None:
    """A pattern of the source that Python does not read: exit 1, at the line that was written."""
    write("t.jsonl", '{"prompt": "Why?", "regex": "(["}\n')

    done = evalkit("import", "jsonl", "t.jsonl", "--suite", "t")

    assert done.status == 1
    assert "suites/t/imported.yaml:7: $.probes[0].expect.regex[0]: the regular expression '([' is wrong" in done.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["lme", "t.csv", "--suite", "t"], "There is no format 'lme'. Did you mean 'lem'?\n"),
        (["csv", "t.csv", "--suite", "small"],
         "suites/small: is there already, and nothing is overwritten. Choose another name.\n"),
        (["csv", "gone.csv", "--suite", "t"], "gone.csv: cannot be opened: No such file or directory.\n"),
        (["csv", "t.csv", "--suite", "t", "--judge", "behavior"],
         "--judge behavior: there is no such judge. Did you mean 'behaviour'?\n"),
        (["lem", "t.json", "--suite", "t", "--column", "prompt=q"],
         "--column is for csv and jsonl; the other formats have fields of their own.\n"),
        (["lem", "t.json", "--suite", "t"],
         "t.json: $[0]: there is no prompt (prompt or question or text as text).\n"
         "t.json: there is nothing to import.\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported(
    evalkit: Command, workspace: Path, write: Write, words: list[str], sentence: str
) -> None:
    """Exit 2 and a sentence; nothing is made."""
    write("t.csv", "prompt\nWhy?\n")
    write("t.json", "[{}]")

    done = evalkit("import", *words)

    assert (done.status, done.out, done.err) == (2, "", sentence)
    assert sorted(path.name for path in (workspace / "suites").iterdir()) == ["small"]
