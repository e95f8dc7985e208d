"""What the numbers were measured with: the code, the machine, the versions."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_QUIET = 1.0
PACKAGES = ("torch", "transformers", "pytest", "pytest-xdist", "pydantic", "numpy")


def state_of_the_code() -> str:
    """The commit, and a digest of what differs from it outside this folder's results."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    changes = _git("diff", "HEAD", "--", ".", ":!benchmarks/RESULTS.md")
    return f"{commit} with changes {hashlib.sha256(changes.encode()).hexdigest()[:8]}" if changes else commit


def facts(cache: Path, argv: Sequence[str], code: str) -> list[str]:
    """Lines for the head of the results."""
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    load += " (not quiet: wall times mean little)" if os.getloadavg()[0] > _QUIET else ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = [
        f"commit {code}",
        f"command: {' '.join(argv)}",
        f"{time.strftime('%Y-%m-%d %H:%M')}, load average before: {load}",
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}",
        ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    ]
    rivals = [folder for folder in sorted(cache.glob("*/lib/python*/site-packages")) if folder.is_dir()]
    told = [path.name.removesuffix(".dist-info") for folder in rivals for path in sorted(folder.glob("*.dist-info"))]
    own = [name for name in told if name.startswith(("lm_eval-", "inspect_ai-", "torch-", "transformers-"))]
    return [*found, f"rivals' environments: {', '.join(own) or 'none'}"]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _git(*words: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True).stdout.strip()
