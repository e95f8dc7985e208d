"""A disk that is full, a machine that is too small, no network: sentences, and never a hang or a wrong exit status."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Desk

pytestmark = [pytest.mark.slow, pytest.mark.long]

SEED = int(os.environ.get("EVALKIT_TEST_SEED") or random.randrange(10**6))
REPLAYED = """\
models: {one: {path: model}}
engines: {stored: {kind: replay}}
default: [{model: one, quantisation: fp32, engine: stored}]
"""
ANSWERED_ONE_BY_ONE = """\
models: {far: {engine: near, id: far-1}}
engines: {near: {kind: openai, base_url: 'URL', concurrency: 1}}
default: [far]
"""
PROBES = 60  # their answers alone, of 9 kB and more, never fit on the largest small disk


def lay_out(desk: Desk) -> None:
    """Probes whose prompts are 9 kB each, with a recorded answer."""
    desk.write("fixtures/targets.yaml", REPLAYED)
    desk.write("model/config.json", "{}")
    probes, recorded = ["defaults: {expect: {contains: check}}", "probes:"], []
    for number in range(PROBES):
        prompt = f"Question {number}? " + random.Random(number).randbytes(4_500).hex()
        probes.append(f"  - {{id: p{number}, prompt: '{prompt}'}}")
        messages = [{"role": "user", "content": prompt}]
        line = {"messages": messages, "target": "one:fp32:naked:greedy", "text": "Please check the list."}
        recorded.append(json.dumps(line))
    desk.write("suites/small/a.yaml", "\n".join(probes) + "\n")
    desk.write("fixtures/recordings/all.jsonl", "\n".join(recorded) + "\n")


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[None]:
    """A real file system of that size at ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = shutil.which("mount")
    if mount is None or subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={kib}k", "none", str(folder)], capture_output=True
    ).returncode:  # fmt: skip
        pytest.skip("mounting a small file system needs rights that this process has not")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def small_files(kib: int) -> Iterator[None]:
    """No process that is started here may write a file longer than that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kib << 10, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def words(output: str) -> str:
    return "".join(output.split())


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_disk_that_fills_up(desk: Desk, api: ModuleType, api_server: Any, workers: str) -> None:
    """Verdicts and reports are complete, notes say what is not kept, and what was stored before is found again."""
    kib = random.Random(SEED).randint(240, 480)
    lay_out(desk)
    desk.write("fixtures/targets.yaml", ANSWERED_ONE_BY_ONE.replace("URL", f"{api_server.url}/v1"))
    api_server.always = lambda received: api.ok("Please check the list.")
    with small_disk(desk.root / ".evalkit", kib):
        status, output = desk.run("suites/small", "-n", workers)

        print(f"seed {SEED}: a disk of {kib} KiB, {len(desk.identities())} of {PROBES} answers kept, exit {status}")
        assert [line["outcome"] for line in desk.results()] == ["pass"] * PROBES, output
        assert status == 0
        assert words("Answers of this run are not kept.") in words(output)
        assert 0 < len(desk.identities()) < PROBES
        assert (desk.processes(), desk.socket_folders()) == ({}, [])
        kept = desk.identities()
        subprocess.run(["mount", "-o", "remount,size=64m", str(desk.root / ".evalkit")], check=True)

        status, output = desk.run("suites/small", "-n", workers)

        assert status == 0, output
        assert desk.identities()[: len(kept)] == kept
        assert len(set(desk.identities())) == PROBES
        assert len(api_server.posts) == 2 * PROBES - len(kept)
        assert words("not kept") not in words(output)


@pytest.mark.parametrize("kib", [64, 160])
def test_files_that_may_grow_no_more(desk: Desk, kib: int) -> None:
    """A quota, say. Where not even the store can be made, trials are ERRORs that say so, and the run ends with 1."""
    lay_out(desk)
    with small_files(kib):
        process = desk.start("suites/small", "-n", "0")
    status = process.wait(120)

    output = desk.output()
    assert "Traceback" not in output
    assert (desk.processes(), desk.socket_folders()) == ({}, [])
    assert "not kept" in " ".join(output.split()) or status == 1
    print(f"{kib} KiB: exit {status}")

    status, output = desk.run("suites/small", "-n", "0")

    assert (status, [line["outcome"] for line in desk.results()]) == (0, ["pass"] * PROBES), output


def test_a_machine_that_is_too_small(desk: Desk) -> None:
    """By a planted limit: every trial is an ERROR with the sums, nothing is loaded, and the run ends with 1."""
    desk.write(
        "fixtures/targets.yaml",
        "include: [fixtures/demo/targets.yaml]\nengines: {local: {memory_limit_mib: 1}}\n"
        "default: ['demo:fp32:naked:greedy']\n",
    )
    desk.write("suites/small/a.yaml", "probes: [{id: a, prompt: Hm?, expect: {min_words: 1}}]\n")

    status, output = desk.run("suites/small", "-n", "0")

    assert status == 1
    (line,) = desk.results()
    assert line["outcome"] == "error"
    assert "does not fit into memory: its weights take about" in line["reason"], output
    assert (desk.processes(), desk.socket_folders()) == ({}, [])


def test_a_batch_that_is_too_large_is_halved(desk: Desk) -> None:
    """By a planted limit above the weights: all is answered, as without it."""
    text = "include: [fixtures/demo/targets.yaml]\nengines: {local: {LIMIT}}\ndefault: ['demo:fp32:naked:greedy']\n"
    probes = [f"  - {{id: p{number}, prompt: 'What is {number} and two?'}}" for number in range(24)]
    lines = ["defaults: {expect: {min_words: 1}, decoding: {max_new_tokens: 24}}", "probes:", *probes, ""]
    desk.write("suites/small/a.yaml", "\n".join(lines))
    desk.write("fixtures/targets.yaml", text.replace("LIMIT", "max_batch_rows: 24"))
    desk.run("suites/small", "-n", "0")
    plain = desk.results()
    desk.forget()
    desk.write("fixtures/targets.yaml", text.replace("LIMIT", "max_batch_rows: 24, memory_limit_mib: 6"))

    status, output = desk.run("suites/small", "-n", "0")

    assert [line["answers"] for line in desk.results()] == [line["answers"] for line in plain], output
    assert status in (0, 1)
    assert "error" not in {line["outcome"] for line in desk.results()}


def test_nothing_needs_the_network(desk: Desk) -> None:
    """A run in a network of its own without any device, on the real demo model."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], capture_output=True).returncode:
        pytest.skip("leaving the network needs rights that this process has not")
    desk.write(
        "fixtures/targets.yaml", "include: [fixtures/demo/targets.yaml]\ndefault: ['demo+steady:nf4:naked:greedy']\n"
    )
    desk.write("suites/small/a.yaml", "probes: [{id: a, prompt: What is two and two?, expect: {min_words: 1}}]\n")

    without = ("-p", "no:rerunfailures")  # that plugin talks to its workers over the loopback device
    status, output = desk.run("suites/small", "-n", "2", *without, before=(unshare, "-rn"))

    assert (status, [line["outcome"] for line in desk.results()]) == (0, ["pass"]), output
