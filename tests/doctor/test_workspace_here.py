"""What the doctor says of models, store, digests and hosts."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evalkit.doctor.finding import Finding
from evalkit.doctor.hosts import host_findings
from evalkit.doctor.models import cache_finding, model_findings
from evalkit.doctor.workspace_state import digest_finding, store_findings, suite_cache_findings
from evalkit.host.folders import mark_alive
from evalkit.host.messages import Status
from evalkit.host.state import HostState, write_state
from evalkit.store.database import open_database
from evalkit.target import Adapter, Engine, Model, Quantisation, Target
from evalkit.workspace import Workspace, builtin_root

DEMO = builtin_root() / "fixtures" / "demo"
Write = Callable[[str, str], Path]
NOW = 100_000.0


def local(model: Model, *adapters: Adapter, kind: str = "nf4", engine: Engine | None = None) -> Target:
    return Target(model, Quantisation(kind, kind), adapters, engine=engine or Engine())  # type: ignore[arg-type]


def hub(name: str, revision: str | None = None) -> Model:
    return Model(name, f"house/{name}", False, f"house/{name}", revision)


def test_the_hubs_cache(tmp_path: Path) -> None:
    """How many models and how large; what is linked counts once."""
    for name, size in (("a", 3 * 2**20), ("b", 2**20)):
        blobs = tmp_path / f"models--house--{name}" / "blobs"
        blobs.mkdir(parents=True)
        (blobs / "weights").write_bytes(b"\0" * size)
        (blobs / "again").symlink_to(blobs / "weights")
    (tmp_path / "datasets--house--c").mkdir()

    assert cache_finding(tmp_path, look_limit_s=600.0).says == f"2 models, 4.0 MiB, at {tmp_path}"
    assert cache_finding(tmp_path, look_limit_s=-1.0).says == f"2 models, more than 4.0 MiB, at {tmp_path}"
    assert cache_finding(tmp_path / "none").says == f"empty, at {tmp_path}/none"


def test_a_model_that_is_not_in_the_cache(tmp_path: Path) -> None:
    """It is downloaded, or the run breaks where the hub must not be asked."""
    target = local(hub("big"))

    [online] = model_findings([target, target], tmp_path, is_offline=False)
    [offline] = model_findings([target], tmp_path, is_offline=True)

    assert (online.level, online.says) == (
        "absent",
        "'house/big' is not in the hub's cache; the first run downloads it",
    )
    assert offline == Finding(
        "model", "breaks", "'house/big' is not in the hub's cache, and the hub must not be asked",
        "Unset HF_HUB_OFFLINE, or download it once elsewhere with: hf download house/big",
    )  # fmt: skip


@pytest.mark.parametrize(("revision", "is_there"), [(None, True), ("main", True), ("abc", True), ("v2", False)])
def test_a_model_in_the_cache(tmp_path: Path, revision: str | None, is_there: bool) -> None:
    """By the branch's commit or by the commit itself."""
    repository = tmp_path / "models--house--big"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots" / "abc").mkdir(parents=True)
    (repository / "snapshots" / "abc" / "model.safetensors").touch()

    told = list(model_findings([local(hub("big", revision))], tmp_path, is_offline=True))

    assert (told == []) is is_there


def test_folders_of_models_and_adapters(tmp_path: Path) -> None:
    """Whole ones are not spoken of; a broken one breaks a run, in the engine's own words."""
    (tmp_path / "demo").mkdir()
    empty = Adapter("mine", str(tmp_path / "gone"), True, "gone")
    whole = local(Model("demo", str(DEMO / "base"), True, "demo"))
    broken = local(Model("other", str(tmp_path / "demo"), True, "other"), empty)

    told = list(model_findings([whole, broken], tmp_path, is_offline=True))

    assert [(finding.topic, finding.level) for finding in told] == [("model", "breaks"), ("adapter", "breaks")]
    assert told[0].says.startswith("Model 'other' ")
    assert told[1].says == f"Adapter 'gone': there is no folder {tmp_path}/gone."
    elsewhere = replace(broken, engine=Engine("stored", "replay"))
    assert list(model_findings([elsewhere], tmp_path, is_offline=True)) == []


def test_no_store_yet(workspace: Workspace) -> None:
    """Nothing is made."""
    assert list(store_findings(workspace)) == [
        Finding("store", "ok", "no answers yet; the first run makes .evalkit/store.sqlite3")
    ]
    assert not workspace.state.exists()


