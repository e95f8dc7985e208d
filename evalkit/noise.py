"""How often a set-up changes its mind by itself, measured by asking the same again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from evalkit.record import TrialOutcome
from evalkit.stats import Interval, percent, wilson_interval


@dataclass(frozen=True, slots=True)
class Repeat:
    """One trial asked again: whether every answer came out the same, and both outcomes.

    ``is_replayed``: its answers are recordings and cannot change. ``is_asked``: a judge of it asked a model anew.
    """

    trial: str
    is_same_text: bool
    before: TrialOutcome
    after: TrialOutcome
    is_replayed: bool = False
    is_asked: bool = False

    @property
    def is_flipped(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """Counts over ``trials`` of ``probes`` that were asked again in batches of ``rows``.

    A flip of a verdict counts ``by_generation`` where the answer came out differently, else ``by_judge``: the judge
    read the same answer otherwise. ``asked`` trials have a judge that asked a model anew, ``replayed`` ones have
    recorded answers; ``broken`` ones could not be repeated and are not among ``trials``.
    """

    probes: int
    trials: int
    rows: int
    changed: int
    by_generation: int
    by_judge: int
    asked: int = 0
    replayed: int = 0
    broken: int = 0
    flipped: tuple[str, ...] = ()

    @classmethod
    def of(cls, repeats: Iterable[Repeat], *, probes: int, rows: int, broken: int = 0) -> NoiseFloor:
        """The counts of these repeats."""
        every = tuple(repeats)
        flipped = [repeat for repeat in every if repeat.is_flipped]
        return cls(
            probes=probes,
            trials=len(every),
            rows=rows,
            changed=sum(not repeat.is_same_text for repeat in every),
            by_generation=sum(not repeat.is_same_text for repeat in flipped),
            by_judge=sum(repeat.is_same_text for repeat in flipped),
            asked=sum(repeat.is_asked for repeat in every),
            replayed=sum(repeat.is_replayed for repeat in every),
            broken=broken,
            flipped=tuple(repeat.trial for repeat in flipped),
        )

    @property
    def flips(self) -> int:
        return self.by_generation + self.by_judge

    @property
    def rate(self) -> float | None:
        """The share of trials whose verdict flipped; None for none."""
        return self.flips / self.trials if self.trials else None

    @property
    def interval(self) -> Interval:
        """Wilson 95 % interval of ``rate``."""
        return wilson_interval(self.flips, self.trials)

    @property
    def sentence(self) -> str:
        """What came of it, in words."""
        broken = f" {self.broken} could not be repeated." if self.broken else ""
        if not self.trials:
            return f"not measured: no trial could be asked again.{broken}"
        bounds = self.interval
        flipped = _counted(self.by_generation, "verdict")
        sources = [f"{_counted(self.changed, 'answer')} came out differently and flipped {flipped}"]
        if self.asked:
            sources.append(
                f"judges that ask a model read an unchanged answer otherwise {_counted(self.by_judge, 'time')} "
                f"in {_counted(self.asked, 'trial')}"
            )
        if self.replayed:
            sources.append(f"{_counted(self.replayed, 'trial')} replayed, whose answers cannot change")
        return (
            f"{percent(self.rate)} of verdicts flip by themselves [{100 * bounds.low:.1f}–{100 * bounds.high:.1f}]: "
            f"{_counted(self.probes, 'probe')} asked again, {_counted(self.trials, 'trial')} in batches of at most "
            f"{self.rows}: {'; '.join(sources)}.{broken}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> NoiseFloor:
        """The inverse of ``to_dict``; unknown keys are ignored."""
        known = {item.name for item in fields(cls)}
        plain = {name: value for name, value in data.items() if name in known}
        return cls(**{**plain, "flipped": tuple(plain.get("flipped", ()))})


def _counted(count: int, one: str) -> str:
    return f"{count} {one if count == 1 else one + 's'}"
