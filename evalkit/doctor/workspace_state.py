"""What past runs left in the workspace: the store of answers, and digests of weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from evalkit.doctor.finding import Finding, count, gib
from evalkit.doctor.room import network_file_system
from evalkit.reading.suite_cache import cache_folder, kept
from evalkit.store.health import StoreHealth, store_health
from evalkit.workspace import Workspace

MOUNTS = Path("/proc/self/mountinfo")


def store_findings(workspace: Workspace, mounts: Path = MOUNTS) -> Iterator[Finding]:
    """The store's size, contents and health, and whether it lies where SQLite can work."""
    file = workspace.store_file
    shown = workspace.shown(file)
    if file.exists() and not file.is_file():
        yield Finding("store", "breaks", f"{shown} is no file", "Move it away.")
    elif file.exists():
        yield _store(store_health(file), shown)
    else:
        yield Finding("store", "ok", f"no answers yet; the first run makes {shown}")
    kind = network_file_system(workspace.root, mounts)
    if kind is not None:
        says = f"{workspace.root} is on a network file system ({kind}), where SQLite may lock wrongly or lose answers"
        yield Finding("store", "hurts", says, "Keep the workspace on a local disk, and use it from one machine.")


def _store(health: StoreHealth, shown: str) -> Finding:
    facts = (
        ("path", shown), ("bytes", health.size_bytes), ("answers", health.answers), ("runs", health.runs),
        ("version", health.version), ("integrity", health.integrity),
    )  # fmt: skip
    if health.is_newer:
        do = "Update evalkit, or move the file away to begin a new one."
        return Finding("store", "breaks", f"{shown} was made by a newer evalkit (version {health.version})", do, facts)
    if health.integrity == "corrupt":
        do = "Copy it if you need what can be saved: the next run moves it aside and generates anew."
        return Finding("store", "breaks", f"{shown} is corrupt: {health.mistake}", do, facts)
    if health.mistake:
        return Finding("store", "breaks", f"{shown} cannot be read: {health.mistake}", "Check its permissions.", facts)
    checked = "whole" if health.integrity == "whole" else "too large to be checked here"
    says = f"{count(health.answers, 'answer')} of {count(health.runs, 'run')}, {gib(health.size_bytes)}, {checked}"
    return Finding("store", "ok", f"{says}, {shown}", facts=facts)


def suite_cache_findings(workspace: Workspace) -> Iterator[Finding]:
    """The large suites that are kept as they were read; silent where there are none."""
    suites, size = kept(workspace)
    if suites:
        shown = workspace.shown(cache_folder(workspace))
        says = f"{count(suites, 'suite')} kept as read, {gib(size)}, {shown}; may be removed at any time"
        yield Finding("suite cache", "ok", says, facts=(("path", shown), ("suites", suites), ("bytes", size)))


def digest_finding(workspace: Workspace) -> Finding:
    """How many files' digests are kept."""
    file = workspace.state / "digests.json"
    shown = workspace.shown(file)
    if not file.exists():
        return Finding("digests", "ok", "none yet; the first run that loads weights reads them whole")
    try:
        known = json.loads(file.read_bytes())
    except (OSError, ValueError):
        known = None
    if not isinstance(known, dict):
        return Finding("digests", "hurts", f"{shown} cannot be read: weights are read whole again", "Remove it.")
    return Finding("digests", "ok", f"of {count(len(known), 'file')}, {shown}", facts=(("files", len(known)),))
