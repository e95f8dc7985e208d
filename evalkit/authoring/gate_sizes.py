"""Whether a category holds enough probes for what its gate asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from evalkit.authoring.frames import family
from evalkit.gates import Gate
from evalkit.probe import Probe
from evalkit.stats import percent, quantile, wilson_interval

_LABELLED = ("pass_rate", "collapse_rate", "fabrication_rate", "over_refusal_rate", "unscored_rate", "error_rate")


@dataclass(frozen=True, slots=True)
class TooSmall:
    """A gate that asks for more than its probes can show.

    ``n`` are the independent probes of one target that it is decided on, a cluster counting once; ``needed`` is the
    fewest that would do, None where no number is known.
    """

    gate: Gate
    n: int
    needed: int | None
    sentence: str


def too_small(gates: Sequence[Gate], probes: Sequence[Probe]) -> list[TooSmall]:
    """The gates of one suite that ``probes``, all of them passing, could not bear out with 95 % confidence."""
    found = (
        _too_small(gate, [probe for probe in probes if gate.takes(probe.category, probe.id, probe.language)])
        for gate in gates
    )
    return [item for item in found if item is not None]


def probes_needed(bound: float, confidence: float = 0.95) -> int:
    """The fewest probes of which all must pass for Wilson's interval to lie above ``bound`` (0 to under 1).

    With n of n passed its low end is n / (n + z²).
    """
    z2 = quantile(confidence) ** 2
    return max(1, ceil(bound * z2 / (1 - bound) - 1e-9))


def _too_small(gate: Gate, probes: Sequence[Probe]) -> TooSmall | None:
    n = len({family(probe) for probe in probes})
    where = f" of {gate.category}" if gate.category else ""
    if not probes:
        return TooSmall(gate, 0, None, f"no probe{where} is there for it to decide on")
    trials = sum(probe.samples for probe in probes)
    if gate.min_n > trials:
        return TooSmall(
            gate, n, None, f"asks for min_n {gate.min_n}, and one target has {_count(trials, 'trial')}{where}"
        )
    if gate.metric not in _LABELLED or gate.against is not None or gate.equals is not None:
        return None
    return _low_side(gate, n, where) or _high_side(gate, n, where)


def _low_side(gate: Gate, n: int, where: str) -> TooSmall | None:
    bound = gate.at_least if gate.at_least is not None else gate.above
    if bound is None or not 0 < bound < 1:
        return None
    low = wilson_interval(n, n).low
    if low >= bound:
        return None
    needed = probes_needed(bound)
    reach = f"{n} of {n}{where} still leaves a 95 % interval down to {percent(low)}"
    return TooSmall(gate, n, needed, f"{reach}, and it asks for {percent(bound)}; {_remedy(gate, 'low', needed)}")


def _high_side(gate: Gate, n: int, where: str) -> TooSmall | None:
    bound = gate.at_most if gate.at_most is not None else gate.below
    if bound is None or not 0 < bound < 1:
        return None
    high = wilson_interval(0, n).high
    if high <= bound:
        return None
    needed = probes_needed(1 - bound)
    reach = f"0 of {n}{where} still leaves a 95 % interval up to {percent(high)}"
    return TooSmall(gate, n, needed, f"{reach}, and it allows {percent(bound)}; {_remedy(gate, 'high', needed)}")


def _remedy(gate: Gate, end: str, needed: int) -> str:
    fails = " (it can never hold)" if gate.end == end else ""
    return f"{needed} independent probes can show that{fails}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
