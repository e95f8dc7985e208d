"""A workspace in a scratch folder whose models answer from recordings: everything real but the weights."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ANSWER = "The price list by the door says it; please check there."


@dataclass
class Bench:
    """Writes suites and recordings, and runs pytest on them in a process of its own."""

    pytester: pytest.Pytester
    recorded: list[dict[str, object]] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.pytester.path

    def write(self, name: str, text: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def record(self, prompt: str, answer: str, target: str = "one:fp32:naked:greedy", sample: int = 0) -> None:
        self.say([{"role": "user", "content": prompt}], answer, target, sample)

    def say(self, messages: Sequence[dict[str, str]], answer: str, target: str, sample: int = 0) -> None:
        """Adds one recording."""
        line = {"messages": list(messages), "target": target, "sample": sample, "text": answer}
        self.recorded.append(line)
        lines = "".join(json.dumps(item) + "\n" for item in self.recorded)
        self.write("fixtures/recordings/answers.jsonl", lines)

    def suite(self, *prompts: str, name: str = "suites/small/first.yaml", contains: str = "check") -> None:
        """One ``contains`` probe per prompt, named by its file and number, each with a recorded answer."""
        stem = Path(name).stem
        lines = ["probes:"]
        for number, prompt in enumerate(prompts):
            lines += [f"  - id: {stem}-{number}", f"    prompt: {prompt}", f"    expect: {{contains: {contains}}}"]
            self.record(prompt, ANSWER)
        self.write(name, "\n".join(lines) + "\n")

    def run(self, *arguments: str) -> pytest.RunResult:
        return self.pytester.runpytest_subprocess("-p", "no:randomly", *arguments)

    def results(self) -> list[dict[str, object]]:
        """The lines of the newest run's results.jsonl."""
        newest = max((self.root / "reports" / "out").iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
        return [json.loads(line) for line in (newest / "results.jsonl").read_text(encoding="utf-8").splitlines()]


TARGETS = """\
models:
  one: {path: model}
  two: {path: model}
engines:
  stored: {kind: replay}
default:
  - {model: one, quantisation: fp32, engine: stored}
"""


@pytest.fixture
def bench(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A workspace with one target that answers from recordings."""
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    for name in ("CI", "BUILD_NUMBER", "FORCE_COLOR", "NO_COLOR", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    made = Bench(pytester)
    made.write("fixtures/targets.yaml", TARGETS)
    made.write("model/config.json", "{}")
    made.write("pytest.ini", "[pytest]\n")
    return made


HASTY = """\
import re
import sys

if any("evalkit.host.server" in word for word in sys.orig_argv):
    from dataclasses import replace

    from evalkit.engines.servers.asking import Asking

    kept = Asking._sent

    async def sent(self, parameters):
        settings = self.settings
        if self.bill.attempts == 1 and re.search(r"What of the (WORDS)\\?", str(parameters)):
            self.settings = replace(settings, timeout_s=1.0)
        try:
            return await kept(self, parameters)
        finally:
            self.settings = settings

    Asking._sent = sent
"""


@pytest.fixture
def give_up_soon(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has the host wait but a moment for the first reply to what is asked of these words.

    So that others may take as long as a busy machine makes them.
    """

    def give_up(*words: str) -> None:
        bench.write("host-only/sitecustomize.py", HASTY.replace("WORDS", "|".join(words)))
        monkeypatch.setenv("PYTHONPATH", str(bench.root / "host-only"), prepend=":")

    return give_up


@pytest.fixture(
    params=["", *(pytest.param(n, marks=pytest.mark.slow) for n in ("-n0", "-n2"))], ids=["bare", "n0", "n2"]
)
def workers(request: pytest.FixtureRequest) -> list[str]:
    """No -n at all, -n0 (which ought to be the same) and -n2; with workers it takes long."""
    return [request.param] if request.param else []
