"""An old run after its probes were answered anew: what it saw, and what is gone."""

from __future__ import annotations

import json
import sqlite3
from typing import Any


def test_an_old_run_shows_its_own_answer(desk: Any) -> None:
    """Sheet and dataset alike; once it is gone from the store that is said, and no newer one stands for it."""
    desk.put("r1", [desk.answered("tides", ["The first answer."])])
    desk.put("r2", [desk.answered("tides", ["A second answer."], outcome="fail")])
    desk.run("review", "r1", "--all", "--format", "jsonl")
    sheet = (desk.root / "reports" / "review" / "r1" / "review.jsonl").read_text(encoding="utf-8")
    desk.run("dataset", "r1", "--out", "first", "--validation", "0")
    with sqlite3.connect(desk.store) as store:
        store.execute("DELETE FROM generations WHERE number = 1")
        queues = store.execute("SELECT count(*) FROM queues").fetchone()[0]
    gone = desk.run("review", "r1", "--all", "--format", "jsonl", "--force")
    nothing = desk.run("dataset", "r1", "--out", "second")
    left = store.execute("SELECT count(*) FROM queues").fetchone()[0]
    store.close()

    assert json.loads(sheet.splitlines()[0])["answer"] == "The first answer."
    assert desk.rows("first/train.jsonl")[0]["messages"][-1]["content"] == "The first answer."
    assert gone.err == (
        "note: 1 answer of the run is gone from the store, and can be reviewed no more\n"
        "Run r1 has no answer to review.\n"
    )
    assert nothing.err == (
        "Nothing is kept of 1 answer of run r1, nothing written. Left out: the store has no answer (1).\n"
    )
    assert queues == left == 1
