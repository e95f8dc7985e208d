"""A subject at a server of its own process, which is killed, and comes back: what was answered is kept."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.engines.servers.asking import FIRST_DELAY_S
from evalkit.engines.servers.health import UNREACHABLE_S

if TYPE_CHECKING:
    from conftest import Desk

    Wait = Callable[[Callable[[], bool], float], bool]

pytestmark = [pytest.mark.slow, pytest.mark.long]

SEED = int(os.environ.get("EVALKIT_TEST_SEED") or random.randrange(10**6))
PROBES, CONCURRENCY = 40, 2
GUARD_S = 300.0
SERVER = """\
import pathlib, sys, threading

sys.path.insert(0, {engines!r})
import api_server

server = api_server.ApiServer(port={port})
pace = threading.Event()
taken = 0


def answer(received):
    global taken
    taken += 1
    pace.wait(0.05)
    while taken > {most} and not pathlib.Path({go!r}).exists():
        pace.wait(0.01)
    with open({log!r}, "a") as log:
        log.write(received.prompt + "\\n")
    return api_server.ok(f"Please check that: {{received.prompt}}")


server.always = answer
print("ready", flush=True)
sys.stdin.read()
"""

NOTING_PAUSES = """\
import asyncio

from evalkit.engines.servers import engine
from evalkit.engines.servers.clock import LoopClock

async def sleep(seconds):
    with open({file!r}, "a") as file:
        file.write(f"{{seconds}}\\n")
    await asyncio.sleep(seconds)

engine.LoopClock = lambda: LoopClock(sleep=sleep)
"""


@contextmanager
def served(desk: Desk, port: int, most: int = 10**6) -> Iterator[subprocess.Popen[str]]:
    """A server in a process of its own, which notes each prompt that it answers; of more than ``most`` it stands still.

    Until there is a file ``go``.
    """
    engines, log, go = Path(__file__).parents[1] / "engines", desk.root / "answered.txt", desk.root / "go"
    program = SERVER.format(engines=str(engines), port=port, log=str(log), go=str(go), most=most)
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def free_port() -> int:
    """One that the system gives to nobody who does not name it: a server goes and comes back, or comes late."""
    given_from = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in random.sample(range(given_from // 2, given_from), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    pytest.fail("no port is free")


def lay_out(desk: Desk, port: int) -> None:
    """As many probes, one of them in two turns, for a model at that port; nothing is loaded here."""
    desk.write(
        "fixtures/targets.yaml",
        "models: {far: {engine: near, id: far-1}}\n"
        f"engines: {{near: {{kind: openai, base_url: 'http://127.0.0.1:{port}/v1', concurrency: {CONCURRENCY}}}}}\n"
        "default: [far]\n",
    )
    probes = [f"  - {{id: p{number}, prompt: Word {number}?}}" for number in range(PROBES - 1)]
    talk = "  - {id: talk, turns: [{user: First?}, generate, {user: Then?}, generate]}"
    lines = ["defaults: {expect: {contains: check}}", "probes:", *probes, talk, ""]
    desk.write("suites/small/far.yaml", "\n".join(lines))


def test_a_server_that_dies_half_way(desk: Desk, wait_until: Wait) -> None:
    """Killed at a random moment: the run ends soon with ERRORs that say so, and the next one asks only the rest."""
    port, wanted = free_port(), random.Random(SEED).randint(1, PROBES - 5)
    lay_out(desk, port)
    pauses = desk.root / "pauses.txt"
    desk.in_host(NOTING_PAUSES.format(file=str(pauses)))
    with served(desk, port, most=wanted + 1) as server:
        running = desk.start("suites/small", "-n", "0")
        assert wait_until(lambda: len(desk.identities()) >= wanted or running.poll() is not None, GUARD_S)
        server.kill()
        status = running.wait(GUARD_S)

    kept, answered = desk.identities(), (desk.root / "answered.txt").read_text().splitlines()
    print(f"seed {SEED}: killed at {wanted} answers; {len(kept)} kept")
    outcomes = [line["outcome"] for line in desk.results()]
    assert status == 1, desk.output()
    slept = sum(map(float, pauses.read_text().split()))
    assert 0 < slept <= CONCURRENCY * (UNREACHABLE_S + 2 * FIRST_DELAY_S)  # those that were under way, and no other
    assert len(kept) >= wanted
    assert len(answered) - len(kept) <= 2  # what was under way
    assert outcomes.count("pass") + outcomes.count("error") == PROBES
    reasons = {line["reason"] for line in desk.results() if line["outcome"] == "error"}
    assert all("gave no answer in" in reason for reason in reasons)
    assert any("could not be reached (" in reason for reason in reasons)
    assert (desk.processes(), desk.socket_folders()) == ({}, [])

    with served(desk, port):
        status, output = desk.run("suites/small", "-n", "2")

    assert (status, {line["outcome"] for line in desk.results()}) == (0, {"pass"}), output
    after = desk.identities()
    assert after[: len(kept)] == kept
    assert len(set(after)) == len(after) == PROBES + 1
    again = (desk.root / "answered.txt").read_text().splitlines()[len(answered) :]
    assert len(again) == PROBES + 1 - len(kept)
    assert (desk.processes(), desk.socket_folders()) == ({}, [])


def test_a_host_killed_while_it_asks_a_server(desk: Desk, wait_until: Wait) -> None:
    """It is started again, and asks nothing twice but what was under way."""
    port, wanted = free_port(), random.Random(SEED + 1).randint(1, PROBES - 5)
    lay_out(desk, port)
    with served(desk, port, most=wanted + 1):
        running = desk.start("suites/small", "-n", "0")
        assert wait_until(lambda: len(desk.identities()) >= wanted or running.poll() is not None, GUARD_S)
        [host] = desk.hosts()
        os.kill(host, 9)
        desk.write("go", "")
        status = running.wait(GUARD_S)

    answered = (desk.root / "answered.txt").read_text().splitlines()
    print(f"seed {SEED + 1}: host killed at {wanted} answers; {len(answered)} asked for {PROBES + 1} answers")
    assert (status, {line["outcome"] for line in desk.results()}) == (0, {"pass"}), desk.output()
    assert len(set(desk.identities())) == len(desk.identities()) == PROBES + 1
    assert len(answered) - (PROBES + 1) <= 4
    assert (desk.processes(), desk.socket_folders()) == ({}, [])
