"""What the doctor says of memory and disks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from evalkit.doctor import room
from evalkit.doctor.finding import Finding
from evalkit.doctor.room import disk_finding, memory_finding, network_file_system, runtime_findings

Laid = Callable[[str, str], Path]
MEMINFO = "MemTotal:       16777216 kB\nMemFree:        1 kB\nMemAvailable:    8388608 kB\n"


@pytest.fixture
def lay(tmp_path: Path) -> Laid:
    def laid(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return laid


def memory(root: Path) -> Finding:
    return memory_finding(root / "proc", root / "groups")


def test_memory_of_the_machine(lay: Laid, tmp_path: Path) -> None:
    """What is available, not what is unused."""
    lay("proc/meminfo", MEMINFO)

    assert memory(tmp_path) == Finding(
        "memory", "ok", "8.0 GiB of 16.0 GiB free", facts=(("total_bytes", 2**34), ("free_bytes", 2**33))
    )


@pytest.mark.parametrize(
    ("cgroup", "files"),
    [
        ("0::/a/b\n", {"a/memory.max": "4294967296", "a/memory.current": "1073741824", "a/b/memory.max": "max"}),
        (
            "4:memory:/job\n0::/\n",
            {"memory/job/memory.limit_in_bytes": "4294967296", "memory/job/memory.usage_in_bytes": "1073741824"},
        ),
    ],
    ids=["version 2", "version 1"],
)
def test_memory_of_a_container(lay: Laid, tmp_path: Path, cgroup: str, files: dict[str, str]) -> None:
    """The lowest bound of all its control groups."""
    lay("proc/meminfo", MEMINFO)
    lay("proc/self/cgroup", cgroup)
    for name, text in files.items():
        lay(f"groups/{name}", text + "\n")

    assert memory(tmp_path).says == "3.0 GiB of 4.0 GiB free, by the bound of this container or session"


def test_little_memory(lay: Laid, tmp_path: Path) -> None:
    """Less than a gigabyte hurts."""
    lay("proc/meminfo", "MemTotal: 4194304 kB\nMemAvailable: 524288 kB\n")

    told = memory(tmp_path)

    assert (told.level, told.says) == ("hurts", "0.5 GiB of 4.0 GiB free")
    assert told.do == "End what else is running, or take a smaller model."


def test_memory_where_the_system_has_no_such_files(tmp_path: Path) -> None:
    """Then all of it counts as free."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    assert dict(memory(tmp_path).facts) == {"total_bytes": total, "free_bytes": total}


@pytest.mark.parametrize(
    ("free", "is_needed", "level", "says", "do"),
    [
        (2**40, True, "ok", "1024.0 GiB free", ""),
        (2**29, True, "hurts", "0.5 GiB free", "Free some."),
        (2**24, True, "breaks", "16.0 MiB free", "Free some: answers could not be stored."),
        (2**24, False, "hurts", "16.0 MiB free", "Free some."),
    ],
)
def test_room_on_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, is_needed: bool, level: str, says: str, do: str
) -> None:
    """Of the nearest folder that is there."""
    monkeypatch.setattr(room.shutil, "disk_usage", lambda place: SimpleNamespace(free=free if place == tmp_path else 0))
    folder = tmp_path / "not" / "yet"

    told = disk_finding("disk", folder, is_needed=is_needed)

    assert (told.level, told.says, told.do) == (level, f"{says} at {folder}", do)


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store would be there."""
    monkeypatch.setattr(room.os, "access", lambda place, mode: False)

    told = disk_finding("disk", tmp_path, is_needed=True)

    assert (told.level, told.says) == ("breaks", f"{tmp_path} cannot be written")
    assert told.do == "Give yourself write permission there."


def test_a_folder_for_sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silent where one can be made."""
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    assert list(runtime_findings()) == []

    monkeypatch.setattr(tempfile, "tempdir", "/no/such")
    assert list(runtime_findings()) == [
        Finding(
            "temporary", "breaks", "/no/such cannot hold a run's private folder: No such file or directory",
            "Set TMPDIR to a folder that you can write.",
        )
    ]  # fmt: skip


def test_which_file_system(lay: Laid, tmp_path: Path) -> None:
    """The innermost mount decides, the last of two on one place; names with spaces are written with octals."""
    mounts = lay(
        "mountinfo",
        "22 1 8:1 / / rw - ext4 /dev/sda rw\n"
        "23 22 0:5 / /home rw - nfs4 server:/home rw\n"
        "24 23 8:2 / /home/u/local\\040disk rw shared:1 - xfs /dev/sdb rw\n"
        "25 22 0:6 / /mnt rw - nfs server:/a rw\n"
        "26 22 8:3 / /mnt rw - ext4 /dev/sdc rw\n",
    )

    asked = ["/home/u/evals", "/home/u/local disk/evals", "/srv", "/mnt/x"]
    assert [network_file_system(Path(place), mounts) for place in asked] == ["nfs4", None, None, None]
    assert network_file_system(Path("/home"), tmp_path / "none") is None
