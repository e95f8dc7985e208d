"""The probes that noise makes of a probe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random
from typing import Literal

from evalkit.perturbing.noised import Noised
from evalkit.perturbing.noises import NOISES
from evalkit.perturbing.protection import Protection, protected_in
from evalkit.probe import Message, Noise, Perturbation, Probe, Turn

MAX_REDRAWS = 20
OnIdentity = Literal["redraw", "keep", "skip"]
Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class NoisePlan:
    """One noise at several strengths.

    ``ratios`` are shares of what the noise works on, over 0 and to 1. ``on_identity`` says what to do with a draw that
    leaves every text as it was: draw again up to MAX_REDRAWS times and then leave the probe out, keep it, or leave it
    out at once.
    """

    kind: Noise
    ratios: tuple[float, ...]
    replicates: int = 1
    seed: int = 0
    roles: tuple[Role, ...] = ("user",)
    protect: tuple[Protection, ...] = ()
    on_identity: OnIdentity = "redraw"

    @property
    def size(self) -> int:
        """How many probes it derives of one at most."""
        return len(self.ratios) * self.replicates


@dataclass(frozen=True, slots=True)
class Derived:
    """The probes made of one, and the suffixes of those left out because nothing would have changed."""

    probes: tuple[Probe, ...]
    left_out: tuple[str, ...]


def derived_probes(probe: Probe, plans: tuple[NoisePlan, ...]) -> Derived:
    """Everything the plans make of ``probe``, noise by noise, ratio by ratio; the same on every machine.

    Each keeps the probe's cluster, or is clustered under its id.
    """
    made, left_out = [], []
    for plan in plans:
        for ratio in plan.ratios:
            for replicate in range(1, plan.replicates + 1):
                suffix = f"~{plan.kind}{_shown(ratio)}.r{replicate}"
                found = _derived(probe, plan, ratio, replicate, suffix)
                if found is None:
                    left_out.append(suffix)
                else:
                    made.append(found)
    return Derived(tuple(made), tuple(left_out))


def _derived(probe: Probe, plan: NoisePlan, ratio: float, replicate: int, suffix: str) -> Probe | None:
    for turns, noised in _draws(probe, plan, ratio, replicate):
        changed = sum(one.changed for one in noised)
        if turns != probe.turns or plan.on_identity == "keep":
            units = sum(one.units for one in noised)
            return replace(
                probe,
                id=probe.id + suffix,
                turns=turns,
                cluster=probe.cluster or probe.id,
                formerly=tuple(old + suffix for old in probe.formerly),
                perturbation=Perturbation(
                    plan.kind, ratio, replicate, probe.id, sum(one.drawn for one in noised),
                    changed / units if units else 0.0,
                ),
            )  # fmt: skip
    return None


def _draws(
    probe: Probe, plan: NoisePlan, ratio: float, replicate: int
) -> Iterator[tuple[tuple[Turn, ...], list[Noised]]]:
    """The conversation under the first draw, then under the redraws that the plan allows."""
    redraws = MAX_REDRAWS if plan.on_identity == "redraw" else 0
    for attempt in range(redraws + 1):
        chance = Random(_seed(plan, probe.id, ratio, replicate, attempt))
        noised: list[Noised] = []
        turns: list[Turn] = []
        for turn in probe.turns:
            if isinstance(turn, Message) and turn.role in plan.roles:
                protected = protected_in(turn.content, plan.protect)
                found = NOISES[plan.kind](turn.content, ratio, chance, protected)
                noised.append(found)
                turns.append(Message(turn.role, found.text))
            else:
                turns.append(turn)
        yield tuple(turns), noised
        if not any(one.drawn for one in noised):
            return


def _shown(ratio: float) -> str:
    return str(int(ratio)) if ratio == int(ratio) else repr(ratio)


def _seed(plan: NoisePlan, probe_id: str, ratio: float, replicate: int, attempt: int) -> int:
    """64 bits from what the draw is for; nothing of the machine, the run or the other probes is in it."""
    text = f"{plan.seed}|{plan.kind}|{probe_id}|{ratio!r}|{replicate}|{attempt}"
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
