"""A scratch workspace on the real demo model, run by pytest processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
HANG_GUARD_S = 300.0
OTHER_SURROUNDINGS = ("CI", "BUILD_NUMBER", "FORCE_COLOR", "NO_COLOR", "LINES")
STANDING = """\
import time
from pathlib import Path

from evalkit.store.generations import GenerationStore

put = GenerationStore.put

def put_and_stand(self, *arguments):
    replies = put(self, *arguments)
    (count,) = self._connection.execute("SELECT count(*) FROM generations").fetchone()
    for answers in {answers}:
        mark = Path({root!r}, f"stands-at-{{answers}}")
        if count >= answers and not mark.exists():
            mark.touch()
            while True:
                time.sleep(1)
    return replies

GenerationStore.put = put_and_stand
"""
TARGETS = "include: [fixtures/demo/targets.yaml]\n"


@dataclass(frozen=True)
class Desk:
    """A workspace of the user's, outside the checkout, with a folder for temporary files of its own."""

    root: Path
    temporary: Path

    def write(self, name: str, text: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def copy_suite(self, name: str) -> None:
        shutil.copytree(CHECKOUT / "suites" / name, self.root / "suites" / name)

    def start(self, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """pytest on this workspace, in a session of its own; its output is read by nobody until it ends.

        ``before`` is a command that runs it.
        """
        output = (self.root / "output.txt").open("w", encoding="utf-8")
        with output:
            return subprocess.Popen(
                [*before, sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", *arguments],
                cwd=self.root, env=self._environment(), stdout=output, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, text=True, start_new_session=True,
            )  # fmt: skip

    def run(self, *arguments: str, before: tuple[str, ...] = ()) -> tuple[int, str]:
        """The exit status and everything it printed."""
        status = self.start(*arguments, before=before).wait(HANG_GUARD_S)
        return status, self.output()

    def evalkit(self, *words: str) -> tuple[int, str]:
        """The exit status of the command in this workspace, and everything it wrote."""
        done = subprocess.run(
            [sys.executable, "-m", "evalkit", *words], cwd=self.root, env=self._environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=HANG_GUARD_S,
        )  # fmt: skip
        return done.returncode, done.stdout

    def output(self) -> str:
        return (self.root / "output.txt").read_text(encoding="utf-8")

    def in_host(self, program: str) -> None:
        """Every host of this workspace runs this before anything else."""
        indented = "".join(f"    {line}\n" for line in program.splitlines())
        condition = "import sys\n\nif any('evalkit.host.server' in word for word in sys.orig_argv):\n"
        self.write("host-only/sitecustomize.py", condition + indented)

    def stand_at(self, *answers: int) -> None:
        """A host stands still once that many answers are stored, so that it can be killed there and nowhere else."""
        self.in_host(STANDING.format(answers=answers, root=str(self.root)))

    def report_folders(self) -> list[Path]:
        """Of every run that came to its end, oldest first."""
        folders = (self.root / "reports" / "out").glob("*")
        return sorted(folders, key=lambda folder: folder.stat().st_mtime_ns)

    def results(self, *, with_run: bool = False, back: int = 1) -> list[dict[str, Any]]:
        """The lines of the newest results.jsonl (``back`` 2: of the one before), without what differs between runs."""
        text = (self.report_folders()[-back] / "results.jsonl").read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines()]
        if not with_run:
            for line in lines:
                del line["run"]
        return lines

    def loads(self) -> int:
        """How often the newest run loaded weights."""
        summary = (self.report_folders()[-1] / "summary.md").read_text(encoding="utf-8")
        found = [line for line in summary.splitlines() if line.startswith("- weight loads: ")]
        return int(found[0].removeprefix("- weight loads: ")) if found else 0

    def identities(self) -> list[str]:
        """The identity of every generation in the store."""
        file = self.root / ".evalkit" / "store.sqlite3"
        if not file.exists():
            return []
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
        try:
            return [row[0] for row in connection.execute("SELECT identity FROM generations ORDER BY number")]
        except sqlite3.DatabaseError:  # the tables are not there yet, or a test put something else there
            return []
        finally:
            connection.close()

    def forget(self) -> None:
        """Begins with an empty store again."""
        shutil.rmtree(self.root / ".evalkit", ignore_errors=True)

    def processes(self) -> dict[int, str]:
        """Every process at work in this workspace, by id, with its command line."""
        found = {}
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                try:
                    if (process / "cwd").readlink() == self.root:
                        command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                        found[int(process.name)] = command.decode("utf-8", "replace")
                except OSError:
                    continue
        return found

    def hosts(self) -> list[int]:
        return [process for process, command in self.processes().items() if "evalkit.host.server" in command]

    def socket_folders(self) -> list[str]:
        return sorted(folder.name for folder in self.temporary.glob("evalkit-*"))

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "GITHUB_", "EVALKIT_", "COV_")) and name not in OTHER_SURROUNDINGS
        }
        fixed = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "COLUMNS": "80"}
        return {**kept, **fixed, "TMPDIR": str(self.temporary), "PYTHONPATH": f"{self.root / 'host-only'}:{CHECKOUT}"}


@pytest.fixture(scope="session")
def open_desk() -> Callable[[Path], AbstractContextManager[Desk]]:
    """Makes an empty workspace in a folder."""
    return opened_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty workspace whose targets are the demo's."""
    with opened_desk(tmp_path) as made:
        yield made


@contextmanager
def opened_desk(folder: Path) -> Iterator[Desk]:
    """A workspace in ``folder``; whatever a failed test leaves running in it is ended."""
    temporary = Path(tempfile.mkdtemp(prefix="e2e-", dir="/tmp"))  # short enough for a socket's path
    made = Desk(folder / "desk", temporary)
    made.write("fixtures/targets.yaml", TARGETS)
    made.write("pytest.ini", "[pytest]\n")
    try:
        yield made
    finally:
        for process in made.processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        shutil.rmtree(temporary, ignore_errors=True)


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool], float], bool]:
    """Asks a question over and over until it is true, or the time is over; the last answer."""

    def wait(question: Callable[[], bool], timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if question():
                return True
            time.sleep(0.01)  # leaves the processor to what is waited for
        return question()

    return wait
