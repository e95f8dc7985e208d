"""A worker's line to the host."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from multiprocessing.reduction import ForkingPickler
from typing import TypeVar

from evalkit.errors import HostLost, StoreError
from evalkit.host.address import Address
from evalkit.host.bundles import Done
from evalkit.host.messages import Early, Expect, Inspected, Passed, Refused, Run, Settled, Submit, Want
from evalkit.matrix import Trial
from evalkit.target import Target

MOST_AHEAD = 96
"""How many more answers may come along with the one that is wanted."""
ENOUGH_AHEAD = 64
"""With fewer answers than this ahead the next bundle is asked for, so that it comes while these are judged."""
MOST_EARLY = 256
"""Among how many of those that follow are asked for what is done, while one before them is waited for."""
MOST_UNREAD_BYTES = 32_768
"""So much a socket takes while its reader is busy."""
_POLL_S = 0.2
_T = TypeVar("_T")


class HostClient:
    """Submits a plan once and gets its trials one by one; finds the host again after its one restart."""

    def __init__(self, address: Address, run: Run, while_waiting: Callable[[], object] = lambda: None) -> None:
        """``while_waiting`` is called now and then, and at once again where it says that it has more to do."""
        self._address = address
        self._run = run
        self._while_waiting = while_waiting
        self._process = os.getpid()
        self._trials: list[Trial] = []
        self._inspected: list[tuple[str, Target]] = []
        self._connection: Connection | None = None
        self._hangups = select.poll()
        self._order: Sequence[str] = ()
        self._places: dict[str, int] = {}
        self._expect: Expect | None = None
        self._wanted: set[str] = set()
        self._is_asking_early = False
        self._come: dict[str, Done] = {}
        self._done = self._total = 0
        self._lost: str | None = None

    def submit(self, trials: Sequence[Trial]) -> None:
        """Adds trials to the host's plan; what is there already is kept."""
        self._trials += trials
        self._total = max(self._total, len(self._trials))
        if self._connection is None:
            return
        message = ForkingPickler.dumps(Submit(self._run, tuple(trials)))
        if self._wanted and len(message) > MOST_UNREAD_BYTES:
            self.close()  # the host may be sending as much, and either would wait for the other; obtaining calls anew
        else:
            self._attempt(lambda connection: connection.send_bytes(message))

    def foresee(self, order: Iterable[str]) -> None:
        """Says in which order trials will be obtained, where nobody else judges them.

        Then what is settled already comes in bundles, ahead of its turn: a message a trial, there and back, would cost
        more than a short text and its verdict.
        """
        self._order = tuple(order)
        self._places = {trial: place for place, trial in enumerate(self._order)}

    def leave_to_judge(self, trials: Iterable[str], worker: str) -> None:
        """Says which of the foreseen trials the host may judge before, as this ``worker`` would."""
        self._expect = expect = Expect(tuple(trials), worker)
        if self._connection is not None:
            self._attempt(lambda connection: connection.send(expect))

    def call(self) -> None:
        """Connects now, so that the host works before anybody waits; whoever obtains a trial is told if it is lost."""
        with suppress(HostLost):
            self._attempt(lambda connection: None)

    def inspect(self, named: Iterable[tuple[str, Target]]) -> None:
        """Has the host look at targets, before anything else is asked of it."""
        self._inspected += named
        if self._connection is not None:
            self._attempt(lambda connection: connection.send(Submit(self._run, (), tuple(self._inspected))))

    def obtain(self, trial: str) -> Settled | Passed:
        """Waits for one submitted trial; the answers of those that follow it come while this one's are judged.

        An answer that is here already counts, whatever became of the host since.

        Raises:
            HostLost: the host is gone for good.
            StoreError: the host cannot serve this workspace.
        """
        if trial in self._come:
            settled = self._come.pop(trial)
            if self._is_hung_up():
                self.close()
        else:
            settled = self._wait_for(trial)
        assert not isinstance(settled, Inspected)
        self._done, self._total = settled.done, settled.total
        self._ask_ahead(trial)
        return settled

    def findings(self, name: str) -> Inspected:
        """Waits until one target was looked at.

        Raises:
            HostLost: the host is gone for good.
            StoreError: the host cannot serve this workspace.
        """
        inspected = self._wait_for(name)
        assert isinstance(inspected, Inspected)
        return inspected

    @property
    def come(self) -> Collection[Done]:
        """What is here and was not obtained yet."""
        return self._come.values()

    def close(self) -> None:
        if self._connection is not None:
            self._hangups.unregister(self._connection)
            self._connection.close()
            self._connection = None
            self._wanted.clear()
            self._is_asking_early = False

    def _attempt(self, act: Callable[[Connection], _T]) -> _T | None:
        """Does one thing with the host; None when the connection broke and is to be made anew."""
        if self._lost is not None:
            raise HostLost(self._lost)
        if self._process != os.getpid():  # a fork, as some plugins make for a test: on that line its parent is answered
            self.close()
            self._process, self._expect = os.getpid(), None
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
                if self._expect is not None:
                    connection.send(self._expect)
            except (FileNotFoundError, ConnectionRefusedError, AuthenticationError):
                self._lost = (
                    f"Host lost after {self._done} of {self._total} trials. Host log: {self._address.log}. "
                    "Run the same command again: finished answers are kept, only the rest is generated."
                )
                raise HostLost(self._lost) from None
            except (EOFError, OSError):
                continue
            self._connection = connection
            self._hangups.register(connection, 0)
            return connection

    def _wait_for(self, name: str) -> Done:
        while True:
            reply = self._attempt(lambda connection: self._ask(connection, name))
            if reply is not None:
                return reply

    def _ask(self, connection: Connection, name: str) -> Done:
        self._want(connection, name)
        while name not in self._come:
            has_more = False
            while not connection.poll(0.0 if has_more else _POLL_S):
                has_more = bool(self._while_waiting())
                if not has_more:
                    self._ask_early(connection, name)
            replies = _replies(connection.recv())
            if not replies or replies[0].trial not in self._wanted:
                self._is_asking_early = False
            for reply in replies:
                if reply.trial in self._wanted or not self._is_over(reply.trial, name):
                    self._come.setdefault(reply.trial, reply)
                self._wanted.discard(reply.trial)
        return self._come.pop(name)

    def _ask_ahead(self, trial: str) -> None:
        """Wants what follows a trial before it is needed, one bundle at a time.

        Calls a host that died anew at once, so that it starts while what has come is judged.
        """
        following = self._after(trial, ENOUGH_AHEAD)
        is_enough = self._wanted or (following and following[-1] in self._come)
        if not following or (is_enough and self._connection is not None):
            return
        missing = next((name for name in following if name not in self._come), following[-1])
        with suppress(HostLost):  # whoever obtains that trial is told
            while self._attempt(lambda connection: self._want(connection, missing)) is None:
                continue

    def _want(self, connection: Connection, trial: str) -> bool:
        if trial not in self._wanted and trial not in self._come:
            connection.send(Want(trial, self._after(trial, MOST_AHEAD)))
            self._wanted.add(trial)
        return True

    def _ask_early(self, connection: Connection, trial: str) -> None:
        """Asks for what is done of those that follow a trial which takes long, so that it can be judged meanwhile."""
        missing = tuple(name for name in self._after(trial, MOST_EARLY) if name not in self._come)
        if missing and not self._is_asking_early:
            connection.send(Early(missing))
            self._is_asking_early = True

    def _after(self, trial: str, count: int) -> tuple[str, ...]:
        """The trials that are obtained after this one, as far as that is known."""
        place = self._places.get(trial)
        return () if place is None else tuple(self._order[place + 1 : place + 1 + count])

    def _is_over(self, trial: str, name: str) -> bool:
        """Whether a trial was obtained before the one that is waited for: what comes of it now has come twice."""
        return self._places.get(trial, 0) < self._places.get(name, 0)

    def _is_hung_up(self) -> bool:
        """Whether the host has left since; what it sent before may still be there to be read."""
        return bool(self._hangups.poll(0))


def _replies(message: object) -> tuple[Done, ...]:
    if isinstance(message, Refused):
        raise StoreError(message.reason)
    assert isinstance(message, tuple)
    return message
