"""Memory, and room on the disks."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from evalkit.doctor.finding import GIB, Finding, gib
from evalkit.host.folders import runtime_base

LITTLE_MEMORY = GIB
LITTLE_DISK = GIB
NO_DISK = 50 * 2**20
NETWORK_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "lustre", "afs", "beegfs", "gpfs")


def memory_finding(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> Finding:
    """What this process can have: the machine's memory, or the bound of its container or session."""
    total, free = _machine_memory(proc)
    bound, used = _group_memory(proc, groups)
    if bound is not None and bound < total:
        total, free = bound, min(free, max(0, bound - used))
    says = f"{gib(free)} of {gib(total)} free" + (
        ", by the bound of this container or session" if bound == total else ""
    )
    facts = (("total_bytes", total), ("free_bytes", free))
    if free < LITTLE_MEMORY:
        return Finding("memory", "hurts", says, "End what else is running, or take a smaller model.", facts)
    return Finding("memory", "ok", says, facts=facts)


def _machine_memory(proc: Path) -> tuple[int, int]:
    try:
        lines = (proc / "meminfo").read_text(encoding="ascii").splitlines()
        kib = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
        return kib["MemTotal"] * 1024, kib["MemAvailable"] * 1024
    except (OSError, ValueError, KeyError, IndexError):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return total, total


def _group_memory(proc: Path, groups: Path) -> tuple[int | None, int]:
    """The lowest bound on this process's control groups with what is used under it; None without a bound."""
    lowest: tuple[int | None, int] = (None, 0)
    for folder, bound_file, used_file in _memory_groups(proc, groups):
        try:
            bound = int((folder / bound_file).read_text(encoding="ascii"))
            used = int((folder / used_file).read_text(encoding="ascii"))
        except (OSError, ValueError):  # no such group, or "max"
            continue
        if lowest[0] is None or bound < lowest[0]:
            lowest = bound, used
    return lowest


def _memory_groups(proc: Path, groups: Path) -> Iterator[tuple[Path, str, str]]:
    """Every control group this process is in, up to the root, of either version."""
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, kinds, path = line.split(":", 2)
        inside = Path(path.lstrip("/"))
        if not kinds:
            for part in (inside, *inside.parents):
                yield groups / part, "memory.max", "memory.current"
        elif "memory" in kinds.split(","):
            for part in (inside, *inside.parents):
                yield groups / "memory" / part, "memory.limit_in_bytes", "memory.usage_in_bytes"


def disk_finding(topic: str, folder: Path, *, is_needed: bool) -> Finding:
    """Free room where ``folder`` is or will be."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))
    free = shutil.disk_usage(there).free
    says, facts = f"{gib(free)} free at {folder}", (("path", str(folder)), ("free_bytes", free))
    if is_needed and not os.access(there, os.W_OK):
        return Finding(topic, "breaks", f"{there} cannot be written", "Give yourself write permission there.", facts)
    if free < NO_DISK and is_needed:
        return Finding(topic, "breaks", says, "Free some: answers could not be stored.", facts)
    if free < LITTLE_DISK:
        return Finding(topic, "hurts", says, "Free some.", facts)
    return Finding(topic, "ok", says, facts=facts)


def runtime_findings() -> Iterator[Finding]:
    """Whether a run can make its private folder; silent where it can."""
    base = runtime_base()
    try:
        with tempfile.TemporaryDirectory(dir=base):
            pass
    except OSError as error:
        do = "Set TMPDIR to a folder that you can write."
        yield Finding("temporary", "breaks", f"{base} cannot hold a run's private folder: {error.strerror}", do)


def network_file_system(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """The kind of network file system that ``folder`` is on, where the system tells."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    place, best, kind = folder.absolute(), -1, ""
    for line in lines:
        left, _, right = line.partition(" - ")
        point = Path(left.split()[4].replace("\\040", " "))
        if place.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), right.split()[0]
    return kind if kind in NETWORK_FILE_SYSTEMS else None
