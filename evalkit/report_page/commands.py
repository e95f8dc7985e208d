"""The command that runs one trial of a run again."""

from __future__ import annotations

import shlex
from functools import lru_cache

_VALUED = (
    "--eval-target", "--eval-model", "--eval-adapter", "--eval-quant", "--eval-condition", "--eval-decoding",
    "--eval-engine", "--eval-samples", "--eval-seed",
)  # fmt: skip
_BARE = ("--eval-one-by-one",)


def rerun_command(trial: str, command: str) -> str:
    """``pytest 'suites/x.yaml::probe[target]'`` with those options of the run's ``command`` that chose its targets."""
    return shlex.join(["pytest", trial, *_options(command)])


@lru_cache(maxsize=8)
def _options(command: str) -> tuple[str, ...]:
    """Those that chose the targets; read once for all trials of a run."""
    kept: list[str] = []
    try:
        words = iter(shlex.split(command))
    except ValueError:
        words = iter(())
    for word in words:
        name, equals, _ = word.partition("=")
        if word in _BARE or (equals and name in _VALUED):
            kept.append(word)
        elif name in _VALUED:
            kept += [word, next(words, "")]
    return tuple(kept)
