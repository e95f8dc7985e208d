"""Which packages are installed, and whether they are new enough."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, entry_points, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit import __version__
from evalkit.doctor.finding import Finding, Level
from evalkit.errors import DISTRIBUTION

if TYPE_CHECKING:
    from packaging.requirements import Requirement

SHOWN = {
    "pytest": "", "pytest-xdist": "",
    "torch": "local", "transformers": "local", "peft": "local", "accelerate": "local", "safetensors": "local",
    "bitsandbytes": "local", "anthropic": "anthropic", "openai": "openai",
}  # fmt: skip
"""The packages that have a line of their own, with the extra that brings each."""
NEEDED_FOR = {
    **dict.fromkeys(("torch", "transformers", "safetensors"), "models on this machine"),
    "accelerate": "quantised models", "bitsandbytes": "quantised models", "peft": "adapters",
    "anthropic": "models at Anthropic", "openai": "models at OpenAI and other servers of its kind",
}  # fmt: skip
NO_AUTOLOAD = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
Versions = Callable[[str], str | None]


def installed(package: str) -> str | None:
    """The version of a package, read without importing it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def package_findings(needed: frozenset[str], versions: Versions = installed) -> Iterator[Finding]:
    """Python, evalkit, and every package; ``needed`` are those that the targets of a run here would import."""
    yield Finding("python", "ok", f"{platform.python_version()}, {sys.executable}")
    yield Finding("evalkit", "ok", f"{__version__}, {Path(__file__).parents[1]}")
    asked = _requirements()
    for package in dict.fromkeys((*SHOWN, *asked)):
        finding = _package(package, asked.get(package), package in needed or not SHOWN.get(package), versions)
        if package in SHOWN or finding.level != "ok":
            yield finding


def _package(package: str, asked: Requirement | None, is_needed: bool, versions: Versions) -> Finding:
    found, extra = versions(package), SHOWN.get(package, "")
    name = f"{DISTRIBUTION}[{extra}]" if extra else DISTRIBUTION
    facts = (("version", found), ("needed", is_needed))
    if found is None:
        for_what = f"; {NEEDED_FOR[package]} need it" if package in NEEDED_FOR else ""
        level: Level = "breaks" if is_needed else "absent"
        return Finding(package, level, f"not installed{for_what}", f"pip install '{name}'", facts)
    if asked is not None and not asked.specifier.contains(found, prereleases=True):
        says = f"{found} is too old: evalkit needs {asked.specifier}"
        return Finding(package, "breaks" if is_needed else "hurts", says, f"pip install --upgrade '{name}'", facts)
    return Finding(package, "ok", found, facts=facts)


def _requirements() -> dict[str, Requirement]:
    """What evalkit itself asks for, by name; the extras that only its developers use are left out."""
    from packaging.requirements import Requirement

    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return {}
    found = {}
    for line in lines:
        asked = Requirement(line)
        if asked.name in SHOWN or asked.marker is None:
            found[asked.name] = asked
    return found


def plugin_findings(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Whether ``pytest`` finds evalkit, and whether it is the pytest of this Python."""
    if environment.get(NO_AUTOLOAD):
        do = f"Unset {NO_AUTOLOAD}, or run: pytest -p evalkit.plugin"
        yield Finding("plugin", "breaks", f"{NO_AUTOLOAD} is set, so pytest loads no installed plugin", do)
    elif not any(entry.value == "evalkit.plugin" for entry in entry_points(group="pytest11")):
        do = f"pip install '{DISTRIBUTION}', or run: pytest -p evalkit.plugin"
        yield Finding("plugin", "breaks", "evalkit is not installed as a plugin of pytest", do)
    command = shutil.which("pytest", path=environment.get("PATH", ""))
    if command is not None and Path(command).parent.resolve() != Path(sys.executable).parent.resolve():
        says = f"the command pytest is {command}, of another Python than {sys.executable}"
        yield Finding("plugin", "hurts", says, "Run: python -m pytest")
