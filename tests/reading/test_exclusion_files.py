"""Lists of exclusions as files, and the key of suite.yaml that names one."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.authoring.exclusion import text_hash
from evalkit.errors import UnreadableFile
from evalkit.reading.build import read_suite
from evalkit.reading.exclusions import read_exclusions
from evalkit.reading.leaving_out import without_excluded
from evalkit.workspace import Workspace

HEAD = "measure: words\ntraining: [{file: train.jsonl, sha256: '00', texts: 3}]\nexcluded:\n"
ENTRY = '  - {probe: small/one, text: abcd, training: "train.jsonl:2", jaccard: 0.5, runs: 1.0}\n'


def workspace(folder: Path, listed: str, suite: str = "exclusions: _data/out.yaml\n") -> Workspace:
    for name, text in {
        "suites/small/suite.yaml": suite, "suites/small/_data/out.yaml": listed,
        "suites/small/a.yaml": "probes: [{id: one, prompt: Why?, expect: {contains: so}}]\n",
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return Workspace(folder)


def test_a_list_is_read(tmp_path: Path) -> None:
    """With the suite it is of and the training file it was measured against."""
    found = read_exclusions(tmp_path / "suites/small/_data/out.yaml", workspace(tmp_path, HEAD + ENTRY))

    (item,) = found.exclusions
    assert (item.suite, item.probe, item.text_hash, item.training) == ("small", "one", "abcd", "train.jsonl:2")
    assert (item.jaccard, item.share) == (0.5, 1.0)
    assert (found.file, found.training[0].name) == ("suites/small/_data/out.yaml", "train.jsonl")


def test_suite_yaml_names_it(tmp_path: Path) -> None:
    """Relative to itself."""
    read = read_suite(tmp_path / "suites/small", workspace(tmp_path, HEAD + ENTRY))

    assert read.settings.exclusions is not None
    assert [problem for file in read.files for problem in file.problems] == []
    assert len(read.probes) == 1


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        (HEAD + ENTRY.replace("small/", ""),
         "suites/small/_data/out.yaml:4: $.excluded[0].probe: expected a probe as suite/id, found 'one'."),
        (HEAD + ENTRY.replace("text", "hash"),
         "suites/small/_data/out.yaml:4: $.excluded[0]: the key 'text' is missing. Add it."),
    ],
)  # fmt: skip
def test_a_wrong_list_is_told_at_its_line(tmp_path: Path, listed: str, sentence: str) -> None:
    """By whoever reads it; the suite's probes run, and its mistake is told with them."""
    made = workspace(tmp_path, listed)

    with pytest.raises(UnreadableFile) as refused:
        read_exclusions(tmp_path / "suites/small/_data/out.yaml", made)
    read = read_suite(tmp_path / "suites/small", made)

    assert str(refused.value.problems[0]) == sentence
    assert str(read.files[0].problems[0]) == sentence


@pytest.mark.parametrize("name", ["_data/gone.yaml", "../../secret.yaml"])
def test_a_list_that_is_not_there(tmp_path: Path, name: str) -> None:
    """Or outside the suite's folder."""
    (tmp_path / "secret.yaml").write_text("x")
    read = read_suite(tmp_path / "suites/small", workspace(tmp_path, HEAD + ENTRY, f"exclusions: {name}\n"))

    assert str(read.files[0].problems[0]) == (
        f"suites/small/suite.yaml:1: $.exclusions: there is no file {name!r} in the suite's folder. "
        "Write it with: evalkit check --train FILE --exclude"
    )


def test_two_lists_may_name_the_same_probe(tmp_path: Path) -> None:
    """The second does not miss what the first has left out already."""
    made = workspace(tmp_path, HEAD + ENTRY)
    suite = read_suite(tmp_path / "suites/small", made)
    digest = text_hash(suite.probes[0])
    listed = HEAD + ENTRY.replace("abcd", digest)
    for name in ("out", "two"):
        (tmp_path / f"suites/small/_data/{name}.yaml").write_text(listed, encoding="utf-8")
    suite = read_suite(tmp_path / "suites/small", made)

    left, done = without_excluded(suite, [read_exclusions(tmp_path / "suites/small/_data/two.yaml", made)])

    assert left.probes == ()
    assert [[probe.id for probe in item.probes] for item in done] == [["one"], ["one"]]
    assert [sentence for item in done for sentence in item.sentences if "not in the suite" in sentence] == []
