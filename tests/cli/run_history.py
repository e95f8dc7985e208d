"""Runs put into a store as pytest's runs put them there, without generating anything."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

from evalkit.generation import Generation, Request
from evalkit.probe import Message
from evalkit.record import TrialRecord
from evalkit.store.database import open_database
from evalkit.store.generations import GenerationStore
from evalkit.store.runs import RunStore
from evalkit.target import Decoding, Model, Quantisation, Target
from evalkit.workspace import Workspace

TARGET = Target(Model("one", "/one", True, "one"), Quantisation("fp32", "fp32"))
DAY_S = 86_400


class History:
    """Writes runs of a workspace, each named by its day in 2026."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root)
        self.begun_at = time.mktime((2026, 1, 1, 12, 0, 0, 0, 0, -1))

    def name(self, day: int) -> str:
        return f"202601{day:02d}-120000-{day:04x}"

    def run(self, day: int, makes: dict[str, str], sees: tuple[str, ...] = (), *, ends: bool = True) -> str:
        """A run of this day that generated the answers it ``makes`` (text by identity) and found others stored."""
        run, at = self.name(day), self.begun_at + (day - 1) * DAY_S
        connection = open_database(self.workspace.store_file).connection
        with closing(connection):
            rows = [
                (identity, _request(identity), Generation(text, text, (1,), "stop", 3, 1))
                for identity, text in makes.items()
            ]
            with patch("time.time", return_value=at + 1):
                GenerationStore(connection).put(rows, run)
            store = RunStore(connection)
            store.begin(run, at, {"argv": ["suites/small", "-k", f"day {day}"]})
            store.put(run, [_record(identity) for identity in (*makes, *sees)])
            if ends:
                store.finish(run, at + 60, 0)
        self._report(run)
        return run

    def answers(self) -> dict[str, str]:
        """The newest answer of every identity."""
        with closing(GenerationStore.open(self.workspace.store_file)) as store:
            identities = [row[0] for row in store._connection.execute("SELECT DISTINCT identity FROM generations")]
            return {identity: found.text for identity, found in store.find(identities).items()}

    def _report(self, run: str) -> None:
        folder = self.workspace.out / run
        folder.mkdir(parents=True)
        (folder / "results.jsonl").write_bytes(b"x" * 2**20)
        (self.workspace.state / f"host-{run}.log").write_text("host started\n")

    def baseline(self, name: str, run: str) -> None:
        file = self.workspace.root / "reports" / "baselines" / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"format": 2, "run": run}))


def _request(identity: str) -> Request:
    return Request(TARGET, (Message("user", f"Ask {identity}"),), Decoding())


def _record(identity: str) -> TrialRecord:
    return TrialRecord(
        trial=f"suites/small/a.yaml::{identity}[{TARGET.label}]", suite="small", file="suites/small/a.yaml", line=1,
        probe=identity, category="C", target=TARGET.label, outcome="pass" if identity < "m" else "fail", reason="",
        generations=(identity,), verdicts=({"judge": "grader", "asked": [{"identity": f"judge-{identity}"}]},),
        probe_hash="h",
    )  # fmt: skip
