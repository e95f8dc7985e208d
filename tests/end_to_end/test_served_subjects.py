"""A subject at a server of its own process, which is killed, and comes back: what was answered is kept."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Desk

    Wait = Callable[[Callable[[], bool], float], bool]

pytestmark = [pytest.mark.slow, pytest.mark.long]

SEED = int(os.environ.get("EVALKIT_TEST_SEED") or random.randrange(10**6))
PROBES = 40
HANG_S = 10.0
REPORT_S = 15.0
GUARD_S = 120.0
SERVER = """\
import sys, threading
sys.path.insert(0, {engines!r})
import api_server

server = api_server.ApiServer(port={port})
pace = threading.Event()


def answer(received):
    pace.wait(0.05)
    with open({log!r}, "a") as log:
        log.write(received.prompt + "\\n")
    return api_server.ok(f"Please check that: {{received.prompt}}")


server.always = answer
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def served(desk: Desk, port: int) -> Iterator[subprocess.Popen[str]]:
    """A server in a process of its own, which notes each prompt that it answers."""
    engines = str(Path(__file__).parents[1] / "engines")
    program = SERVER.format(engines=engines, port=port, log=str(desk.root / "answered.txt"))
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
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def lay_out(desk: Desk, port: int) -> None:
    """As many probes, one of them in two turns, for a model at that port; nothing is loaded here."""
    desk.write(
        "fixtures/targets.yaml",
        "models: {far: {engine: near, id: far-1}}\n"
        f"engines: {{near: {{kind: openai, base_url: 'http://127.0.0.1:{port}/v1', concurrency: 2}}}}\n"
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
    with served(desk, port) as server:
        running = desk.start("suites/small", "-n", "0")
        assert wait_until(lambda: len(desk.identities()) >= wanted or running.poll() is not None, GUARD_S)
        server.kill()
        killed_at = time.monotonic()
        status = running.wait(GUARD_S)
        took_s = time.monotonic() - killed_at

    kept, answered = desk.identities(), (desk.root / "answered.txt").read_text().splitlines()
    print(f"seed {SEED}: killed at {wanted} answers; {len(kept)} kept, ended after {took_s:.1f} s")
    outcomes = [line["outcome"] for line in desk.results()]
    assert status == 1, desk.output()
    assert took_s < HANG_S + REPORT_S
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
    with served(desk, port):
        running = desk.start("suites/small", "-n", "0")
        assert wait_until(lambda: len(desk.identities()) >= wanted or running.poll() is not None, GUARD_S)
        for host in desk.hosts():
            os.kill(host, 9)
        status = running.wait(GUARD_S)

    answered = (desk.root / "answered.txt").read_text().splitlines()
    print(f"seed {SEED + 1}: host killed at {wanted} answers; {len(answered)} asked for {PROBES + 1} answers")
    assert (status, {line["outcome"] for line in desk.results()}) == (0, {"pass"}), desk.output()
    assert len(set(desk.identities())) == len(desk.identities()) == PROBES + 1
    assert len(answered) - (PROBES + 1) <= 4
    assert (desk.processes(), desk.socket_folders()) == ({}, [])
