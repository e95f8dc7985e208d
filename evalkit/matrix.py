"""Suite × targets × samples: ordered, deterministic trials with their ids."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evalkit.generation import Request
from evalkit.pickled import Pickled
from evalkit.probe import Generate, Message, Probe
from evalkit.target import Decoding, Target


@dataclass(frozen=True, slots=True)
class Trial(Pickled):
    """Probe × target × sample index: one pytest item."""

    probe: Probe
    target: Target
    sample: int = 0
    run_seed: int = 0

    @property
    def name(self) -> str:
        """``tides[demo+steady:nf4:naked:greedy]``; samples after the first add ``:s1``, ``:s2``, …"""
        sample = f":s{self.sample}" if self.sample else ""
        return f"{self.probe.id}[{self.target.label}{sample}]"

    @property
    def id(self) -> str:
        """The same on every machine: ``suites/x/control.yaml::tides[demo:nf4:naked:greedy]``."""
        return f"{self.probe.file}::{self.name}"

    def decoding(self, turn: Generate) -> Decoding:
        """The target's decoding, changed by the probe, changed by the turn."""
        return self.target.decoding.changed(self.probe.decoding).changed(turn.decoding)

    def request(self, messages: tuple[Message, ...], turn: Generate) -> Request:
        """What is asked of the target at ``turn``, after ``messages``."""
        decoding = self.decoding(turn)
        seed = None if decoding.is_greedy else self._seed(decoding.seed)
        last = next((item for item in reversed(self.probe.turns) if isinstance(item, Generate)), turn)
        return Request(self.target, messages, decoding, seed, self.sample, is_followed=turn is not last)

    def _seed(self, own: int | None) -> int:
        """63 bits from (seed, probe, sample): the same text at any batch and worker count."""
        seed = self.run_seed if own is None else own
        text = f"{seed}|{self.probe.file}|{self.probe.id}|{self.sample}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def trials(
    probes: Iterable[Probe], targets: Sequence[Target], *, samples: int | None = None, run_seed: int = 0
) -> tuple[Trial, ...]:
    """Every trial of ``probes``, probe by probe, target by target, sample by sample."""
    return tuple(
        Trial(probe, target, sample, run_seed)
        for probe in probes
        for target in targets
        for sample in range(samples or probe.samples)
    )


def limited(probes: Sequence[Probe], limit: int) -> tuple[Probe, ...]:
    """At most ``limit`` probes, taken round-robin over the categories so that few still cover many."""
    if limit >= len(probes):
        return tuple(probes)
    ranks: dict[str, int] = {}
    ranked = []
    for position, probe in enumerate(probes):
        ranks[probe.category] = ranks.get(probe.category, 0) + 1
        ranked.append((ranks[probe.category], position))
    kept = sorted(position for _, position in sorted(ranked)[:limit])
    return tuple(probes[position] for position in kept)
