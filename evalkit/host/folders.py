"""The private folders of runs: where they are, how one is made, which of them a live host holds."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "evalkit-"
ALIVE = "alive"
"""A file that a host keeps locked while it lives; the kernel lets go of the lock whatever ends the process."""
_SOCKET_PATH_LIMIT = 100
_LOCK_LIMIT_S = 3.0
_LOCK_LOOK_EVERY_S = 0.005


def runtime_base() -> Path:
    """The folder that holds the runs' private folders, short enough for a socket's path."""
    base = tempfile.gettempdir()
    return Path("/tmp" if len(base) + len(PREFIX) + 40 > _SOCKET_PATH_LIMIT else base)


def private_folder() -> Path:
    """A new folder that only this user can enter; those of controllers that were killed are removed on the way."""
    base = runtime_base()
    _sweep(base)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=base))


def private_folders(base: Path) -> list[Path]:
    """Those of this user's runs, sorted by name."""
    found = []
    for folder in base.glob(f"{PREFIX}[0-9]*-*"):
        with suppress(OSError):
            if controller_of(folder) is not None and folder.stat().st_uid == os.getuid():
                found.append(folder)
    return sorted(found)


def controller_of(folder: Path) -> int | None:
    """The process that made a private folder, by its name."""
    process = folder.name.removeprefix(PREFIX).split("-")[0]
    return int(process) if process.isdecimal() else None


def mark_alive(folder: Path) -> int:
    """Holds the folder's lock until the process ends; the descriptor is closed by nobody."""
    descriptor = os.open(folder / ALIVE, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def is_alive(folder: Path) -> bool:
    """Whether a host holds the folder, in this or another container of this machine; no process number is compared."""
    try:
        descriptor = os.open(folder / ALIVE, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


@contextmanager
def alone(base: Path) -> Iterator[None]:
    """One process of this user at a time; the lock's file is there only meanwhile.

    Without a lock where none can be, and where one that stands still has held it for seconds.
    """
    file = base / f".{PREFIX}{os.getuid()}.lock"
    descriptor = None
    with suppress(OSError):
        descriptor = _locked(file)
    try:
        yield
    finally:
        if descriptor is not None:
            file.unlink(missing_ok=True)
            os.close(descriptor)


def _locked(file: Path) -> int:
    """The locked file: one that its last owner removed while it was waited for is made anew.

    Raises:
        OSError: it cannot be made, or not be locked in time.
    """
    until = time.monotonic() + _LOCK_LIMIT_S
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino == os.stat(file).st_ino:
                return descriptor
        except (BlockingIOError, FileNotFoundError):
            if time.monotonic() > until:
                os.close(descriptor)
                raise
            time.sleep(_LOCK_LOOK_EVERY_S)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _sweep(base: Path) -> None:
    """Removes the folders of controllers that were killed before their host was up to do it."""
    for folder in private_folders(base):
        controller = controller_of(folder)
        assert controller is not None
        try:
            os.kill(controller, 0)
        except ProcessLookupError:
            if not is_alive(folder):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
