"""Who has a store open: everybody may at once, and pruning wants it for itself."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from evalkit.errors import StoreError


class StoreInUse(StoreError):
    """Another process has the store open."""


class HeldConnection(sqlite3.Connection):
    """A connection that holds a file beside the store locked, shared with others, until it is closed.

    While somebody has it alone, opening waits.
    """

    _held: int | None = None

    def hold(self, lock: int) -> None:
        """``lock`` is an open file's descriptor, which is this connection's from now on."""
        self._held = lock

    def take_alone(self) -> None:
        """From now on until it is closed nobody else opens the store.

        Raises:
            StoreInUse: somebody has it open.
        """
        assert self._held is not None, "open_database holds it"
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreInUse("The store is in use by a run or another command of evalkit.") from None

    def close(self) -> None:
        super().close()
        self._let_go()

    def __del__(self) -> None:
        closes = getattr(super(), "__del__", None)  # Python 3.12 and newer do it here, older ones afterwards
        if closes is not None:
            closes()
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None


def shared_lock(file: Path) -> int:
    """The descriptor of the file beside the store, locked; waits while somebody prunes the store."""
    lock = os.open(file.with_name(f"{file.name}.use"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
    except BaseException:
        os.close(lock)
        raise
    return lock
