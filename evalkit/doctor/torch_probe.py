"""What torch says of this machine, asked in a process of its own, so that a broken torch hangs or kills only that."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

TIME_LIMIT_S = 20.0
_PROGRAM = """
import json
import torch
facts = {"version": torch.__version__, "cuda_build": torch.version.cuda, "devices": [], "why": ""}
if torch.cuda.is_available():
    for number in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(number)
        free, total = torch.cuda.mem_get_info(number)
        facts["devices"].append({
            "name": about.name, "total_bytes": total, "free_bytes": free,
            "capability": f"{about.major}.{about.minor}", "bf16": torch.cuda.is_bf16_supported(),
        })
elif torch.version.cuda:
    try:
        torch.cuda.init()
    except Exception as error:
        facts["why"] = str(error).splitlines()[0] if str(error) else type(error).__name__
print(json.dumps(facts))
"""


@dataclass(frozen=True, slots=True)
class Broken:
    """Why torch gave no answer."""

    why: str


class TorchProbe:
    """Starts at once, and leaves no process at the end of a ``with``."""

    def __init__(self, program: str = _PROGRAM, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._limit_s = time_limit_s
        self._until = time.monotonic() + time_limit_s
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-c", program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip

    def __enter__(self) -> TorchProbe:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def answer(self) -> dict[str, Any] | Broken:
        """Its facts, or why there are none; waits for the rest of the time limit."""
        try:
            out, err = self._process.communicate(timeout=max(0.0, self._until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return Broken(f"it did not answer within {self._limit_s:.0f} s")
        if self._process.returncode:
            return Broken(_ending(self._process.returncode, err))
        try:
            return dict(json.loads(out.splitlines()[-1]))
        except (IndexError, ValueError):
            return Broken("its answer cannot be read")


def _ending(code: int, err: str) -> str:
    if code < 0:
        return f"the process died of {signal.Signals(-code).name}"
    lines = err.strip().splitlines()
    return lines[-1] if lines else f"the process ended with {code}"
