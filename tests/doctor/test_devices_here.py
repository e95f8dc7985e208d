"""What the doctor says of processor, CUDA devices and a broken torch."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from evalkit.doctor import devices
from evalkit.doctor.devices import cpu_findings, cuda_findings
from evalkit.doctor.finding import Finding
from evalkit.doctor.torch_probe import Broken, TorchProbe

H200 = {
    "name": "NVIDIA H200", "total_bytes": 140 * 2**30, "free_bytes": 100 * 2**30, "capability": "9.0", "bf16": True,
}  # fmt: skip
DRIVER = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: 12\n"


def probed(**changes: Any) -> dict[str, Any]:
    return {"version": "2.13.0", "cuda_build": "12.8", "devices": [], "why": "", **changes}


def cuda(
    answer: dict[str, Any] | Broken | None, *, torch: bool = True, asks: bool = False, driver: Path = Path("/none")
) -> list[Finding]:
    return list(cuda_findings(answer, torch_is_needed=torch, cuda_is_needed=asks, driver=driver))


@pytest.fixture
def device_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's files are there, whatever this machine has."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "may_have_cuda", lambda: True)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("import time; time.sleep(60)", "it did not answer within 1 s"),
        ("import os; os.abort()", "the process died of SIGABRT"),
        ("raise OSError('libtorch_cpu.so: cannot open')", "OSError: libtorch_cpu.so: cannot open"),
        ("raise SystemExit(3)", "the process ended with 3"),
        ("print('a greeting')", "its answer cannot be read"),
        ("", "its answer cannot be read"),
    ],
    ids=["hangs", "crashes", "raises", "ends", "prints", "is silent"],
)
def test_a_broken_torch_hurts_nobody(program: str, why: str) -> None:
    """The reason is one line; no process is left."""
    with TorchProbe(program, time_limit_s=1.0 if "sleep" in program else 120.0) as probe:
        assert probe.answer() == Broken(why)

    assert isinstance(probe._process, subprocess.Popen)
    assert probe._process.returncode is not None


def test_a_good_torch_answers_after_whatever_it_prints() -> None:
    """The last line counts."""
    with TorchProbe("print('hello'); print('{\"version\": \"2.13.0\"}')", 120.0) as probe:
        assert probe.answer() == {"version": "2.13.0"}


def test_the_real_torch_answers() -> None:
    """With its version and its devices, if it has any."""
    pytest.importorskip("torch")
    with TorchProbe(time_limit_s=120.0) as probe:
        answer = probe.answer()

    assert isinstance(answer, dict)
    assert set(answer) == {"version", "cuda_build", "devices", "why"}


@pytest.mark.parametrize(("torch", "level"), [(True, "breaks"), (False, "hurts")])
def test_a_torch_that_cannot_be_used(torch: bool, level: str) -> None:
    """It breaks a run that needs it."""
    [told] = cuda(Broken("the process died of SIGSEGV"), torch=torch)

    assert (told.topic, told.level, told.says) == ("torch", level, "cannot be used: the process died of SIGSEGV")
    assert told.do == "Try: python -c 'import torch'. If that fails too, install torch anew."


def test_without_torch_nothing_is_said() -> None:
    """The line of the package says it."""
    assert cuda(None) == []


def test_devices_have_name_memory_and_driver(tmp_path: Path) -> None:
    """One that somebody else has filled hurts."""
    driver = tmp_path / "version"
    driver.write_text(DRIVER)

    free, full = cuda(probed(devices=[H200, {**H200, "free_bytes": 2**30}]), driver=driver)

    assert (free.topic, free.level, free.do) == ("cuda:0", "ok", "")
    assert free.says == "NVIDIA H200, 100.0 GiB of 140.0 GiB free, driver 535.104.05, CUDA 12.8"
    assert dict(free.facts)["capability"] == "9.0"
    assert (full.topic, full.level) == ("cuda:1", "hurts")
    assert full.says == "NVIDIA H200, 1.0 GiB of 140.0 GiB free, driver 535.104.05, CUDA 12.8"
    assert full.do == "Another process holds it. See: evalkit host, nvidia-smi"


def test_no_device_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to say, unless the targets ask for one."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "may_have_cuda", lambda: False)

    assert cuda(probed()) == [Finding("cuda", "absent", "no device here")]
    assert cuda(probed(), asks=True) == [
        Finding(
            "cuda", "breaks", "no device here; the targets ask for device cuda",
            "Set device: auto or cpu for the local engine in fixtures/targets.yaml.",
        )
    ]  # fmt: skip


def test_a_hidden_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody wanted it so."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    assert cuda(probed()) == [
        Finding("cuda", "absent", "hidden by CUDA_VISIBLE_DEVICES", "Unset CUDA_VISIBLE_DEVICES to use it.")
    ]


def test_a_device_that_torch_cannot_use(device_files: None) -> None:
    """A torch built without CUDA, and one that the driver is too old for."""
    [without] = cuda(probed(version="2.13.0+cpu", cuda_build=None))
    [old] = cuda(probed(why="The NVIDIA driver on your system is too old"))

    assert (without.level, without.says) == (
        "hurts",
        "there is a device (driver unknown), and torch 2.13.0+cpu was built without CUDA",
    )
    assert without.do == "Install the torch of your CUDA version: https://pytorch.org/get-started/locally/"
    assert (old.level, old.says) == (
        "hurts",
        "torch 2.13.0, built for CUDA 12.8, cannot use the device (driver unknown): "
        "The NVIDIA driver on your system is too old",
    )
    assert old.do == "Update the driver, or install the torch of its CUDA version."


def test_the_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name, its cores, and how many of them this process may use."""
    monkeypatch.setattr(devices.os, "cpu_count", lambda: 64)
    monkeypatch.setattr(devices.os, "sched_getaffinity", lambda _: {1, 2, 3, 4}, raising=False)
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: AMD EPYC 9654\nflags\t: fpu\n")

    cpu, four_bit = cpu_findings(tmp_path / "cpuinfo")

    assert (cpu.level, cpu.says) == ("ok", "AMD EPYC 9654, 64 cores, 4 of them for this process")
    assert (four_bit.topic, four_bit.level) == ("cpu 4-bit", "ok")
    assert four_bit.says == f"4-bit weights are multiplied by path {dict(four_bit.facts)['path']}"
    assert next(cpu_findings(tmp_path / "none")).says.endswith("64 cores, 4 of them for this process")
