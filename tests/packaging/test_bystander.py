"""The wheel beside a project that has nothing to do with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Scratch

pytestmark = pytest.mark.slow

HEAVY = {"torch", "transformers", "pydantic", "yaml", "tabulate", "numpy", "sqlite3", "jsonschema", "regex"}
OWN = {"evalkit", *(f"evalkit.{name}" for name in (
    "plugin", "options", "controller", "ledger", "status_line", "workspace", "python_tests", "planned", "errors",
    "reading", "reading.garbage",
))}  # fmt: skip
CONFTEST = """\
import json, os, sys

def pytest_addoption(parser):
    for name in ("model", "target", "limit", "seed", "baseline"):
        parser.addoption(f"--{name}", default="theirs")

def pytest_unconfigure(config):
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with open(f"modules-{worker}.json", "w") as file:
        json.dump(sorted(sys.modules), file)
"""
TESTS = """\
import pytest

tries = []

def test_options(request):
    option = request.config.getoption
    assert [option(name) for name in ("model", "target", "limit", "seed", "baseline")] == ["m", "t", "3", "9", "theirs"]

@pytest.mark.flaky(reruns=1)
def test_reruns():
    tries.append(1)
    assert len(tries) == 2

@pytest.mark.timeout(60)
def test_timeout(): pass

def test_failing(): assert False
"""
THEIRS = ("--model", "m", "--target", "t", "--limit", "3", "--seed", "9")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with options of its own, which notes what was imported, and a YAML file that is nobody's probe."""
    for name, text in (("conftest.py", CONFTEST), ("test_theirs.py", TESTS), ("pytest.ini", "[pytest]\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "theirs.yaml").write_text("not: [a, probe\n", encoding="utf-8")
    return tmp_path


def modules(project: Path, process: str = "main") -> set[str]:
    """Everything that a process of the last run had imported at its end."""
    return set(json.loads((project / f"modules-{process}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("workers", [(), ("-n", "0"), ("-n", "2")], ids=["bare", "n0", "n2"])
def test_their_run_goes_as_ever(scratch: Scratch, project: Path, workers: tuple[str, ...]) -> None:
    """Their options, pytest-timeout, -randomly and -rerunfailures work; we write nothing and show nothing."""
    done = scratch.pytest(*THEIRS, "--timeout", "120", "-p", "no:cacheprovider", *workers, cwd=project)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 3 passed, 1 rerun in" in done.stdout
    for plugin in ("evalkit", "timeout", "randomly", "rerunfailures", "xdist"):
        assert f"{plugin}-" in next(line for line in done.stdout.splitlines() if line.startswith("plugins: "))
    assert "Using --randomly-seed=" in done.stdout
    assert "timeout: 120.0s" in done.stdout
    assert "probe" not in done.stdout
    left = {entry.name for entry in project.iterdir() if not entry.name.startswith(("__pycache__", "modules-"))}
    assert left == {"conftest.py", "test_theirs.py", "pytest.ini", "suites"}


def test_nothing_is_imported_for_it(scratch: Scratch, project: Path) -> None:
    """At -n 0 the plugin adds seven small modules of its own to their process, and nothing else."""
    # pytest-randomly and hypothesis import numpy themselves where it is installed
    options = (*THEIRS, "-n", "0", "-p", "no:randomly", "-p", "no:hypothesispytest")
    scratch.pytest(*options, "-p", "no:evalkit", cwd=project)
    without = modules(project)

    scratch.pytest(*options, cwd=project)

    assert modules(project) - without == OWN
    assert not HEAVY & modules(project)


def test_workers_import_nothing_heavy_either(scratch: Scratch, project: Path) -> None:
    """With -n 2 the controller opens a socket that nobody calls; no process loads a model library."""
    scratch.pytest(*THEIRS, "-n", "2", "-p", "no:randomly", "-p", "no:hypothesispytest", cwd=project)

    for process in ("main", "gw0", "gw1"):
        assert not HEAVY & modules(project, process)
    assert {name for name in modules(project, "gw0") if name.startswith("evalkit")} <= OWN
