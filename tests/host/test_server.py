"""A real host process and its clients: good ones, rude ones, ones that it must refuse."""

from __future__ import annotations

import socket
import sqlite3
import struct
from collections.abc import Callable
from multiprocessing.connection import Client, Connection
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import StoreError
from evalkit.generation import Failure, Generation
from evalkit.host.messages import Run, Submit, Want
from evalkit.store.database import open_database

if TYPE_CHECKING:
    from conftest import House


def test_clients_with_the_same_plan_share_its_answers(house: House) -> None:
    """Three clients want every trial; each answer is generated and stored once."""
    clients = [house.client() for _ in range(3)]
    for client in clients:
        client.submit(house.trials)

    seen = [[client.obtain(trial.id).replies for trial in house.trials] for client in clients]

    assert seen[0] == seen[1] == seen[2]
    assert [reply.text for [reply] in seen[0] if isinstance(reply, Generation)] == [f"Answer {n}" for n in range(6)]
    connection = sqlite3.connect(house.root / ".evalkit" / "store.sqlite3")
    assert connection.execute("SELECT count(*) FROM generations").fetchone() == (6,)
    connection.close()


def test_a_trial_nobody_submitted_is_a_failure(house: House) -> None:
    """The host answers at once and with a sentence."""
    client = house.client()
    client.submit(house.trials)

    assert client.obtain("no such trial").replies == (
        Failure("the host was asked for a trial that is not in its plan"),
    )


def test_a_failure_costs_its_own_trial_only(house: House) -> None:
    """One trial has no recording; those around it are answered."""
    client = house.client()
    client.submit([house.trials[0], house.trial("unrecorded"), house.trials[1]])

    replies = [client.obtain(trial.id).replies[0] for trial in (house.trials[0], house.trials[1])]

    assert [reply.text for reply in replies if isinstance(reply, Generation)] == ["Answer 0", "Answer 1"]
    assert isinstance(client.obtain(house.trial("unrecorded").id).replies[0], Failure)


def connect(house: House) -> Connection:
    address = house.launcher.address
    return Client(address.socket, family="AF_UNIX", authkey=bytes.fromhex(address.key))


def leave_before_the_challenge(house: House) -> None:
    with socket.socket(socket.AF_UNIX) as rude:
        rude.connect(house.launcher.address.socket)


def leave_after_the_challenge(house: House) -> None:
    connect(house).close()


def leave_within_a_message(house: House) -> None:
    rude = connect(house)
    with socket.socket(fileno=rude.fileno()) as raw:
        raw.sendall(struct.pack("!i", 5000) + b"only the beginning")
        raw.detach()
    rude.close()


def leave_while_waiting(house: House) -> None:
    rude = connect(house)
    rude.send(Submit(Run("run", str(house.root)), tuple(house.trials)))
    for trial in house.trials:
        rude.send(Want(trial.id))
    rude.close()


@pytest.mark.parametrize(
    "leave",
    [leave_before_the_challenge, leave_after_the_challenge, leave_within_a_message, leave_while_waiting],
    ids=lambda leave: leave.__name__,
)
def test_a_client_that_leaves_in_the_middle_harms_nobody(house: House, leave: Callable[[House], None]) -> None:
    """The next client is served by the same host."""
    leave(house)
    client = house.client()
    client.submit(house.trials)
    leave(house)

    for number, trial in enumerate(house.trials):
        [reply] = client.obtain(trial.id).replies
        assert isinstance(reply, Generation)
        assert reply.text == f"Answer {number}"
    assert house.launcher.starts == 1


def test_a_store_that_cannot_be_opened_is_a_sentence_for_every_trial(house: House) -> None:
    """A folder in its place: every client hears why, and the host stays."""
    file = house.root / ".evalkit" / "store.sqlite3"
    file.mkdir(parents=True)

    for client in (house.client(), house.client()):
        client.submit(house.trials)
        for trial in house.trials:
            with pytest.raises(StoreError) as caught:
                client.obtain(trial.id)
            assert str(caught.value) == (
                f"{file}: cannot open the store: unable to open database file. "
                "Check the disk and the folder's permissions."
            )
    assert house.launcher.starts == 1


def test_a_store_that_cannot_be_read_is_a_sentence_for_every_trial(house: House) -> None:
    """A file of the right version without the tables, say."""
    file = house.root / ".evalkit" / "store.sqlite3"
    connection = open_database(file).connection
    connection.execute("DROP TABLE generations")
    connection.close()
    client = house.client()
    client.submit(house.trials)

    replies = {client.obtain(trial.id).replies for trial in house.trials}

    reason = f"The store cannot be used: no such table: generations. Move {file} away to begin a new one."
    assert {reply.reason for [reply] in replies if isinstance(reply, Failure)} == {reason}
    assert house.launcher.starts == 1


def test_a_corrupt_store_is_moved_aside_and_the_controller_hears_of_it(house: House) -> None:
    """The run goes on with a new store."""
    file = house.root / ".evalkit" / "store.sqlite3"
    file.parent.mkdir()
    file.write_bytes(b"This is no database. " * 300)
    client = house.client()
    client.submit(house.trials)

    for trial in house.trials:
        assert isinstance(client.obtain(trial.id).replies[0], Generation)

    [aside] = file.parent.glob("store.sqlite3.corrupt-*")
    house.launcher.close()
    assert [status.note for status in house.statuses if status.note] == [
        f"The store {file} is corrupt (file is not a database); it was moved to {aside.name} and a new one begun."
    ]
