"""What the wheel holds, and that it is enough where nothing else of the project is."""

from __future__ import annotations

import email
import json
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Scratch

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
EXTRAS = {"local", "anthropic", "openai", "report", "review", "dataset", "ray", "dev", "all"}
NOT_SHIPPED = ("fixtures/behaviour/", "fixtures/capability/")
"""The texts that the behaviour judge learned from, and the generator of capability; what they gave is shipped."""
RUNTIME = {
    "ahocorasick-rs", "jinja2", "jsonschema", "numpy", "pydantic", "pytest", "pytest-xdist", "pyyaml", "regex",
    "tabulate",
}  # fmt: skip
INIT = """\
wrote suites/instrument_trap/
wrote suites/first_steps.yaml
wrote fixtures/targets.yaml
wrote .gitignore
Workspace ready. Now run: cd ws && pytest suites/instrument_trap --eval-plan smoke -n 4
"""


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Any:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(archive.read(name))


@pytest.fixture
def workspace(scratch: Scratch, tmp_path: Path) -> Path:
    """What ``evalkit init ws`` makes in an empty folder."""
    done = scratch.run("evalkit", "init", "ws", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, INIT, "")
    return tmp_path / "ws"


def test_it_is_called_pytest_evalkit(metadata: Any) -> None:
    """The name evalkit on the public index is a stranger's."""
    assert metadata["Name"] == "pytest-evalkit"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"


def test_it_needs_no_model_library_and_has_the_extras_of_the_design(metadata: Any) -> None:
    """torch and its kin come with an extra only."""
    needs = metadata.get_all("Requires-Dist")

    assert {need.split(">")[0] for need in needs if "extra ==" not in need} == RUNTIME
    assert set(metadata.get_all("Provides-Extra")) == EXTRAS
    local = {need.split(">")[0] for need in needs if need.endswith("extra == 'local'")}
    assert local == {"torch", "transformers", "peft", "accelerate", "safetensors", "bitsandbytes"}


def test_it_holds_judges_suites_and_fixtures_once(names: list[str]) -> None:
    """Each file of the three top-level folders is in the wheel at one place, but for what others were made from."""
    for folder in ("judges", "suites", "fixtures"):
        wanted = {f"evalkit/_builtin/{file}" for file in data_files(folder) if not file.startswith(NOT_SHIPPED)}
        assert wanted
        assert {name for name in names if f"/{folder}/" in name} == wanted
    assert len(names) == len(set(names))


def test_it_holds_nothing_else(names: list[str]) -> None:
    """The package and its metadata: no tests, no docs, no bytecode, no state of a run."""
    assert {name.split("/")[0].split("-")[0] for name in names} == {"evalkit", "pytest_evalkit"}
    for part in ("tests", "docs", "benchmarks", "reports", "__pycache__", ".evalkit"):
        assert not [name for name in names if part in name.split("/")]
    assert {"evalkit/py.typed", "evalkit/__main__.py", "evalkit/plugin.py"} <= set(names)
    page = (CHECKOUT / "evalkit" / "sheets" / "page").iterdir()
    assert {f"evalkit/sheets/page/{file.name}" for file in page if file.is_file()} <= set(names)


def test_it_stays_small(wheel: Path) -> None:
    """The demo model and its adapters are most of it: under 12 MB together."""
    assert wheel.stat().st_size < 12_000_000


def test_the_scratch_environment_has_this_evalkit_once(scratch: Scratch, tmp_path: Path) -> None:
    """Its files are the wheel's, and its plugin is announced by one distribution."""
    program = (
        "import evalkit, importlib.metadata as m, json; "
        "print(json.dumps([evalkit.__file__, [e.value for e in m.entry_points(group='pytest11', name='evalkit')]]))"
    )
    done = scratch.run("python", "-c", program, cwd=tmp_path)

    assert json.loads(done.stdout) == [str(scratch.site_packages / "evalkit" / "__init__.py"), ["evalkit.plugin"]]


def test_its_version_is_the_projects(scratch: Scratch, tmp_path: Path) -> None:
    """The script and the module say the same."""
    pyproject = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    assert pyproject["tool"]["hatch"]["version"]["path"] == "evalkit/__init__.py"

    script = scratch.run("evalkit", "--version", cwd=tmp_path).stdout

    assert script == scratch.run("python", "-m", "evalkit", "--version", cwd=tmp_path).stdout
    assert script.startswith("evalkit ")


def test_a_new_workspace_reads_well(scratch: Scratch, workspace: Path) -> None:
    """``evalkit check`` finds nothing to complain of in what ``evalkit init`` wrote."""
    done = scratch.run("evalkit", "check", cwd=workspace)

    assert (done.returncode, done.stdout) == (0, "2 suites, 435 probes, 0 problems\n")


def test_the_demo_model_of_the_wheel_generates(scratch: Scratch, workspace: Path) -> None:
    """One pytest command in the new workspace ends in a table and in reports, offline."""
    done = scratch.pytest("suites/instrument_trap", "--eval-limit", "4", "-n", "2", cwd=workspace)

    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert "DEMO MODEL: its numbers mean nothing" in done.stdout
    assert "Wilson 95 %" in done.stdout
    lines = results(workspace)
    assert len(lines) == 16
    assert "error" not in {line["outcome"] for line in lines}
    assert all(line["answers"][0]["text"] for line in lines)
    (folder,) = (workspace / "reports" / "out").iterdir()
    assert {file.name for file in folder.iterdir()} == {"report.html", "results.jsonl", "review.csv", "summary.md"}


def test_a_new_file_is_collected_and_judged(scratch: Scratch, workspace: Path) -> None:
    """A YAML file dropped into suites/ is all it takes."""
    text = "probes: [{id: kettle, prompt: What does the blue kettle cost today?, expect: {min_words: 1}}]\n"
    (workspace / "suites" / "kettle.yaml").write_text(text, encoding="utf-8")

    done = scratch.pytest("suites/kettle.yaml", "--eval-out", "kettle", cwd=workspace)

    assert done.returncode in (0, 1), done.stdout + done.stderr
    lines = results(workspace, "kettle")
    assert {(line["probe"], line["suite"]) for line in lines} == {("kettle", "kettle")}
    assert len(lines) == 4
    assert {line["outcome"] for line in lines} <= {"pass", "fail"}
    assert {verdict["judge"] for line in lines for verdict in line["verdicts"]} == {"degeneration", "text"}


def results(workspace: Path, out: str = "reports/out") -> list[dict[str, Any]]:
    """The lines of the only run's results.jsonl under the folder ``out``."""
    (folder,) = (workspace / out).iterdir()
    return [json.loads(line) for line in (folder / "results.jsonl").read_text(encoding="utf-8").splitlines()]


def data_files(folder: str) -> Iterator[str]:
    for file in (CHECKOUT / folder).rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file.relative_to(CHECKOUT).as_posix()
