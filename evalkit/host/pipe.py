"""Lines from a pipe, and how long none has come."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator

_LOOK_EVERY_S = 1.0
_CHUNK = 65536


def lines_or_silence(descriptor: int, look_every_s: float = _LOOK_EVERY_S) -> Iterator[bytes | float]:
    """Each line as it comes, and once a second without one the seconds since the last; ends with the pipe."""
    rest, heard_at = b"", time.monotonic()
    while True:
        ready, _, _ = select.select([descriptor], [], [], look_every_s)
        if not ready:
            yield time.monotonic() - heard_at
            continue
        chunk = os.read(descriptor, _CHUNK)
        heard_at = time.monotonic()
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        if not chunk:
            if rest:
                yield rest
            return
