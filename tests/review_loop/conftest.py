"""A run of 300 answers with 11 failures, and the command in its workspace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evalkit.cli import main

TARGETS = """\
models:
  one: {path: model}
engines:
  stored: {kind: replay}
default:
  - {model: one, quantisation: fp32, engine: stored}
"""
FAILING = tuple(range(0, 110, 10))
CATEGORIES = ("dates", "prices", "names")


@dataclass(frozen=True)
class Done:
    """How the command ended; the run's name stands as RUN in what it wrote."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Loop:
    """A workspace with one finished run."""

    root: Path
    run: str
    command: Callable[..., Done]

    def evalkit(self, *words: str) -> Done:
        done = self.command(*words)
        return Done(done.status, done.out.replace(self.run, "RUN"), done.err.replace(self.run, "RUN"))

    def pytest(self, *words: str) -> Done:
        """The suite once more, answered from the store."""
        return run_pytest(self.root, *words)

    def rows(self, folder: str = "") -> list[dict[str, Any]]:
        """The items of the page, as lines of review.jsonl have them."""
        file = self.root / "reports" / "review" / self.run / folder / "review.html"
        data = file.read_text(encoding="utf-8").partition('<script type="application/json" id="data">')[2]
        return list(json.loads(data.partition("</script>")[0])["items"])

    def fill(
        self, name: str, judge: Callable[[dict[str, Any]], str | dict[str, Any]], reviewer: str = "anna",
        at: float = 1_790_000_000.0, folder: str = "",
    ) -> str:  # fmt: skip
        """The page's items with a label in every line, as the file ``name``."""
        lines = []
        for number, row in enumerate(self.rows(folder)):
            said = judge(row)
            filled = said if isinstance(said, dict) else {"label": said}
            lines.append(json.dumps({**row, "reviewer": reviewer, "blind": True, "at": at + number, **filled}) + "\n")
        return self.write(name, "".join(lines))

    def write(self, name: str, text: str) -> str:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return name


def run_pytest(root: Path, *words: str) -> Done:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "GITHUB_", "CI"))}
    command = [sys.executable, "-m", "pytest", "suites", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *words]
    done = subprocess.run(command, cwd=root, env=plain, capture_output=True, text=True, check=False, timeout=600)
    return Done(done.returncode, done.stdout, done.stderr)


def number_of(row: dict[str, Any]) -> int:
    """The probe's number."""
    return int(str(row["probe"])[1:])


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace right after its run; not to be changed."""
    root = tmp_path_factory.mktemp("reviewed")
    probes, answers = ["probes:"], []
    for number in range(300):
        prompt = f"What is number {number}?"
        probes += [
            f"  - id: p{number}", f"    category: {CATEGORIES[number % 3]}", f"    prompt: {prompt}",
            "    expect: {contains: check}",
        ]  # fmt: skip
        said = f"It is {number}." if number in FAILING else f"Please check number {number}."
        message = {"role": "user", "content": prompt}
        answers.append({"messages": [message], "target": "one:fp32:naked:greedy", "sample": 0, "text": said})
    files = {
        "fixtures/targets.yaml": TARGETS, "model/config.json": "{}", "pytest.ini": "[pytest]\n",
        "suites/small/first.yaml": "\n".join(probes) + "\n",
        "fixtures/recordings/answers.jsonl": "".join(json.dumps(line) + "\n" for line in answers),
    }  # fmt: skip
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    done = run_pytest(root)
    assert "11 failed, 289 passed" in done.out, done.out + done.err
    return root


@pytest.fixture
def loop(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Loop:
    """A copy of the workspace of one's own."""
    root = tmp_path / "workspace"
    shutil.copytree(finished, root, ignore=shutil.ignore_patterns("*.lock", "host-*"))
    monkeypatch.chdir(root)

    def command(*words: str) -> Done:
        try:
            status = main(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        written = capsys.readouterr()
        return Done(status, written.out, written.err)

    (run,) = (folder.name for folder in (root / "reports" / "out").iterdir())
    return Loop(root, run, command)
