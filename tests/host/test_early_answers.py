"""A client that waits for one trial is given what is done of those that follow it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Listener
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest

from evalkit.generation import Generation
from evalkit.host import client as client_module
from evalkit.host.address import Address
from evalkit.host.bundles import MOST_CHARACTERS, bundle, early_bundle
from evalkit.host.client import MOST_AHEAD, HostClient
from evalkit.host.messages import Early, Run, Settled, Submit, Want

KEY = b"key"


def settled(name: str, length: int = 1) -> Settled:
    text = "a" * length
    return Settled(name, (Generation(text, text, (1,), "stop", prompt_tokens=1, new_tokens=1),))


@contextmanager
def a_host(folder: Path, serve: Callable[[Connection], None]) -> Iterator[Address]:
    """One client's host, which does what ``serve`` says."""
    listener = Listener(str(folder / "host"), authkey=KEY)

    def accept() -> None:
        with listener.accept() as connection, suppress(EOFError, OSError):
            serve(connection)
            while True:  # until its client leaves
                connection.recv()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield Address(str(folder / "host"), KEY.hex(), "host.log")
    thread.join(30)
    listener.close()
    assert not thread.is_alive()


def test_what_is_done_comes_while_the_first_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for once nothing else is to be done, again when that is used up, and obtained without asking."""
    monkeypatch.setattr(client_module, "_POLL_S", 0.005)
    heard: list[object] = []
    seen: list[tuple[str, ...]] = []
    left = [True]

    def serve(connection: Connection) -> None:
        assert isinstance(connection.recv(), Submit)
        heard.extend([connection.recv(), connection.recv()])
        connection.send((settled("two"), settled("three")))
        heard.append(connection.recv())
        connection.send(())
        connection.send((settled("one"), settled("two"), settled("three"), settled("four")))

    def work() -> bool:
        seen.append(tuple(one.trial for one in client.come))
        return bool(seen[-1] and left and left.pop())  # more to do once, when something has come

    with a_host(tmp_path, serve) as address:
        client = HostClient(address, Run("run", str(tmp_path)), work)
        client.foresee(["one", "two", "three", "four"])

        assert [client.obtain(name) for name in ("one", "two", "three", "four")] == [
            settled(name) for name in ("one", "two", "three", "four")
        ]
        client.close()

    following = ("two", "three", "four")
    assert heard == [Want("one", following), Early(following), Early(("four",))]
    assert seen[0] == ()
    assert [one for one in seen if one][:2] == [("two", "three")] * 2


def test_what_came_twice_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host may have settled what is waited for before it reads that others are asked for meanwhile."""
    monkeypatch.setattr(client_module, "_POLL_S", 0.005)
    names = ["one", "two", "three", "four", "five"]

    def serve(connection: Connection) -> None:
        for _ in range(3):  # what is submitted, what is wanted, what is asked for early
            connection.recv()
        connection.send((settled("one"), settled("two"), settled("three")))
        connection.send((settled("two"), settled("three"), settled("four")))
        connection.send((settled("four"),))

    with a_host(tmp_path, serve) as address:
        client = HostClient(address, Run("run", str(tmp_path)))
        client.foresee(names)

        assert [client.obtain(name).trial for name in names[:4]] == names[:4]
        assert list(client.come) == []
        client.close()


def test_without_an_order_nothing_comes_early(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker among others waits for its own trial alone."""
    asked: list[object] = []
    monkeypatch.setattr(client_module, "Early", asked.append)
    monkeypatch.setattr(client_module, "_POLL_S", 0.0)
    client = house.client()
    client.submit(house.trials)

    client.obtain(house.trials[0].id)

    assert asked == []


def test_a_host_says_what_is_done_among_others(house: Any) -> None:
    """In the order asked in, however much is not; nothing where there is nothing to do yet."""
    with client_module.Client(
        house.launcher.address.socket, family="AF_UNIX", authkey=bytes.fromhex(house.launcher.address.key)
    ) as connection:
        names = [trial.id for trial in house.trials]
        connection.send(Early(tuple(names)))
        assert connection.recv() == ()
        connection.send(Submit(Run("run", str(house.root)), tuple(house.trials)))
        connection.send(Want(names[5]))
        connection.recv()

        connection.send(Early((names[3], names[1])))

        assert [one.trial for one in connection.recv()] == [names[3], names[1]]


def test_an_early_bundle_has_a_bound() -> None:
    """One long answer goes alone; what is not settled is passed over."""
    known = {"a": settled("a"), "long": settled("long", MOST_CHARACTERS), "b": settled("b")}

    def names(*asked: str) -> list[str]:
        return [one.trial for one in early_bundle(asked, known.get)]

    assert names("x", "a", "y", "b") == ["a", "b"]
    assert names("long", "a") == ["long"]
    assert names("a", "long", "b") == ["a"]
    assert names("x") == []


@pytest.mark.parametrize(
    ("text", "thinking"), [("漢" * 600, ""), ("\U0001f600" * 600, ""), ("Four.", "Two and two. " * 400)],
    ids=["Chinese", "emoji", "thinking"],
)  # fmt: skip
def test_a_bundle_fits_into_a_socket(text: str, thinking: str) -> None:
    """The host need not wait until whoever asked has judged what came before, whatever the texts are made of."""
    known = {}
    for name in map(str, range(MOST_AHEAD)):
        own, tokens = text + name, tuple(range(30_000, 30_000 + 2 * len(text)))
        answer = Generation(own, f"{own}<eos>", tokens, "stop", 1, len(tokens), thinking=thinking + name)
        known[name] = Settled(name, (answer,))

    sent = ForkingPickler.dumps(bundle(known["0"], list(known)[1:], known.get))

    end, other = socket.socketpair()
    with end, other:
        end.setblocking(False)
        assert end.send(sent) == len(sent)
