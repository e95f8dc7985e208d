"""The processor and the CUDA devices."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evalkit.doctor.finding import Finding, gib
from evalkit.doctor.torch_probe import Broken
from evalkit.engines.local.facts import cpu_four_bit_path, may_have_cuda
from evalkit.host.judging_ahead import usable_cores
from evalkit.target import Quantisation

CPUINFO = Path("/proc/cpuinfo")
DRIVER = Path("/proc/driver/nvidia/version")
FULL = 0.1
"""A device with less than this share of its memory free is somebody else's."""


def cpu_findings(cpuinfo: Path = CPUINFO) -> Iterator[Finding]:
    """The model, the cores that this process may use, and how 4-bit weights are multiplied."""
    name, cores, usable = _cpu_name(cpuinfo), os.cpu_count() or 1, usable_cores()
    says = f"{name}, {cores} cores" + (f", {usable} of them for this process" if usable != cores else "")
    yield Finding("cpu", "ok", says, facts=(("model", name), ("cores", cores), ("usable_cores", usable)))
    path = cpu_four_bit_path(Quantisation("nf4", "nf4"), "cpu")
    yield Finding("cpu 4-bit", "ok", f"4-bit weights are multiplied by path {path}", facts=(("path", path),))


def _cpu_name(cpuinfo: Path) -> str:
    try:
        found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", cpuinfo.read_text(errors="replace"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()


def cuda_findings(
    probed: dict[str, Any] | Broken | None, *, torch_is_needed: bool, cuda_is_needed: bool, driver: Path = DRIVER
) -> Iterator[Finding]:
    """Every device; where there is none, why. ``probed`` None: torch is not installed."""
    if isinstance(probed, Broken):
        do = "Try: python -c 'import torch'. If that fails too, install torch anew."
        yield Finding("torch", "breaks" if torch_is_needed else "hurts", f"cannot be used: {probed.why}", do)
        return
    if probed is None:
        return
    number = _driver_version(driver)
    for index, device in enumerate(probed["devices"]):
        yield _device(index, device, number, probed["cuda_build"])
    if not probed["devices"]:
        yield _no_device(probed, number, cuda_is_needed)


def _device(index: int, device: dict[str, Any], driver: str, cuda: str) -> Finding:
    total, free = device["total_bytes"], device["free_bytes"]
    says = f"{device['name']}, {gib(free)} of {gib(total)} free, driver {driver}, CUDA {cuda}"
    facts = (*device.items(), ("driver", driver), ("cuda", cuda))
    if free < total * FULL:
        do = "Another process holds it. See: evalkit host, nvidia-smi"
        return Finding(f"cuda:{index}", "hurts", says, do, facts)
    return Finding(f"cuda:{index}", "ok", says, facts=facts)


def _no_device(probed: dict[str, Any], driver: str, is_needed: bool) -> Finding:
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1")
    if hidden:
        says, do, level = "hidden by CUDA_VISIBLE_DEVICES", "Unset CUDA_VISIBLE_DEVICES to use it.", "absent"
    elif not may_have_cuda():
        says, do, level = "no device here", "", "absent"
    elif probed["cuda_build"] is None:
        says = f"there is a device (driver {driver}), and torch {probed['version']} was built without CUDA"
        do, level = "Install the torch of your CUDA version: https://pytorch.org/get-started/locally/", "hurts"
    else:
        says = (
            f"torch {probed['version']}, built for CUDA {probed['cuda_build']}, cannot use the device (driver {driver})"
        )
        says += f": {probed['why']}" if probed["why"] else ""
        do, level = "Update the driver, or install the torch of its CUDA version.", "hurts"
    if is_needed:
        do = do or "Set device: auto or cpu for the local engine in fixtures/targets.yaml."
        return Finding("cuda", "breaks", f"{says}; the targets ask for device cuda", do)
    return Finding("cuda", "hurts" if level == "hurts" else "absent", says, do)


def _driver_version(file: Path) -> str:
    try:
        found = re.search(r"Kernel Module.*?(\d+(?:\.\d+)+)", file.read_text(errors="replace"))
    except OSError:
        found = None
    return found[1] if found else "unknown"
