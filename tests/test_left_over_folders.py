"""The repository's own settings of pytest beside what an earlier run left in the temporary folder."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HELD = 'mount -t tmpfs -o size=64k none "$0" && exec "$@"'


def test_a_folder_that_cannot_be_removed_costs_no_run_its_summary(tmp_path: Path) -> None:
    """A test that was killed may leave a file system mounted in its folder, which pytest tries to remove later."""
    earlier = tmp_path / f"pytest-of-{getpass.getuser()}"
    for number in range(4):
        (earlier / f"pytest-{number}" / "held").mkdir(parents=True)
    holding = ["unshare", "--mount", "sh", "-c", HELD, earlier / "pytest-0" / "held"]
    if shutil.which("unshare") is None or subprocess.run([*holding, "true"], capture_output=True).returncode:
        pytest.skip("mounting a file system that others do not see needs rights that this process has not")
    (tmp_path / "test_it.py").write_text("def test_it(tmp_path):\n    pass\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    own = ["-c", ROOT / "pyproject.toml", "-p", "no:cacheprovider", tmp_path / "test_it.py"]
    done = subprocess.run(
        [*holding, sys.executable, "-m", "pytest", *own],
        env={**environment, "TMPDIR": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert list(earlier.glob("garbage-*/held")), "the folder was to be removed, and could not be"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].strip("= ").startswith("1 passed in ")
