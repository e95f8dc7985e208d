"""A terminal with a person before it: runs a command in a pty, keeps what its screen shows, types and resizes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyte

HANG_GUARD_S = 240.0
INTERRUPT = b"\x03"


@dataclass
class Terminal:
    """``seen`` are the texts of the line that evalkit drew, each once where it came several times in a row."""

    columns: int = 90
    rows: int = 16
    seen: list[str] = field(default_factory=list)
    raw: bytes = b""
    status: int = -1

    def run(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str],
        when: Callable[[Terminal], bytes | None] = lambda terminal: None,
    ) -> None:  # fmt: skip
        """Runs it to its end. ``when`` is asked after every piece of output what to type, once."""
        self._screen = pyte.HistoryScreen(self.columns, self.rows, history=100_000, ratio=0.5)
        stream = pyte.ByteStream(self._screen)
        process, self._end = pty.fork()
        if not process:
            os.chdir(folder)
            os.execvpe(command[0], list(command), dict(environment))
        self.resize(self.columns, self.rows)
        typed = None
        while select.select([self._end], [], [], HANG_GUARD_S)[0]:
            try:
                piece = os.read(self._end, 65536)
            except OSError:  # the other end is closed
                break
            self.raw += piece
            stream.feed(piece)
            self._look()
            typed = typed or self._type(when(self))
        self.status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        os.close(self._end)

    def resize(self, columns: int, rows: int) -> None:
        """As if the window were dragged."""
        self.columns, self.rows = columns, rows
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def lines(self) -> list[str]:
        """Everything that is on the screen or was before it moved up, as a person reads it who scrolls back."""
        above = ["".join(line[place].data for place in range(self.columns)) for line in self._screen.history.top]
        return [line.rstrip() for line in (*above, *self._screen.display)]

    def _look(self) -> None:
        for line in self._screen.display:
            if line.startswith("evalkit: ") and (not self.seen or self.seen[-1] != line.rstrip()):
                self.seen.append(line.rstrip())

    def _type(self, keys: bytes | None) -> bytes | None:
        if keys:
            os.write(self._end, keys)
        return keys
