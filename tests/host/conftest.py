"""A real host process on a workspace whose one model answers from recordings."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from evalkit.host import launch
from evalkit.host.client import HostClient
from evalkit.host.launch import Launcher
from evalkit.host.messages import Run, Status
from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.target import Engine, Model, Quantisation, Target


@dataclass
class House:
    """A launcher, the trials its host can answer, and clients for it."""

    root: Path
    temporary: Path
    launcher: Launcher
    statuses: list[Status]
    clients: list[HostClient] = field(default_factory=list)

    @property
    def trials(self) -> list[Trial]:
        return [self.trial(f"probe-{number}") for number in range(6)]

    def trial(self, name: str) -> Trial:
        """Probe ``name``, asked of the one target; six of them have a recorded answer."""
        model = Model("one", str(self.root / "model"), True, "model")
        target = Target(model, Quantisation("fp32", "fp32"), engine=Engine("stored", "replay"))
        probe = Probe(
            id=name, suite="s", file="suites/s/a.yaml", line=1, category="c",
            turns=(Message("user", f"Ask {name}"), Generate()), expect=Expectation(),
            judges=(JudgeUse("degeneration"),),
        )  # fmt: skip
        return Trial(probe, target)

    def client(self) -> HostClient:
        made = HostClient(self.launcher.address, Run("run", str(self.root)))
        self.clients.append(made)
        return made

    def hosts(self) -> list[int]:
        """Host processes at work for this launcher."""
        found = []
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                try:
                    if (process / "fd" / "2").readlink().is_relative_to(self.root / ".evalkit"):
                        found.append(int(process.name))
                except OSError:
                    continue
        return found

    def log(self) -> str:
        return Path(self.launcher.address.log).read_text(encoding="utf-8")


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """Six trials with recorded answers, and a launcher whose host nobody has called yet."""
    lines = []
    for number in range(6):
        messages = [{"role": "user", "content": f"Ask probe-{number}"}]
        lines.append({"messages": messages, "target": "one:fp32:naked:greedy", "text": f"Answer {number}"})
    recordings = tmp_path / "fixtures" / "recordings"
    recordings.mkdir(parents=True)
    (recordings / "all.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    with tempfile.TemporaryDirectory(prefix="host-", dir="/tmp") as temporary:  # short enough for a socket's path
        monkeypatch.setattr(tempfile, "tempdir", temporary)
        monkeypatch.setattr(launch, "_LEAVE_TIMEOUT_S", 60.0)  # a busy machine is no reason to kill a host
        statuses: list[Status] = []
        launcher = Launcher(tmp_path / ".evalkit" / "host-run.log", statuses.append)
        made = House(tmp_path, Path(temporary), launcher, statuses)
        yield made
        for client in made.clients:
            client.close()
        launcher.close()


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], bool]:
    """Asks a question over and over until it is true, or two minutes are over; the last answer."""

    def wait(question: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if question():
                return True
            time.sleep(0.01)
        return question()

    return wait
