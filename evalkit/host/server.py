"""The host process: takes plans, works through them stage by stage, answers its clients."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import threading
import traceback
from dataclasses import asdict
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge, wait
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.host.devices import Devices
from evalkit.host.heartbeat import Heartbeat
from evalkit.host.messages import Inspected, Refused, Settled, Status, Submit, Want
from evalkit.host.work import Work

_IDLE_WAIT_S = 1.0
"""A heart beats in idleness too."""


class Server:
    """Serves clients between the engine's steps, and while an engine is in one (through its pulse)."""

    def __init__(
        self, listener: socket.socket, key: bytes, status: StatusLine, heartbeat: Heartbeat, spent_usd: float = 0.0
    ) -> None:
        self._listener = listener
        self._key = key
        self._status = status
        self._heartbeat = heartbeat
        self._spent_usd = spent_usd
        self._clients: dict[Connection, set[str]] = {}
        self._work: Work | None = None
        self._refusal: Refused | None = None

    def run(self) -> None:
        """Never returns; the lease ends the process."""
        while True:
            busy = self._work is not None and self._work.step()
            self.serve(0.0 if busy else _IDLE_WAIT_S)

    def serve(self, timeout_s: float) -> None:
        """Takes connections and messages that are there; waits up to ``timeout_s`` when there are none."""
        self._heartbeat.beat()
        for ready in wait([self._listener, *self._clients], timeout_s):
            if ready is self._listener:
                self._accept()
            else:
                assert isinstance(ready, Connection)
                self._receive(ready)

    def _accept(self) -> None:
        accepted, _ = self._listener.accept()
        connection = Connection(accepted.detach())
        try:
            deliver_challenge(connection, self._key)
            answer_challenge(connection, self._key)
        except (AuthenticationError, EOFError, OSError):
            connection.close()
        else:
            self._clients[connection] = set()

    def _receive(self, connection: Connection) -> None:
        try:
            message = connection.recv()
            if isinstance(message, Submit):
                self._submit(message)
            elif isinstance(message, Want):
                self._want(connection, message.trial)
        except (EOFError, OSError):
            self._drop(connection)

    def _submit(self, message: Submit) -> None:
        if self._work is None:
            try:
                self._heartbeat.begin(message.run)
                self._work = Work(
                    message.run, self._on_settled, self._pulse, self._say, spent_usd=self._spent_usd,
                    devices=Devices(self._heartbeat, self.serve, message.run.when_busy),
                )  # fmt: skip
            except EvalkitError as error:
                self._refusal = Refused(str(error))
                return
        if message.run.batch_rows is not None:
            self._work.repeat(message.run)
        self._work.add(message.trials)
        self._work.inspect(message.inspected)

    def _want(self, connection: Connection, trial: str) -> None:
        settled = self._work.settled(trial) if self._work else self._refusal
        if settled is not None:
            self._send(connection, settled)
        else:
            self._clients[connection].add(trial)

    def _on_settled(self, settled: Settled | Inspected) -> None:
        for connection, wanted in list(self._clients.items()):
            if settled.trial in wanted:
                wanted.discard(settled.trial)
                self._send(connection, settled)

    def _pulse(self) -> None:
        self.serve(0.0)

    def _say(self, status: Status) -> None:
        self._heartbeat.know(status)
        self._status.write(status)

    def _send(self, connection: Connection, message: Settled | Inspected | Refused) -> None:
        try:
            connection.send(message)
        except OSError:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._clients.pop(connection, None)
        connection.close()


class StatusLine:
    """Writes Status as lines of JSON to the controller; drops a line rather than wait for a reader."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    def write(self, status: Status) -> None:
        line = json.dumps(asdict(status)).encode() + b"\n"
        try:
            os.write(self._descriptor, line)
        except OSError:
            return


def hold_lease(heartbeat: Heartbeat) -> None:
    """Ends the process, and removes its folder, as soon as the controller's end of standard input is closed."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        heartbeat.stop()
        shutil.rmtree(heartbeat.folder, ignore_errors=True)
        os._exit(0)

    threading.Thread(target=watch, name="evalkit-lease", daemon=True).start()


def main(argv: list[str]) -> None:
    """``host FD FOLDER USD LOG``: serves the inherited listening socket; the key is the first line of standard input.

    USD is what an earlier host of the run has spent, LOG where standard error goes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor, folder = int(argv[0]), Path(argv[1])
    key = bytes.fromhex(_first_line(0))
    status = StatusLine(_own_standard_output())
    heartbeat = Heartbeat(folder, argv[3])
    hold_lease(heartbeat)
    listener = socket.socket(fileno=descriptor)
    try:
        Server(listener, key, status, heartbeat, float(argv[2])).run()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _first_line(descriptor: int) -> str:
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(descriptor, 1)
        if not byte:
            os._exit(0)
        line += byte
    return line.decode().strip()


def _own_standard_output() -> int:
    """The status pipe under a number of its own; whatever libraries print goes to the log instead."""
    own = os.dup(1)
    os.dup2(2, 1)
    return own
