"""What came of a gate: on one target, and in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalkit.gates.gate import Gate

GateOutcome = Literal["pass", "warn", "fail", "undecided", "not_applicable"]
_GRAVITY: dict[GateOutcome, int] = {"fail": 0, "undecided": 1, "warn": 2, "pass": 3, "not_applicable": 4}


@dataclass(frozen=True, slots=True)
class GateResult:
    """What came of one gate; all but ``gate``, ``outcome`` and ``sentence`` is of ``target``, the worst one.

    ``measured`` is the value that had to lie in the zone and ``low`` to ``high`` the 95 % interval, in the metric's
    unit. ``n`` trials were measured, or pairs. ``false_red`` is the chance that the same models, run again, would fail
    it; None where that is not reckoned.
    """

    gate: Gate
    outcome: GateOutcome
    measured: float | None
    n: int
    sentence: str
    target: str = ""
    low: float | None = None
    high: float | None = None
    false_red: float | None = None

    @property
    def blocks(self) -> bool:
        """Whether it fails the run once the whole plan was run."""
        return self.outcome == "fail" or (self.outcome == "undecided" and self.gate.undecided == "fail")


@dataclass(frozen=True, slots=True)
class TargetResult:
    """What came of a gate on one target; its sentence is ``head``, who is the worst, and ``tail``.

    ``inside`` is how far inside the pass zone the value lies, to tell the worst of several.
    """

    label: str
    outcome: GateOutcome
    head: str
    tail: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    inside: float = 0.0
    false_red: float | None = None


def worst_of(gate: Gate, found: Sequence[TargetResult]) -> GateResult:
    """The gate's result: that of the target that fares worst."""
    worst = min(found, key=lambda one: (_GRAVITY[one.outcome], one.inside, one.label))
    among = f", the worst of {len(found)} targets," if len(found) > 1 and worst.tail else ""
    because = f". {gate.because}" if gate.because and worst.value is not None else ""
    sentence = f"{worst.head}{among}{worst.tail}{because}"
    chances = [one.false_red for one in found]
    false_red = None
    if worst.outcome in ("pass", "warn") and all(chance is not None for chance in chances):
        false_red = any_of([chance for chance in chances if chance is not None])
    return GateResult(
        gate, worst.outcome, worst.value, worst.n, sentence, worst.label, worst.low, worst.high, false_red
    )  # fmt: skip


def any_of(chances: Sequence[float]) -> float:
    """The chance that one or more of independent things happen: 1 − Π(1 − p)."""
    none = 1.0
    for chance in chances:
        none *= 1.0 - chance
    return 1.0 - none
