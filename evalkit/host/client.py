"""A worker's line to the host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from typing import TypeVar

from evalkit.errors import HostLost, StoreError
from evalkit.host.address import Address
from evalkit.host.messages import Inspected, Refused, Run, Settled, Submit, Want
from evalkit.matrix import Trial
from evalkit.target import Target

_POLL_S = 0.2
_T = TypeVar("_T")


class HostClient:
    """Submits a plan once and gets its trials one by one; finds the host again after its one restart."""

    def __init__(self, address: Address, run: Run, while_waiting: Callable[[], None] = lambda: None) -> None:
        self._address = address
        self._run = run
        self._while_waiting = while_waiting
        self._trials: list[Trial] = []
        self._inspected: list[tuple[str, Target]] = []
        self._connection: Connection | None = None
        self._wanted: set[str] = set()
        self._come: dict[str, Settled | Inspected] = {}
        self._done = self._total = 0
        self._lost: HostLost | None = None

    def submit(self, trials: Sequence[Trial]) -> None:
        """Adds trials to the host's plan; what is there already is kept."""
        self._trials += trials
        self._total = max(self._total, len(self._trials))
        if self._connection is not None:
            self._attempt(lambda connection: connection.send(Submit(self._run, tuple(trials))))

    def inspect(self, named: Iterable[tuple[str, Target]]) -> None:
        """Has the host look at targets, before anything else is asked of it."""
        self._inspected += named
        if self._connection is not None:
            self._attempt(lambda connection: connection.send(Submit(self._run, (), tuple(self._inspected))))

    def obtain(self, trial: str, following: str | None = None) -> Settled:
        """Waits for one submitted trial; the answers of the ``following`` one come while this one's are judged.

        Raises:
            HostLost: the host is gone for good.
            StoreError: the host cannot serve this workspace.
        """
        while True:
            settled = self._attempt(lambda connection: self._ask(connection, trial))
            if settled is not None:
                assert isinstance(settled, Settled)
                self._done, self._total = settled.done, settled.total
                if following is not None:
                    self._ask_ahead(following)
                return settled

    def findings(self, name: str) -> Inspected:
        """Waits until one target was looked at.

        Raises:
            HostLost: the host is gone for good.
            StoreError: the host cannot serve this workspace.
        """
        while True:
            inspected = self._attempt(lambda connection: self._ask(connection, name))
            if inspected is not None:
                assert isinstance(inspected, Inspected)
                return inspected

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._wanted.clear()

    def _attempt(self, act: Callable[[Connection], _T]) -> _T | None:
        """Does one thing with the host; None when the connection broke and is to be made anew."""
        if self._lost is not None:
            raise self._lost
        connection = self._connection or self._connect()
        try:
            return act(connection)
        except (EOFError, OSError):
            self.close()
            return None

    def _connect(self) -> Connection:
        """Connects and submits everything; the host need not be up yet, only its socket.

        Raises:
            HostLost: nobody listens any more.
        """
        while True:
            try:
                connection = Client(self._address.socket, family="AF_UNIX", authkey=bytes.fromhex(self._address.key))
                connection.send(Submit(self._run, tuple(self._trials), tuple(self._inspected)))
            except (FileNotFoundError, ConnectionRefusedError, AuthenticationError):
                self._lost = HostLost(
                    f"Host lost after {self._done} of {self._total} trials. Host log: {self._address.log}. "
                    "Run the same command again: finished answers are kept, only the rest is generated."
                )
                raise self._lost from None
            except (EOFError, OSError):
                continue
            self._connection = connection
            return connection

    def _ask(self, connection: Connection, trial: str) -> Settled | Inspected:
        self._want(connection, trial)
        while trial not in self._come:
            while not connection.poll(_POLL_S):
                self._while_waiting()
            reply = _reply(connection.recv())
            self._come[reply.trial] = reply
        self._wanted.discard(trial)
        return self._come.pop(trial)

    def _ask_ahead(self, trial: str) -> None:
        """Calls a host that died anew at once, so that it starts while what has come is judged."""
        with suppress(HostLost):  # whoever obtains that trial is told
            while self._attempt(lambda connection: self._want(connection, trial)) is None:
                continue

    def _want(self, connection: Connection, trial: str) -> bool:
        if trial not in self._wanted and trial not in self._come:
            connection.send(Want(trial))
            self._wanted.add(trial)
        return True


def _reply(message: object) -> Settled | Inspected:
    if isinstance(message, Refused):
        raise StoreError(message.reason)
    assert isinstance(message, (Settled, Inspected))
    return message
