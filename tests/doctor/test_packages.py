"""What the doctor says of packages and of the plugin."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from evalkit.doctor import packages
from evalkit.doctor.finding import Finding
from evalkit.doctor.packages import SHOWN, package_findings, plugin_findings

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
VERSIONS = {"pytest": "9.2.0", "pytest-xdist": "3.8.0", "torch": "2.13.0+cpu", "transformers": "4.40.0"}


def found(needed: frozenset[str]) -> dict[str, Finding]:
    rest = dict.fromkeys(packages._requirements(), "999")
    for name in ("peft", "anthropic"):
        rest.pop(name, None)
    versions = {**dict.fromkeys(SHOWN, "999"), **rest, **VERSIONS, "peft": None, "anthropic": None}
    return {finding.topic: finding for finding in package_findings(needed, versions.get)}


def test_found_missing_and_too_old() -> None:
    """Where the targets need none of them: nothing breaks."""
    told = found(frozenset())

    assert told["torch"] == Finding("torch", "ok", "2.13.0+cpu", facts=(("version", "2.13.0+cpu"), ("needed", False)))
    assert told["peft"] == Finding(
        "peft", "absent", "not installed; adapters need it", "pip install 'pytest-evalkit[local]'",
        (("version", None), ("needed", False)),
    )  # fmt: skip
    assert told["anthropic"].says == "not installed; models at Anthropic need it"
    assert told["anthropic"].do == "pip install 'pytest-evalkit[anthropic]'"
    assert told["transformers"] == Finding(
        "transformers", "hurts", "4.40.0 is too old: evalkit needs >=5.3",
        "pip install --upgrade 'pytest-evalkit[local]'", (("version", "4.40.0"), ("needed", False)),
    )  # fmt: skip


def test_what_the_targets_need_breaks() -> None:
    """A missing one, and one that is too old."""
    told = found(frozenset({"peft", "transformers"}))

    assert [told[name].level for name in ("peft", "transformers", "torch", "anthropic")] == [
        "breaks", "breaks", "ok", "absent",
    ]  # fmt: skip


def test_what_evalkit_itself_needs_breaks() -> None:
    """It has a line only where something is wrong."""
    told = list(package_findings(frozenset(), {**VERSIONS, "numpy": "1.0"}.get))

    numpy = next(finding for finding in told if finding.topic == "numpy")
    assert (numpy.level, numpy.do) == ("breaks", "pip install --upgrade 'pytest-evalkit'")
    assert re.fullmatch(r"1\.0 is too old: evalkit needs >=[\d.]+", numpy.says)
    missing = next(finding for finding in told if finding.topic == "pydantic")
    assert (missing.level, missing.says, missing.do) == ("breaks", "not installed", "pip install 'pytest-evalkit'")


def test_every_package_of_the_extras_has_a_line() -> None:
    """The extras of engines, as pyproject.toml has them."""
    text = PYPROJECT.read_text(encoding="utf-8")
    for extra in ("local", "anthropic", "openai"):
        block = re.search(rf"^{extra} = \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)
        assert block is not None
        asked = set(re.findall(r'"([a-z]+)>=', block[1]))
        assert asked == {package for package, brings in SHOWN.items() if brings == extra}


def test_a_pytest_that_loads_no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is set."""
    assert list(plugin_findings({packages.NO_AUTOLOAD: "1"})) == [
        Finding(
            "plugin", "breaks", "PYTEST_DISABLE_PLUGIN_AUTOLOAD is set, so pytest loads no installed plugin",
            "Unset PYTEST_DISABLE_PLUGIN_AUTOLOAD, or run: pytest -p evalkit.plugin",
        )
    ]  # fmt: skip


def test_a_pytest_that_knows_no_evalkit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout on the path, say, that nobody installed."""
    monkeypatch.setattr(packages, "entry_points", lambda **_: ())

    assert list(plugin_findings({})) == [
        Finding(
            "plugin", "breaks", "evalkit is not installed as a plugin of pytest",
            "pip install 'pytest-evalkit', or run: pytest -p evalkit.plugin",
        )
    ]  # fmt: skip


def test_a_pytest_of_another_python(tmp_path: Path) -> None:
    """The first on the path is not the one beside this Python."""
    other = tmp_path / "pytest"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)

    assert list(plugin_findings({"PATH": str(tmp_path)})) == [
        Finding(
            "plugin", "hurts", f"the command pytest is {other}, of another Python than {sys.executable}",
            "Run: python -m pytest",
        )
    ]  # fmt: skip
