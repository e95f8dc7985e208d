"""The answers of a finished plan as a recording that the replay engine reads."""

from __future__ import annotations

import os
from pathlib import Path

from evalkit.engines.replay import record_line
from evalkit.generation import Generation
from evalkit.host.plan import Plan, conversation
from evalkit.probe import Generate


def write_recordings(plan: Plan, file: Path) -> None:
    """One line an answer in plan order, equal ones once; the file is replaced in one step."""
    lines = []
    for item in plan:
        turns = sum(isinstance(turn, Generate) for turn in item.trial.probe.turns)
        for index, reply in enumerate(item.replies[:turns]):
            messages, turn = conversation(item.trial, item.replies[:index])
            if isinstance(reply, Generation) and turn is not None:
                lines.append(record_line(item.trial.request(messages, turn), reply))
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.write_text("\n".join(dict.fromkeys(lines)) + "\n", encoding="utf-8")
    os.replace(unfinished, file)
