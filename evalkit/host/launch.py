"""The controller's side of the host: a private socket, a thread that starts the host, its lease."""

from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from evalkit.host.address import Address
from evalkit.host.folders import private_folder
from evalkit.host.messages import Status
from evalkit.host.pipe import lines_or_silence
from evalkit.host.state import silence_bound_s

_MAX_STARTS = 2
_BACKLOG = 128
_LEAVE_TIMEOUT_S = 5.0
_MARK = "--- host"
"""Begins the launcher's own lines in the host's log."""


class Launcher:
    """Opens the socket at once and starts the host when the first client connects, or when it is told to begin.

    The host inherits the socket, and lives while this process holds its standard input. After one crash it is started
    once more, and told what the first has spent; after a second, the socket is closed, so that every client knows at
    once.
    """

    def __init__(self, log: Path, on_status: Callable[[Status], None]) -> None:
        self._log = log
        self._on_status = on_status
        self._folder = private_folder()
        self._key = secrets.token_bytes(32)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = self._folder / "host"
        self._listener.bind(str(path))
        self._listener.listen(_BACKLOG)
        self.address = Address(str(path), self._key.hex(), str(log))
        self._wake_read, self._wake_write = os.pipe()
        self._host: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_closing = self._is_closed = False
        self._is_silent = threading.Event()
        self._ready_for = ""
        self._is_begun = False
        self.starts = 0
        self.is_used = False
        self._usd = 0.0
        self._thread = threading.Thread(target=self._watch, name="evalkit-launcher", daemon=True)
        self._thread.start()

    def begin(self, kinds: Iterable[str]) -> None:
        """Starts the host now, with these kinds of engines made ready, because it is going to be called soon."""
        self._ready_for, self._is_begun = ",".join(sorted(kinds)), True
        os.write(self._wake_write, b"b")

    def end(self) -> None:
        """Ends the lease; comes back when the host has said its last, while it still gives its memory back."""
        with self._lock:
            if self._is_closing:
                return
            self._is_closing = True
            host = self._host
        os.write(self._wake_write, b"x")
        if host is None:
            return
        assert host.stdin is not None
        with suppress(OSError):
            host.stdin.close()
        if not self._is_silent.wait(_LEAVE_TIMEOUT_S):
            host.kill()

    def close(self) -> None:
        """Ends the lease, waits for the host to leave, removes what is left. Safe to call twice.

        What is left of a host that nobody has called is its log too, unless it had something to say.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self.end()
        self._thread.join()
        self._listener.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
        shutil.rmtree(self._folder, ignore_errors=True)
        if self.starts and not self.is_used:
            _remove_idle(self._log)

    def _watch(self) -> None:
        """Starts a host when it is wanted; nobody is kept waiting when there will be none any more."""
        try:
            while not self._is_closing:
                watched: list[socket.socket | int] = [self._listener, self._wake_read]
                ready, _, _ = select.select(watched, [], [])
                if self._is_closing:
                    return
                if self._wake_read in ready:
                    os.read(self._wake_read, 1)
                try:
                    host = self._start()
                except OSError as error:
                    self._on_status(Status("starting", note=f"The model host cannot be started: {error}."))
                    return
                if host is None:
                    return
                self._follow(host)
                if self.starts == _MAX_STARTS:
                    return
        finally:
            self._hang_up()

    def _start(self) -> subprocess.Popen[bytes] | None:
        with self._lock, ExitStack() as opened:
            if self._is_closing:
                return None  # before anything is made that nobody would remove
            self._log.parent.mkdir(parents=True, exist_ok=True)
            log = opened.enter_context(self._log.open("ab"))
            self.starts += 1
            self._is_silent.clear()
            log.write(f"{_MARK} started (number {self.starts}) by process {os.getpid()}\n".encode())
            log.flush()
            ready_for = self._ready_for if self.starts == 1 else ""  # what was lost may have been lost by it
            words = str(self._listener.fileno()), str(self._folder), repr(self._usd), str(self._log), ready_for
            self._host = host = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, *words],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, pass_fds=[self._listener.fileno()],
                env=_environment(), start_new_session=True,
            )  # fmt: skip
            assert host.stdin is not None
            with suppress(OSError):  # it died at once; _follow says so
                host.stdin.write(self._key.hex().encode() + b"\n")
                host.stdin.flush()
        return host

    def _follow(self, host: subprocess.Popen[bytes]) -> None:
        """Passes the host's status on until it ends, and says so where none comes for long.

        One that was begun says nothing until it is called, which may be after many other tests.
        """
        assert host.stdout is not None
        status = Status("idle" if self._is_begun and self.starts == 1 else "starting")
        for line in lines_or_silence(host.stdout.fileno()):
            if isinstance(line, float):
                if status.phase != "idle" and line > silence_bound_s(status):
                    self._on_status(replace(status, note=None, silent_s=line))
                continue
            with suppress(ValueError):  # the last line of a killed host may be half a line
                status = Status(**json.loads(line))
                self._usd = max(self._usd, status.usd)
                self.is_used = True
                self._on_status(status)
        self._is_silent.set()
        code = _left(host)
        _close_pipes(host)
        with suppress(OSError), self._log.open("ab") as log:
            log.write(f"{_MARK} ended with {code}\n".encode())

    def _hang_up(self) -> None:
        """Nobody listens from now on: waiting clients are cut off, new ones refused."""
        (self._folder / "host").unlink(missing_ok=True)
        self._listener.close()


def _left(host: subprocess.Popen[bytes]) -> int:
    """The exit status of a host that says nothing any more."""
    try:
        return host.wait(_LEAVE_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        host.kill()
        return host.wait()


def _remove_idle(log: Path) -> None:
    """Removes the log of a host that nobody called, unless it says more than that it was there."""
    with suppress(OSError, UnicodeError):
        if all(line.startswith(_MARK) for line in log.read_text(encoding="utf-8").splitlines()):
            log.unlink()
            log.parent.rmdir()  # which fails where anything else lies in it


def _close_pipes(host: subprocess.Popen[bytes]) -> None:
    pipes: tuple[IO[bytes] | None, ...] = (host.stdin, host.stdout)
    for pipe in pipes:
        with suppress(OSError):
            if pipe is not None:
                pipe.close()


def _environment() -> dict[str, str]:
    """The host's environment: OpenMP threads that sleep while they wait, no thread pool inside tokenizers."""
    return {"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false", **os.environ, "PYTHONUNBUFFERED": "1"}


_PROGRAM = f"""
import sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from evalkit.reading.garbage import no_garbage_search
with no_garbage_search():
    from evalkit.host.server import main
main(sys.argv[1:])
"""
