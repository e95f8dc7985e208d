"""Probes as authoring sees them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe

Made = Callable[..., Probe]


@pytest.fixture
def probe() -> Made:
    """``probe(text, id=…, category=…, cluster=…, why=…, expect=…, judges=…, samples=…)``."""
    count = iter(range(1, 1_000_000))

    def made(text: str, **keys: object) -> Probe:
        number = next(count)
        plain: dict[str, object] = {
            "id": f"p{number}", "suite": "small", "file": "suites/small/first.yaml", "line": number, "category": "C",
            "turns": (Message("user", text), Generate()), "expect": Expectation(), "judges": (JudgeUse("behaviour"),),
        }  # fmt: skip
        return Probe(**{**plain, **keys})  # type: ignore[arg-type]

    return made
