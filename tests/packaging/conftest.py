"""The built wheel, installed in a virtual environment of its own beside the packages of this one."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
NOT_SHARED = ("pytest_evalkit", "_editable_impl_pytest_evalkit", "evalkit", "__pycache__", "pip", "setuptools")


@dataclass(frozen=True)
class Scratch:
    """A virtual environment whose evalkit is the wheel's."""

    root: Path

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        folder = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.root / "lib" / folder / "site-packages"

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """A command of the environment, without this environment's variables and without the network."""
        program, *arguments = command
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "PYTHON", "GITHUB_", "VIRTUAL_ENV")) and name != "CI"
        }
        return subprocess.run(
            [str(self.root / "bin" / program), *arguments],
            cwd=cwd, env={**environment, "HF_HUB_OFFLINE": "1", "COLUMNS": "80"}, capture_output=True, text=True,
        )  # fmt: skip

    def pytest(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return self.run("python", "-m", "pytest", *arguments, cwd=cwd)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the checkout by ``python -m build --wheel``, without isolation because that needs the network."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(CHECKOUT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="session")
def scratch(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """The wheel is installed; every other distribution is a link to this environment's, without its .pth files."""
    made = Scratch(tmp_path_factory.mktemp("scratch") / "venv")
    venv.create(made.root, symlinks=True)
    for place in dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))):
        for entry in Path(place).iterdir():
            name = entry.name.split("-")[0].split(".")[0]
            if name not in NOT_SHARED and entry.suffix != ".pth" and not (made.site_packages / entry.name).exists():
                (made.site_packages / entry.name).symlink_to(entry)
    pip = [sys.executable, "-m", "pip", "--python", str(made.python), "--disable-pip-version-check", "--quiet"]
    done = subprocess.run([*pip, "install", "--no-deps", "--no-index", str(wheel)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return made


@pytest.fixture(scope="session", autouse=True)
def build_tools() -> None:
    """Says what is missing instead of failing in the middle of a build."""
    for package in ("build", "hatchling", "pip"):
        assert importlib.util.find_spec(package), f"{package} is missing. Install: pip install -e '.[local,dev]'"
