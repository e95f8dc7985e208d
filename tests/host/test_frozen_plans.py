"""A real host takes its plan out of Python's searches for garbage, and nothing that comes after it."""

from __future__ import annotations

from multiprocessing.connection import Client
from typing import TYPE_CHECKING

import pytest

from evalkit.host.messages import Run, Submit, Want

if TYPE_CHECKING:
    from conftest import House

NOTING = """\
import gc
import sys

gc.freeze = lambda: print("a freeze", file=sys.stderr, flush=True)
"""


def test_only_the_first_plan_is_frozen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that are loaded by the time of another plan could never be given back if they hold each other."""
    folder = house.root / "host-only"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(NOTING)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    address, run = house.launcher.address, Run("run", str(house.root))

    with Client(address.socket, family="AF_UNIX", authkey=bytes.fromhex(address.key)) as connection:
        for trial in house.trials[:3]:
            connection.send(Submit(run, (trial,)))
            connection.send(Want(trial.id))
            connection.recv()

    assert house.log().count("a freeze") == 1
