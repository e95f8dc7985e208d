"""A real host process that cannot take a plan: its clients hear why, once, instead of calling again and again."""

from __future__ import annotations

from multiprocessing.connection import Client, Connection
from typing import TYPE_CHECKING

import pytest

from evalkit.host.messages import Refused, Run, Submit, Want

if TYPE_CHECKING:
    from conftest import House

BROKEN = """\
import sys

if any("evalkit.host.server" in word for word in sys.orig_argv):
    from evalkit.host import WHERE as module

    def broken(*arguments):
        raise OSError(5, "Input/output error", "/somewhere/policy.yaml")

    module.NAME = broken
"""
PATIENCE_S = 300.0
"""How long a host may take to start on a busy machine."""


@pytest.fixture(params=["work.open_database", "plan.Plan.add"])
def broken(request: pytest.FixtureRequest, house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house whose host meets a file that cannot be read, as it begins its work or as it takes a plan into it."""
    where, name = request.param.split(".", 1)
    folder = house.root / "host-only"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(BROKEN.replace("WHERE", where).replace("NAME", name))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    return house


def refusal(house: House) -> str:
    return (
        f"{house.root}: the host cannot take the plan: [Errno 5] Input/output error: '/somewhere/policy.yaml'. "
        f"Host log: {house.launcher.address.log}. Check that file, the disk and its permissions."
    )


def answer_to(connection: Connection, house: House) -> object:
    connection.send(Submit(Run("run", str(house.root)), tuple(house.trials)))
    connection.send(Want(house.trials[0].id))
    assert connection.poll(PATIENCE_S)
    return connection.recv()


def test_a_file_that_cannot_be_read_is_said_on_the_same_line(broken: House) -> None:
    """The client is not dropped for it, so that it does not call and submit again without end."""
    address = broken.launcher.address

    with Client(address.socket, family="AF_UNIX", authkey=bytes.fromhex(address.key)) as connection:
        first, second = answer_to(connection, broken), answer_to(connection, broken)

    assert first == second == Refused(refusal(broken))
    assert broken.launcher.starts == 1
    assert "OSError: [Errno 5] Input/output error: '/somewhere/policy.yaml'" in broken.log()
