"""What a command costs with all its processes: wall time, CPU time, memory by PSS."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_PR_SET_CHILD_SUBREAPER = 36
_SAMPLE_EVERY_S = 0.5
_FIRST_SAMPLE_S = 0.1
_LEAVE_S = 10.0
_WORKER_MARK = b"sys.stdin.readline"
"""Of the program that execnet starts an xdist worker with."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one command. ``pss_mib`` is the largest sum over its processes at one moment, ``worker_mib`` the largest PSS

    of an xdist worker; both are sampled twice a second, at first more often. ``status`` is the exit status, None where
    the command was ended after ``limit_s``.
    """

    wall_s: float
    cpu_s: float
    pss_mib: float
    worker_mib: float
    status: int | None
    load: float

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def measured(
    command: Sequence[str], *, cwd: Path, log: Path, limit_s: float, environment: Mapping[str, str] | None = None
) -> Cost:
    """Runs a command to its end; its output goes to ``log``."""
    _adopt_orphans()
    load = os.getloadavg()[0]
    with log.open("ab") as output:
        output.write(f"$ {' '.join(command)}\n".encode())
        output.flush()
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={**os.environ, **(environment or {})}, start_new_session=True,
        )  # fmt: skip
        watch = _Watch(process.pid, begun + limit_s)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        watch.stop()
    cpu = usage.ru_utime + usage.ru_stime + _reap_orphans()
    ended = None if watch.was_too_long else process.returncode
    return Cost(wall, cpu, watch.pss_mib, watch.worker_mib, ended, load)


@dataclass(slots=True)
class _Watch:
    """Samples the memory of a process and what it started; ends it all when it takes too long."""

    root: int
    deadline: float
    pss_mib: float = 0.0
    worker_mib: float = 0.0
    was_too_long: bool = False
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        pause_s = _FIRST_SAMPLE_S
        while not self._over.wait(pause_s):
            pause_s = min(_SAMPLE_EVERY_S, 1.2 * pause_s)
            sizes = {process: _pss_mib(process) for process in _tree(self.root)}
            self.pss_mib = max(self.pss_mib, sum(sizes.values()))
            workers = [size for process, size in sizes.items() if _is_worker(process)]
            self.worker_mib = max(self.worker_mib, *workers, 0.0)
            if time.perf_counter() > self.deadline:
                self.was_too_long = True
                for process in sizes:
                    _kill(process)
                return


def _adopt_orphans() -> None:
    """Processes whose parent ends become children of this one, so that their time is counted."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap_orphans() -> float:
    """Waits for what the command left behind, ends it after ten seconds; its CPU seconds."""
    seconds, deadline = 0.0, time.monotonic() + _LEAVE_S
    while True:
        try:
            process, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return seconds
        if process:
            seconds += usage.ru_utime + usage.ru_stime
            continue
        if time.monotonic() > deadline:
            for child in _children().get(os.getpid(), []):
                _kill(child)
        time.sleep(0.02)


def _children() -> dict[int, list[int]]:
    """The processes of this machine by their parent."""
    found: dict[int, list[int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                words = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            found.setdefault(int(words[1]), []).append(int(entry.name))
    return found


def _tree(root: int) -> list[int]:
    children, found = _children(), [root]
    for process in found:
        found += children.get(process, [])
    return found


def _pss_mib(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def _is_worker(process: int) -> bool:
    try:
        return _WORKER_MARK in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except OSError:
        return
