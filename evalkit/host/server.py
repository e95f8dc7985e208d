"""The host process: takes plans, works through them stage by stage, answers its clients."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterable
from dataclasses import asdict
from itertools import chain
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge, wait
from pathlib import Path

from evalkit.engines.table import preparations
from evalkit.errors import EvalkitError
from evalkit.host import judging_ahead
from evalkit.host.bundles import Done, bundle, early_bundle
from evalkit.host.devices import Devices
from evalkit.host.heartbeat import Heartbeat
from evalkit.host.judging_ahead import JudgingAhead, has_idle_core
from evalkit.host.messages import Early, Expect, Inspected, Refused, Settled, Status, Submit, Want
from evalkit.host.work import Work
from evalkit.reading.garbage import no_garbage_search

_IDLE_WAIT_S = 1.0
"""A heart beats in idleness too."""


class Server:
    """Serves clients between the engine's steps, and while an engine is in one (through its pulse)."""

    def __init__(
        self,
        listener: socket.socket,
        key: bytes,
        status: StatusLine,
        heartbeat: Heartbeat,
        spent_usd: float = 0.0,
        preparing: Iterable[str] = (),
    ) -> None:
        """``preparing`` does one piece of work at a time that is of use before anybody asks."""
        self._listener = listener
        self._key = key
        self._status = status
        self._heartbeat = heartbeat
        self._spent_usd = spent_usd
        self._preparing = iter(preparing)
        self._clients: dict[Connection, dict[str, Want]] = {}
        self._work: Work | None = None
        self._ahead: JudgingAhead | None = None
        self._refusal: Refused | None = None

    def run(self) -> None:
        """Never returns; the lease ends the process."""
        while True:
            busy = self._prepare() if self._work is None else self._work.step() or self._judge_ahead()
            self.serve(0.0 if busy else _IDLE_WAIT_S)

    def _judge_ahead(self) -> bool:
        """Judges for a moment while there is nothing to generate; whether there may be more."""
        return self._ahead is not None and self._ahead.step()

    def _prepare(self) -> bool:
        """Does a piece while nobody has asked for anything; what is wrong with it is said when it is needed."""
        try:
            return next(self._preparing, None) is not None
        except Exception:
            traceback.print_exc()
            return False

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
            self._clients[connection] = {}

    def _receive(self, connection: Connection) -> None:
        try:
            with no_garbage_search():  # a plan may have many thousand trials
                message = connection.recv()
        except (EOFError, OSError):
            self._drop(connection)
            return
        if isinstance(message, Submit):
            self._submit(message)
        elif isinstance(message, Want):
            self._want(connection, message)
        elif isinstance(message, Early):
            self._send(connection, early_bundle(message.trials, self._done) if self._work else ())
        elif isinstance(message, Expect) and self._work is not None and has_idle_core():
            self._ahead = JudgingAhead(self._work.plan, self._work.workspace, message)

    @no_garbage_search()
    def _submit(self, message: Submit) -> None:
        """What cannot be taken is refused: a client that was hung up on would call and submit it again without end."""
        self._refusal = None
        try:
            self._take(message)
        except EvalkitError as error:
            self._refusal = Refused(str(error))
        except OSError as error:
            traceback.print_exc()
            self._refusal = Refused(
                f"{message.run.workspace}: the host cannot take the plan: {error}. "
                f"Host log: {self._heartbeat.state.log}. Check that file, the disk and its permissions."
            )

    def _take(self, message: Submit) -> None:
        is_first = self._work is None
        if self._work is None:
            self._heartbeat.begin(message.run)
            self._work = Work(
                message.run, self._on_settled, self._pulse, self._say, spent_usd=self._spent_usd,
                devices=Devices(self._heartbeat, self.serve, message.run.when_busy),
            )  # fmt: skip
        if message.run.batch_rows is not None:
            self._ahead = None
            self._work.repeat(message.run)
        self._work.add(message.trials)
        self._work.inspect(message.inspected)
        if is_first:  # the plan stays until the end; weights, which come later, have to go again
            gc.freeze()

    def _want(self, connection: Connection, want: Want) -> None:
        settled = self._refusal or (self._done(want.trial) if self._work else None)
        if settled is None:
            self._clients[connection][want.trial] = want
        elif isinstance(settled, Refused):
            self._send(connection, settled)
        else:
            self._send(connection, self._bundle(settled, want))

    def _on_settled(self, settled: Settled | Inspected) -> None:
        for connection, wanted in list(self._clients.items()):
            want = wanted.pop(settled.trial, None)
            if want is not None:
                self._send(connection, self._bundle(settled, want))

    def _bundle(self, first: Done, want: Want) -> tuple[Done, ...]:
        following = want.following
        if self._ahead is not None:
            following = self._ahead.given_with(want.trial, following)
        return bundle(first, following, self._done)

    def _done(self, trial: str) -> Done | None:
        """What a client is told of a trial, or of a target that was looked at; None: not yet."""
        assert self._work is not None
        passed = self._ahead.passed(trial) if self._ahead is not None else None
        return passed or self._work.settled(trial)

    def _pulse(self) -> None:
        self.serve(0.0)

    def _say(self, status: Status) -> None:
        self._heartbeat.know(status)
        self._status.write(status)

    def _send(self, connection: Connection, message: tuple[Done, ...] | Refused) -> None:
        try:
            connection.send(message)
        except OSError:
            self._drop(connection)
        if self._ahead is not None and isinstance(message, tuple):
            self._ahead.give(done.trial for done in message)

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

    def close(self) -> None:
        """Nothing is written any more."""
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)


def hold_lease(heartbeat: Heartbeat, status: StatusLine) -> None:
    """Ends the process, and removes its folder, as soon as the controller's end of standard input is closed.

    The status is ended first: the controller need not wait until the kernel has taken gigabytes of weights back.
    """

    def watch() -> None:
        while os.read(0, 4096):
            pass
        heartbeat.stop()
        shutil.rmtree(heartbeat.folder, ignore_errors=True)
        status.close()
        os._exit(0)

    threading.Thread(target=watch, name="evalkit-lease", daemon=True).start()


def main(argv: list[str]) -> None:
    """``host FD FOLDER USD LOG KINDS``: serves the inherited listening socket; the key is standard input's first line.

    USD is what an earlier host of the run has spent, LOG where standard error goes, KINDS what is made ready before
    somebody asks: engines (``local``), and ``judging``.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    descriptor, folder = int(argv[0]), Path(argv[1])
    key = bytes.fromhex(_first_line(0))
    status = StatusLine(_own_standard_output())
    heartbeat = Heartbeat(folder, argv[3])
    hold_lease(heartbeat, status)
    listener = socket.socket(fileno=descriptor)
    kinds = argv[4].split(",")
    preparing = chain(preparations(kinds), judging_ahead.preparations(kinds))
    try:
        Server(listener, key, status, heartbeat, float(argv[2]), preparing).run()
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
