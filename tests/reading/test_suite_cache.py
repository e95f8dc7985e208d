"""Readings that are kept give what reading gives, and never anything else."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.probe import Probe
from evalkit.reading import suite_cache, suites
from evalkit.reading.build import SuiteReading, read_suite
from evalkit.reading.cached_probes import packed, unpacked
from evalkit.reading.suite_cache import MAX_FOLDER_BYTES, MIN_PROBES, SuiteCache, kept
from evalkit.workspace import Workspace

JUDGES = frozenset({"behaviour", "other"})
TEMPLATE = """\
defaults: {language: en, license: MIT}
probes:
  - id: x
    expand: {n: {file: _data/numbers.txt}, item: [{q: Who?, a: Ann}, {q: Where?, a: here}]}
    turns:
      - system: Be {{ n }}.
      - user: "{{ item.q }} {{ n }} are the five words"
      - generate: {stop: [a, b]}
      - user: So?
      - generate
    decoding: {temperature: 0.5, logit_bias: {" Paris": 2, "token:17": -1.5}, banned: [x, 5]}
    why: "{{ n }}"
    formerly: y
    perturb: {shuffle: 0.8}
    judges: [{use: behaviour, required: false, own: {b: [1, 2.0, true], a: {}}}, other]
    expect: {number: {value: 4, tolerance: 0.5}, json: {schema: {type: object}}, must_say: [a, [b, "{{ item.a }}"]]}
  - prompt_file: _data/prompt.txt
    tags: [a, b]
    subcategory: z
    samples: 3
    expect: {contains: "é \\U0001F30A", max_words: 0}
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A suite of more than a hundred probes with every kind of value in it."""
    suite = tmp_path / "suites" / "s"
    (suite / "_data").mkdir(parents=True)
    (suite / "_data" / "numbers.txt").write_text("\n".join(f"n{number}" for number in range(60)), encoding="utf-8")
    (suite / "_data" / "prompt.txt").write_text("Who then?", encoding="utf-8")
    (suite / "suite.yaml").write_text("title: S\ndefaults: {author: Ann}\n", encoding="utf-8")
    (suite / "a.yaml").write_text(TEMPLATE, encoding="utf-8")
    (suite / "b.yaml").write_text("probes: [{prompt: Why?, expect: {contains: a}}]\n", encoding="utf-8")
    return Workspace(tmp_path)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were parsed, as they are."""
    names: list[str] = []
    reads = suites.read_probe_file

    def noting(path: Path, *rest: object) -> object:
        names.append(path.name)
        return reads(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(suites, "read_probe_file", noting)
    return names


def read(workspace: Workspace, judges: frozenset[str] = JUDGES) -> SuiteReading:
    return read_suite(workspace.suites / "s", workspace, judges, SuiteCache.of(workspace))


def entry(workspace: Workspace) -> Path:
    [found] = (workspace.state / "cache" / "suites").iterdir()
    return found


def test_the_second_reading_parses_nothing_and_is_the_same(workspace: Workspace, parsed: list[str]) -> None:
    """Every field of every probe comes back, types included."""
    plain = read_suite(workspace.suites / "s", workspace, JUDGES)
    first = read(workspace)
    del parsed[:]

    second = read(workspace)

    assert parsed == []
    assert plain == first == second
    assert plain.files[0].problems == ()
    assert len(plain.probes) > 2 * MIN_PROBES
    assert [repr(probe) for probe in second.probes] == [repr(probe) for probe in plain.probes]
    assert kept(workspace) == (1, entry(workspace).stat().st_size)


def test_what_is_put_off_is_kept_once_it_is_written(workspace: Workspace, parsed: list[str]) -> None:
    """A run writes when it has nothing better to do; until then nothing is kept."""
    cache = SuiteCache.of(workspace, puts_off=True)
    first = read_suite(workspace.suites / "s", workspace, JUDGES, cache)
    assert kept(workspace) == (0, 0)

    cache.write()
    del parsed[:]

    assert read(workspace) == first
    assert parsed == []


def test_what_changed_before_it_was_written_is_read_anew(workspace: Workspace, parsed: list[str]) -> None:
    """What is put off belongs to the bytes that were read."""
    cache = SuiteCache.of(workspace, puts_off=True)
    read_suite(workspace.suites / "s", workspace, JUDGES, cache)
    (workspace.suites / "s" / "b.yaml").write_text("probes: [{prompt: How?, expect: {contains: a}}]\n", "utf-8")
    cache.write()

    found = read(workspace)

    assert parsed == ["a.yaml", "b.yaml"] * 2
    assert found.files[1].probes[0].prompt == "How?"


def test_every_probe_survives_packing(workspace: Workspace) -> None:
    """Through JSON text and back, any text included."""
    files = read_suite(workspace.suites / "s", workspace, JUDGES).files

    assert unpacked(json.loads(json.dumps(packed(files)))) == files


def _append(name: str, text: str) -> Callable[[Path], None]:
    def change(suite: Path) -> None:
        with (suite / name).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def _retarget(suite: Path) -> None:
    (suite / "_data" / "other.txt").write_text("Whom?", encoding="utf-8")
    (suite / "_data" / "prompt.txt").unlink()
    (suite / "_data" / "prompt.txt").symlink_to(suite / "_data" / "other.txt")


@pytest.mark.parametrize(
    "change",
    [
        _append("a.yaml", "# a word\n"),
        _append("suite.yaml", "# a word\n"),
        _append("_data/numbers.txt", "\nmore"),
        _append("_data/prompt.txt", " And?"),
        _append("c.yaml", "probes: [{prompt: And?, expect: {contains: a}}]\n"),
        lambda suite: (suite / "b.yaml").unlink(),
        lambda suite: (suite / "b.yaml").rename(suite / "z.yaml"),
        lambda suite: (suite / "suite.yaml").unlink(),
        _retarget,
    ],
    ids=["probes", "suite", "list", "prompt", "new file", "lost file", "renamed file", "lost suite.yaml", "link"],
)  # fmt: skip
def test_any_change_of_a_file_is_seen(workspace: Workspace, parsed: list[str], change: Callable[[Path], None]) -> None:
    """What is read after a change is what is read without anything kept."""
    read(workspace)
    change(workspace.suites / "s")
    del parsed[:]

    changed = read(workspace)

    assert "a.yaml" in parsed
    assert changed == read_suite(workspace.suites / "s", workspace, JUDGES)


def test_other_judges_and_another_evalkit_read_anew(
    workspace: Workspace, parsed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A judge that is gone is a mistake in the probes; other code may read them otherwise."""
    read(workspace)
    del parsed[:]
    assert read(workspace, frozenset({"behaviour"})).files[0].problems != ()
    assert parsed == ["a.yaml", "b.yaml"]
    monkeypatch.setattr(suite_cache, "_reader", lambda: "another")

    read(workspace)

    assert parsed == ["a.yaml", "b.yaml"] * 2


def test_mistakes_are_told_every_time(workspace: Workspace) -> None:
    """A suite with a mistake is not kept, so that nothing about it can differ."""
    _append("b.yaml", "probs: 1\n")(workspace.suites / "s")

    first, second = read(workspace), read(workspace)

    assert first == second == read_suite(workspace.suites / "s", workspace, JUDGES)
    assert [str(problem) for problem in second.files[1].problems] == [
        "suites/s/b.yaml:2: $.probs: unknown key 'probs'. Did you mean 'probes'?"
    ]
    assert kept(workspace) == (0, 0)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-2],
        lambda content: content[:200],
        lambda content: content.replace(b"Ann", b"Bob"),
        lambda content: b"\x80\x04\x95" + content,
        lambda content: content.split(b"\n")[0] + b"\n" + b"[" * 200_000,
        lambda content: b"[" * 200_000,
        lambda content: b"5\n5",
        lambda content: b'{"key": 1}\n[]',
    ],
)  # fmt: skip
def test_a_damaged_or_foreign_entry_is_read_past_and_replaced(
    workspace: Workspace, damage: Callable[[bytes], bytes], parsed: list[str]
) -> None:
    """No error, no wrong probe, and a good entry afterwards."""
    good = read(workspace)
    file = entry(workspace)
    file.write_bytes(damage(file.read_bytes()))
    del parsed[:]

    assert read(workspace) == good
    assert parsed == ["a.yaml", "b.yaml"]
    assert read(workspace) == good
    assert parsed == ["a.yaml", "b.yaml"]


@pytest.mark.parametrize(
    "body", ["[]", "[[],[],[[1,2]]]", '[[],[],[["a",[[0,5,[],0,null,null]],[]]]]', '{"a":{"b":1}}', "7"]
)
def test_a_forged_entry_is_read_past(workspace: Workspace, body: str) -> None:
    """With a right key and sum, but with something else in it."""
    good = read(workspace)
    file = entry(workspace)
    facts = json.loads(file.read_bytes().split(b"\n")[0])
    facts["body"] = suite_cache._digest(body.encode())
    file.write_bytes(json.dumps(facts).encode() + b"\n" + body.encode())

    assert read(workspace) == good


def test_a_folder_that_cannot_be_written_is_no_error(workspace: Workspace) -> None:
    """Reading goes on without keeping."""
    workspace.state.write_text("a file where the folder would be", encoding="utf-8")

    assert len(read(workspace).probes) > MIN_PROBES
    assert kept(workspace) == (0, 0)


def test_many_readers_at_once_leave_one_whole_entry(workspace: Workspace) -> None:
    """As xdist's workers do, all cold; nobody sees a part of a file."""
    good = read_suite(workspace.suites / "s", workspace, JUDGES)
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(read(workspace) == good)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [True] * 4
    assert entry(workspace).name.startswith("s-")


def test_a_small_suite_is_not_kept(workspace: Workspace) -> None:
    """It is read as fast as it is looked up."""
    (workspace.suites / "s" / "a.yaml").unlink()

    read(workspace)

    assert not (workspace.state / "cache").exists()


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the old probes would stand for the new file."""
    reads = suites.read_probe_file

    def changing(path: Path, *rest: object) -> object:
        reading = reads(path, *rest)  # type: ignore[arg-type]
        _append(path.name, "# a word\n")(path.parent)
        return reading

    monkeypatch.setattr(suites, "read_probe_file", changing)

    read(workspace)

    assert kept(workspace) == (0, 0)


def test_the_folder_stays_bounded(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written longest ago goes first; too large an entry is not written."""
    assert MAX_FOLDER_BYTES == 300_000_000
    folder = workspace.state / "cache" / "suites"
    folder.mkdir(parents=True)
    for age, name in enumerate(("new.json", "old.json")):
        (folder / name).write_bytes(b"x" * 1000)
        os.utime(folder / name, (1000 - age, 1000 - age))
    read(workspace)
    size = kept(workspace)[1] - 2000
    monkeypatch.setattr(suite_cache, "MAX_FOLDER_BYTES", size + 1500)
    _append("a.yaml", "# a\n")(workspace.suites / "s")

    read(workspace)

    assert sorted(file.name[:4] for file in folder.iterdir()) == ["new.", "s-" + next(folder.glob("s-*")).name[2:4]]
    monkeypatch.setattr(suite_cache, "MAX_ENTRY_BYTES", 10)
    _append("a.yaml", "# b\n")(workspace.suites / "s")
    before = next(folder.glob("s-*")).read_bytes()
    read(workspace)
    assert next(folder.glob("s-*")).read_bytes() == before


def test_a_value_without_a_form_in_json_is_not_kept(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A noun that is added later costs speed, not a run."""
    monkeypatch.setattr(suite_cache, "packed", lambda readings: [object()])

    assert len(read(workspace).probes) > MIN_PROBES
    assert kept(workspace) == (0, 0)


def test_all_fields_of_a_probe_are_kept() -> None:
    """Those that every probe has of its own, and those that many share."""
    from evalkit.reading import cached_probes

    assert {*cached_probes._OWN, *cached_probes._SHARED} == set(Probe.__dataclass_fields__)
