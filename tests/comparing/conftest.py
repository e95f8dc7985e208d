"""Sides made of bare outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from evalkit.comparing import Side
from evalkit.measured import Measured

TARGET = "m:nf4:naked:greedy"


def trial_of(probe: str, outcome: str = "pass", **changes: Any) -> Measured:
    """One trial of suite ``s`` with some fields changed."""
    settings: dict[str, Any] = {
        "suite": "s", "probe": probe, "category": "CONTROL", "target": TARGET, "outcome": outcome,
        "file": "suites/s/a.yaml", "line": 1, "probe_hash": "h", "judges": {"text": "j" * 64},
    } | changes  # fmt: skip
    name = f"{settings['suite']}/{probe}:{settings.get('sample', 0)}[{settings['target']}]"
    return Measured(trial=name, **settings)


def pair_of(worse: int, better: int, n: int, **changes: Any) -> tuple[Side, Side]:
    """Two sides of ``n`` probes of which some got worse, some better, and the others pass on both."""
    old = ["fail" if worse <= number < worse + better else "pass" for number in range(n)]
    new = ["fail" if number < worse else "pass" for number in range(n)]
    return tuple(  # type: ignore[return-value]
        Side("X", tuple(trial_of(f"p{number:03}", outcome, **changes) for number, outcome in enumerate(outcomes)))
        for outcomes in (old, new)
    )


def side_of(trials: Sequence[Measured], name: str = "X") -> Side:
    return Side(name, tuple(trials))


@pytest.fixture(scope="session")
def make_trial() -> Callable[..., Measured]:
    """``make_trial("p1", "fail", **fields)``."""
    return trial_of


@pytest.fixture(scope="session")
def make_pair() -> Callable[..., tuple[Side, Side]]:
    """``make_pair(worse, better, n)``."""
    return pair_of
