"""A run's results.jsonl as what its trials measured."""

from __future__ import annotations

import json
from pathlib import Path

from evalkit.errors import Problem, UnreadableFile
from evalkit.measured import Measured
from evalkit.record import TrialRecord


def load_results(file: Path, shown: str) -> tuple[Measured, ...]:
    """What every line measured; ``shown`` names the file in messages.

    Raises:
        UnreadableFile: a line is no trial, or a trial is there twice.
    """
    found: dict[str, Measured] = {}
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            try:
                plain = json.loads(line)
                trial = Measured.of(TrialRecord.from_dict({**plain, "is_demo": bool(plain.get("demo"))}))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                message = "is no trial of a results.jsonl. Run the same command again: stored answers are kept."
                raise UnreadableFile([Problem(shown, message, number)]) from None
            if trial.trial in found:
                message = f"the trial {trial.trial!r} is there twice. Keep one run a file."
                raise UnreadableFile([Problem(shown, message, number)])
            found[trial.trial] = trial
    return tuple(found.values())
