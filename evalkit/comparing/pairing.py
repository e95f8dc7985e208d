"""The probes of two sides, each beside itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evalkit.comparing.metrics import Metric, judges_of, value_of
from evalkit.measured import Measured

Key = tuple[str, str]
"""A probe as (suite, id)."""


@dataclass(frozen=True, slots=True)
class Side:
    """What is compared with another: the trials of one target, and a name for them.

    Raises:
        ValueError: the trials are of several targets.
    """

    name: str
    trials: tuple[Measured, ...]

    def __post_init__(self) -> None:
        targets = sorted({trial.target for trial in self.trials})
        if len(targets) > 1:
            raise ValueError(f"a side holds the trials of one target; {self.name!r} has {', '.join(targets)}")


@dataclass(frozen=True, slots=True)
class Unit:
    """One probe on one side: its samples, in order."""

    trials: tuple[Measured, ...]

    @property
    def first(self) -> Measured:
        return self.trials[0]

    @property
    def key(self) -> Key:
        return (self.first.suite, self.first.probe)

    @property
    def answers(self) -> tuple[str, ...]:
        """The identities of all answers."""
        return tuple(identity for trial in self.trials for identity in trial.generations)

    def values(self, metric: Metric, judge: str | None = None) -> list[float]:
        """The samples' numbers, those left out that have none."""
        found = (value_of(trial, metric, judge) for trial in self.trials)
        return [value for value in found if value is not None]

    def judges(self, metric: Metric, judge: str | None = None) -> dict[str, str]:
        """The hash of every judge that the numbers depend on."""
        return {name: value for trial in self.trials for name, value in judges_of(trial, metric, judge).items()}


@dataclass(frozen=True, slots=True)
class Pair:
    """One probe on both sides."""

    before: Unit
    after: Unit

    @property
    def cluster(self) -> tuple[str, str, str]:
        """The family it belongs to, which may span suites; a probe without one is its own."""
        first = self.after.first
        name = first.cluster or self.before.first.cluster
        return (first.suite, "probe", first.probe) if name is None else ("", "cluster", name)

    def is_averaged(self, metric: Metric, judge: str | None = None) -> bool:
        """Whether a side has several samples with a number."""
        return len(self.before.values(metric, judge)) > 1 or len(self.after.values(metric, judge)) > 1

    @property
    def is_same_answer(self) -> bool:
        """Whether both sides have the very same stored answers."""
        return self.before.answers == self.after.answers != ()

    @property
    def is_moved(self) -> bool:
        return self.before.key != self.after.key

    @property
    def is_edited(self) -> bool:
        return self.has_hashes and self.before.first.probe_hash != self.after.first.probe_hash

    @property
    def has_hashes(self) -> bool:
        return bool(self.before.first.probe_hash and self.after.first.probe_hash)


@dataclass(frozen=True, slots=True)
class Pairing:
    """Pairs in the order of the side after; probes that only one side has, those of foreign suites not among them.

    ``suites_before`` and ``suites_after`` are suites of which nothing has a pair, with how many probes they hold.
    """

    pairs: tuple[Pair, ...]
    only_before: tuple[Key, ...]
    only_after: tuple[Key, ...]
    suites_before: Mapping[str, int]
    suites_after: Mapping[str, int]

    @property
    def share(self) -> float:
        """How much of the union of both sides' probes has a pair."""
        union = len(self.pairs) + len(self.only_before) + len(self.only_after)
        return len(self.pairs) / union if union else 0.0


def paired(before: Side, after: Side) -> Pairing:
    """Every probe with itself by (suite, id), else by the ids that one of the two had ``formerly``."""
    old, new = units(before.trials), units(after.trials)
    partner = {key: key for key in new if key in old}
    taken = set(partner)
    for key, unit in new.items():
        if key not in partner:
            _take(partner, taken, key, [former for former in _former(unit) if former in old])
    renamed = {former: key for key, unit in old.items() if key not in taken for former in _former(unit)}
    for key in new:
        if key not in partner and key in renamed:
            _take(partner, taken, key, [renamed[key]])
    shared = {suite for key, other in partner.items() for suite in (key[0], other[0])}
    left_before = [key for key in old if key not in taken]
    left_after = [key for key in new if key not in partner]
    return Pairing(
        pairs=tuple(Pair(old[partner[key]], unit) for key, unit in new.items() if key in partner),
        only_before=tuple(key for key in left_before if key[0] in shared),
        only_after=tuple(key for key in left_after if key[0] in shared),
        suites_before=Counter(key[0] for key in left_before if key[0] not in shared),
        suites_after=Counter(key[0] for key in left_after if key[0] not in shared),
    )


def units(trials: Iterable[Measured]) -> dict[Key, Unit]:
    """The trials by probe, in the order of their files; samples in order."""
    found: dict[Key, list[Measured]] = {}
    for trial in sorted(trials, key=lambda one: (one.suite, one.file, one.line, one.probe, one.sample)):
        found.setdefault((trial.suite, trial.probe), []).append(trial)
    return {key: Unit(tuple(own)) for key, own in found.items()}


def _former(unit: Unit) -> list[Key]:
    """The ids that a probe had before; its own suite where none is named."""
    split = (name.rpartition("/") for name in unit.first.formerly)
    return [(suite or unit.first.suite, probe) for suite, _, probe in split]


def _take(partner: dict[Key, Key], taken: set[Key], key: Key, candidates: Iterable[Key]) -> None:
    for candidate in candidates:
        if candidate not in taken:
            partner[key] = candidate
            taken.add(candidate)
            return
