"""A request says whether another turn of its trial comes after it."""

from __future__ import annotations

from dataclasses import replace

from evalkit.identity import request_identity
from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, Message, Probe
from evalkit.target import Model, Quantisation, Target


def test_every_turn_but_the_last_is_followed() -> None:
    """A hint to the engine: no other request, and no other answer."""
    turns = (Message("user", "One?"), Generate(), Message("user", "Two?"), Generate())
    probe = Probe("p", "s", "suites/s/a.yaml", 1, "C", turns, Expectation(), ())
    trial = Trial(probe, Target(Model("m", "/m", True, "m"), Quantisation("fp32", "fp32")))

    first, last = (trial.request((turns[0],), turn) for turn in (turns[1], turns[3]))

    assert (first.is_followed, last.is_followed) == (True, False)
    assert first == replace(first, is_followed=False)
    assert request_identity(first, ()) == request_identity(last, ())
