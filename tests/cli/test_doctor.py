"""``evalkit doctor``: the command, its exit statuses, and what it keeps to itself."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.cli.doctor import findings_text
from evalkit.doctor import examination
from evalkit.doctor.finding import Finding

if TYPE_CHECKING:
    from conftest import Command

SECRETS = {
    "ANTHROPIC_API_KEY": "sk-ant-topsecret", "OPENAI_API_KEY": "sk-topsecret", "HF_TOKEN": "hf_topsecret",
    "HTTPS_PROXY": "http://me:topsecret@proxy.house:3128",
}  # fmt: skip


class QuickTorch:
    """Answers at once, as a torch without a device."""

    def __enter__(self) -> QuickTorch:
        return self

    def __exit__(self, *_: object) -> None: ...

    def answer(self) -> dict[str, Any]:
        return {"version": "2.13.0", "cuda_build": None, "devices": [], "why": ""}


@pytest.fixture(autouse=True)
def quick_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one is asked where its own answer is tested."""
    monkeypatch.setattr(examination, "TorchProbe", QuickTorch)


def test_findings_read_like_this() -> None:
    """A mark, the topic, what was found; below it what to do; at the end the sum."""
    findings = [
        Finding("python", "ok", "3.11.7"),
        Finding("openai", "absent", "not installed", "pip install x"),
        Finding("store", "hurts", "lies\nfar \x1b[31maway", "Move it."),
        Finding("targets", "breaks", "cannot be read"),
    ]

    assert findings_text(findings).splitlines() == [
        "ok      python   3.11.7",
        "-       openai   not installed",
        "                 -> pip install x",
        "HURTS   store    lies⏎far away",
        "                 -> Move it.",
        "BREAKS  targets  cannot be read",
        "",
        "1 thing breaks a run and 1 thing hurts it.",
    ]
    assert findings_text(findings[:2]).splitlines()[-1] == "All is well."
    assert findings_text(findings[2:3] * 2).splitlines()[-1] == "2 things hurt it."
    assert findings_text(findings[3:] * 2).splitlines()[-1] == "2 things break a run."


def test_where_no_workspace_is(evalkit: Command, tmp_path: Path) -> None:
    """Exit 0: there is nothing that could break."""
    done = evalkit("doctor")

    assert (done.status, done.err) == (0, "")
    assert re.search(rf"^-  +workspace +none in {tmp_path}\n +-> Make one with: evalkit init$", done.out, re.MULTILINE)


def test_a_workspace_in_good_health(evalkit: Command, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 0; the same from a folder within; every topic has its line, and nothing was made."""
    before = sorted(workspace.rglob("*"))

    done = evalkit("doctor")
    monkeypatch.chdir(workspace / "suites")
    within = evalkit("doctor", "--json")

    told = json.loads(within.out)
    topics = {finding["topic"] for finding in told["findings"]}
    assert (done.status, within.status, told["status"]) == (0, 0, 0)
    assert topics >= {
        "python", "evalkit", "pytest", "pytest-xdist", "torch", "transformers", "peft", "accelerate", "bitsandbytes",
        "anthropic", "openai", "cpu", "cpu 4-bit", "cuda", "memory", "disk", "hub disk", "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY", "HF_TOKEN", "network", "hub cache", "workspace", "targets", "suites", "judges", "store",
        "digests",
    }  # fmt: skip
    assert "1 target by default: one:fp32:naked:greedy" in done.out
    assert next(item for item in told["findings"] if item["topic"] == "workspace")["facts"] == {"path": str(workspace)}
    assert sorted(workspace.rglob("*")) == before


def test_something_that_breaks_a_run(evalkit: Command, workspace: Path, write: Callable[[str, str], Path]) -> None:
    """Exit 1, also with --json."""
    write("fixtures/targets.yaml", "default: [nobody]\n")

    done, as_json = evalkit("doctor"), evalkit("doctor", "--json")

    assert (done.status, as_json.status, json.loads(as_json.out)["status"]) == (1, 1, 1)
    assert re.search(r"^BREAKS  targets +fixtures/targets.yaml:1: ", done.out, re.MULTILINE)
    assert done.out.endswith(" a run.\n") or done.out.endswith(" it.\n")


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_no_key_is_shown(
    evalkit: Command, workspace: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Not a character of a key, nor what stands before a proxy's name."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    out = evalkit("doctor", *words).out

    assert "secret" not in out
    assert "sk-" not in out
    assert "proxy.house:3128" in out


def test_nothing_leaves_the_machine(evalkit: Command, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a connection nor a name is asked for."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the doctor asked the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)

    assert evalkit("doctor").status == 0


def test_it_takes_no_arguments(evalkit: Command) -> None:
    """Exit 2."""
    assert evalkit("doctor", "--jsn").status == 2


@pytest.mark.slow
def test_the_real_one_imports_no_model_library(workspace: Path) -> None:
    """torch is asked in a process of its own; the command ends well before its time limit."""
    program = (
        "import sys; from evalkit.cli import main; status = main(['doctor'])\n"
        "print(status, sorted({'torch', 'transformers', 'peft', 'anthropic', 'openai'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=workspace, capture_output=True, text=True, check=True, timeout=180
    )

    assert done.stdout.splitlines()[-1] == "0 []", done.stdout
