"""Trials with their words, made without a store, and runs put into one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evalkit.cli import main
from evalkit.datasets.candidate import Candidate
from evalkit.generation import Generation, Request
from evalkit.host.plan import split_text
from evalkit.measured import Measured
from evalkit.probe import Message
from evalkit.record import TrialRecord
from evalkit.review import Label
from evalkit.store.generations import GenerationStore
from evalkit.store.runs import RunStore
from evalkit.target import Condition, Decoding, Model, Quantisation, Target

TARGET = "m:fp32:naked:greedy"


def make_record(probe: str = "tides", **changes: Any) -> TrialRecord:
    """One record; ``scores`` are (judge, score) of required judges."""
    scores: Sequence[tuple[str, float | None]] = changes.pop("scores", ())
    target, sample = changes.get("target", TARGET), changes.get("sample", 0)
    outcome = changes.get("outcome", "pass")
    verdicts = tuple(
        {"judge": judge, "outcome": outcome, "reason": "", "score": score, "judge_hash": f"h-{judge}", "required": True}
        for judge, score in scores
    )
    plain = {
        "trial": f"suites/sea/a.yaml::{probe}[{target}{f':s{sample}' if sample else ''}]", "suite": "sea",
        "file": "suites/sea/a.yaml", "line": 1, "probe": probe, "category": "A", "target": target, "outcome": outcome,
        "reason": "", "verdicts": verdicts, "generations": ("g",), "probe_hash": f"p-{probe}",
        "score": next((score for _, score in scores if score is not None), None), **changes,
    }  # fmt: skip
    return TrialRecord(**plain)


def make_candidate(
    probe: str = "tides", *, answer: str = "The moon pulls the sea.", thinking: str = "", finish: str = "stop",
    system: str | None = None, asked: Sequence[tuple[str, str]] | None = None, text_hash: str = "", **changes: Any,
) -> Candidate:  # fmt: skip
    """One trial of one turn."""
    record = make_record(probe, **changes)
    split = split_text(f"<think>{thinking}</think>{answer}" if thinking else answer)
    last = type(split)(**{name: getattr(split, name) for name in split.__slots__} | {"finish": finish})
    messages = tuple(Message(role, said) for role, said in (asked or [("user", f"What is {probe}?")]))  # type: ignore[arg-type]
    return Candidate(
        record, messages, (last,), (), Measured.of(record).scores, system,
        text_hash or f"{probe}|{record.target}|{record.sample}",
    )  # fmt: skip


@pytest.fixture
def candidate() -> Callable[..., Candidate]:
    """``candidate(probe, …)``: a trial with an answer."""
    return make_candidate


@pytest.fixture
def record() -> Callable[..., TrialRecord]:
    return make_record


@pytest.fixture
def label() -> Callable[..., Label]:
    """``label(value)``: what a reviewer said."""

    def made(value: str, text_hash: str = "t", reviewer: str = "ann") -> Label:
        return Label(text_hash, "trial", "run", value, reviewer, 1.0)  # type: ignore[arg-type]

    return made


@dataclass(frozen=True)
class Done:
    """How the command ended."""

    status: int
    out: str
    err: str


@dataclass
class Desk:
    """A workspace with a store that runs are put into, and the command run in it."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    runs: int = 0

    @property
    def store(self) -> Path:
        return self.root / ".evalkit" / "store.sqlite3"

    def run(self, *words: str) -> Done:
        try:
            status = main(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
        written = self.capsys.readouterr()
        return Done(status, written.out, written.err)

    def answered(
        self, probe: str, texts: Sequence[str] = ("The moon pulls the sea.",), *, system: str | None = None,
        users: Sequence[str] = (), own_system: str | None = None, finish: str = "stop", thinking: str = "",
        **changes: Any,
    ) -> TrialRecord:  # fmt: skip
        """A record whose turns are stored: each of ``users`` was answered with the text at its place."""
        label = changes.get("target", TARGET)
        weights, _, condition, decoding = label.split(":")
        target = Target(
            Model(weights, "/m", True, "m"), Quantisation("fp32", "fp32"), condition=Condition(condition, system),
            decoding_name=decoding,
        )  # fmt: skip
        messages = [] if own_system is None else [Message("system", own_system)]
        identities = []
        with closing(GenerationStore.open(self.store)) as store:
            for turn, text in enumerate(texts):
                messages.append(Message("user", users[turn] if users else f"What is {probe}?"))
                identity = f"{probe}|{label}|{changes.get('sample', 0)}|{turn}"
                reply = Generation(text, text, (), finish, 3, 5, thinking=thinking)  # type: ignore[arg-type]
                store.put([(identity, Request(target, tuple(messages), Decoding()), reply)], "r")
                identities.append(identity)
                messages.append(Message("assistant", split_text(text).answer))
        return make_record(probe, generations=tuple(identities), **changes)

    def put(self, name: str, records: Sequence[TrialRecord], *, ended: bool = True) -> None:
        """A run begun after those before it."""
        self.runs += 1
        with closing(RunStore.open(self.store)) as store:
            store.begin(name, float(self.runs), {"argv": ["suites/sea"]})
            store.put(name, records)
            if ended:
                store.finish(name, time.time(), 0)

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.root / name).read_text(encoding="ascii").splitlines()]

    def manifest(self, folder: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.root / folder / "manifest.json").read_text(encoding="ascii"))
        return found


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An empty workspace."""
    (tmp_path / "suites").mkdir()
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, capsys)
