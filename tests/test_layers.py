"""Imports go one way, and the plugin stays light."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import evalkit

PACKAGE = Path(evalkit.__file__).parent
LAYERS = (
    ("errors", "pickled", "identity", "target", "probe", "generation", "transcript", "verdict", "record", "measured",
     "preflight", "review"),
    ("stats", "noise", "agreement", "calibration", "matrix", "tally", "comparing", "gates", "score_deltas", "judging",
     "sampling_plan", "reviewing", "authoring", "perturbing"),
    ("workspace", "store"),
    ("reading", "importing", "engines", "reporting", "sheets", "exporting", "plots", "report_page"),
    ("host", "trial_judging", "trial_records"),
    ("session", "gating", "trial_texts", "rejudging", "remeasuring", "transcripts",
     "report_text", "labelled_text", "datasets", "reviewed", "label_intake", "restoring", "earlier"),
    (
        "options", "ledger", "planned", "python_tests", "collect", "status_text", "status_line", "watched_file",
        "progress_lines", "controller", "running", "closing", "opening", "ci_surfaces", "preflighting", "run_facts",
        "noise_measuring", "plugin", "doctor", "cli", "__main__",
    ),
)  # fmt: skip
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
ONLY_IN = {
    "pytest": {
        "plugin", "options", "collect", "running", "planned", "python_tests", "controller", "status_line", "closing",
        "opening", "ci_surfaces", "preflighting", "noise_measuring",
    },
    "torch": {"engines"}, "transformers": {"engines"}, "peft": {"engines"}, "bitsandbytes": {"engines"},
    "sqlite3": {"store"}, "ahocorasick_rs": {"judging"}, "jinja2": {"reading"},
    "pyarrow": {"datasets", "exporting"}, "openpyxl": {"sheets"}, "matplotlib": {"plots"},
}  # fmt: skip


def room(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "evalkit":
                yield from (f"evalkit.{alias.name}" for alias in node.names)


FILES = sorted(file for file in PACKAGE.rglob("*.py") if "_builtin" not in file.parts and file.name != "__init__.py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_go_one_way(file: Path) -> None:
    """A room imports only rooms of its own layer or below, and foreign packages only where they belong."""
    own = RANK[room(file)]
    for module in imports(file):
        top, *rest = module.split(".")
        if top == "evalkit" and rest and rest[0] in RANK:
            assert RANK[rest[0]] <= own, f"{file} imports {module}"
        assert room(file) in ONLY_IN.get(top, {room(file)}), f"{file} imports {module}"


def test_each_vendors_package_has_one_file() -> None:
    """So that its oddities stay there."""
    found = {top: {file.name for file in FILES if top in imports(file)} for top in ("anthropic", "openai")}

    assert found == {"anthropic": {"anthropic_api.py"}, "openai": {"openai_compatible.py"}}


def test_the_page_of_the_design_is_short_and_names_every_room() -> None:
    """Who reads it once knows where to look; under 80 lines is what was agreed."""
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = page.partition("## Rooms\n")[2].partition("\n## ")[0]

    assert len(page.splitlines()) < 80
    assert [name for name in RANK if name != "__main__" and not re.search(rf"\b{name}\b", rooms)] == []


def test_the_plugin_imports_nothing_heavy() -> None:
    """What every pytest run pays for has no torch, no pydantic, no YAML, no numpy in it."""
    program = (
        "import sys, pytest; before = set(sys.modules); import evalkit.plugin; "
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['evalkit']"


def test_every_module_says_what_it_is_for() -> None:
    """A module's docstring is there and starts with one sentence."""
    for file in FILES:
        docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
        assert docstring, file
        assert docstring.splitlines()[0].endswith((".", "?")), file
