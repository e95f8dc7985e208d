"""A workspace in a scratch folder, and the command run in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from evalkit.cli import main

PROBE = "probes: [{id: one, prompt: What does the kettle cost?, expect: {contains: check}}]\n"
TARGETS = """\
models:
  one: {path: model}
engines:
  stored: {kind: replay}
default:
  - {model: one, quantisation: fp32, engine: stored}
"""


@dataclass(frozen=True)
class Done:
    """How the command ended."""

    status: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def evalkit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """``evalkit(*words)`` in an empty folder, the test's ``tmp_path``."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Done:
        try:
            status = main(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        written = capsys.readouterr()
        return Done(status, written.out, written.err)

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """``write(name, text)`` in the test's folder."""

    def written(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return written


@pytest.fixture
def workspace(write: Callable[[str, str], Path], tmp_path: Path) -> Path:
    """One suite with one probe and one target that answers from recordings."""
    write("suites/small/first.yaml", PROBE)
    write("fixtures/targets.yaml", TARGETS)
    write("model/config.json", "{}")
    return tmp_path