def test_a_store_with_answers(workspace: Workspace) -> None:
    """How many of how many runs, how large, and that it is whole."""
    open_database(workspace.store_file).connection.close()

    [told] = store_findings(workspace)

    assert told.level == "ok"
    assert told.says.startswith("0 answers of 0 runs, ")
    assert told.says.endswith(" MiB, whole, .evalkit/store.sqlite3")
    assert dict(told.facts)["integrity"] == "whole"


def test_stores_that_cannot_be_used(workspace: Workspace, write: Write) -> None:
    """A corrupt one, a newer one, a folder in its place: each with what to do."""
    write(".evalkit/store.sqlite3", "This is no database. " * 300)
    [corrupt] = store_findings(workspace)
    workspace.store_file.unlink()
    connection = open_database(workspace.store_file).connection
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    [newer] = store_findings(workspace)
    workspace.store_file.unlink()
    workspace.store_file.mkdir()
    [folder] = store_findings(workspace)

    assert (corrupt.level, corrupt.says) == ("breaks", ".evalkit/store.sqlite3 is corrupt: file is not a database")
    assert corrupt.do == "Copy it if you need what can be saved: the next run moves it aside and generates anew."
    assert (newer.level, newer.says) == ("breaks", ".evalkit/store.sqlite3 was made by a newer evalkit (version 99)")
    assert newer.do == "Update evalkit, or move the file away to begin a new one."
    assert folder == Finding("store", "breaks", ".evalkit/store.sqlite3 is no file", "Move it away.")


def test_a_workspace_on_a_network_disk(workspace: Workspace, tmp_path: Path) -> None:
    """SQLite's log is shared memory, which such disks do not share."""
    (tmp_path / "mounts").write_text(f"22 1 0:5 / {tmp_path} rw - nfs4 server:/ rw\n")

    told = list(store_findings(workspace, tmp_path / "mounts"))[1]

    assert told == Finding(
        "store", "hurts",
        f"{tmp_path} is on a network file system (nfs4), where SQLite may lock wrongly or lose answers",
        "Keep the workspace on a local disk, and use it from one machine.",
    )  # fmt: skip


def test_digests(workspace: Workspace, write: Write) -> None:
    """None, some, and a file that cannot be read."""
    none = digest_finding(workspace)
    write(".evalkit/digests.json", json.dumps({"/a": "1", "/b": "2"}))
    some = digest_finding(workspace)
    write(".evalkit/digests.json", "[")
    broken = digest_finding(workspace)

    assert none.says == "none yet; the first run that loads weights reads them whole"
    assert (some.level, some.says) == ("ok", "of 2 files, .evalkit/digests.json")
    assert broken == Finding(
        "digests", "hurts", ".evalkit/digests.json cannot be read: weights are read whole again", "Remove it."
    )


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="host-", dir="/tmp") as made:
        monkeypatch.setattr(tempfile, "tempdir", made)
        monkeypatch.setattr("evalkit.host.state.time.monotonic", lambda: NOW)
        yield Path(made)


def test_hosts_that_run(base: Path) -> None:
    """None; one at work; one that has fallen silent."""
    none = list(host_findings())
    told = HostState("a1", "/evals", "/evals/log", 7, 6, 1.0, NOW, Status("generating"), "cpu", "demo")
    held = []
    for run, beat_at in (("a1", NOW), ("b2", NOW - 60)):
        folder = base / f"evalkit-6-{run}"
        folder.mkdir()
        held.append(mark_alive(folder))
        write_state(folder, replace(told, run=run, beat_at=beat_at, started_at=float(len(held))))

    working, silent = host_findings()

    for descriptor in held:
        os.close(descriptor)
    assert none == [Finding("hosts", "ok", "none runs now")]
    assert (working.level, working.says) == ("ok", "run a1 on cpu, process 7, /evals")
    assert (silent.level, silent.says, silent.do) == (
        "hurts", "run b2 on cpu, process 7, /evals; no sign of life for 1:00", "See /evals/log",
    )  # fmt: skip


def test_suites_kept_as_read_are_told(tmp_path: Path) -> None:
    """Where they are and how large; nothing where there are none."""
    workspace = Workspace(tmp_path)
    assert list(suite_cache_findings(workspace)) == []
    folder = tmp_path / ".evalkit" / "cache" / "suites"
    folder.mkdir(parents=True)
    (folder / "s-01234567.json").write_bytes(b"x" * 1024)

    [finding] = suite_cache_findings(workspace)

    assert (finding.topic, finding.level) == ("suite cache", "ok")
    assert finding.says == "1 suite kept as read, 0.0 MiB, .evalkit/cache/suites; may be removed at any time"
