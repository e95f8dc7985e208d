"""Sample plans: a named, seeded draw of a suite's probes, so many of each category."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalkit.errors import UsageError
from evalkit.probe import Probe


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """How many probes of each category are drawn, by which seed.

    ``counts`` hold the categories in the order they were declared. Where there are none, ``each`` is drawn from every
    category, or all of a smaller one.
    """

    name: str
    counts: tuple[tuple[str, int], ...] = ()
    each: int = 0
    seed: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a plan drew from a suite of ``available`` probes, in the suite's order."""

    suite: str
    plan: SamplePlan
    probes: tuple[Probe, ...]
    counts: tuple[tuple[str, int], ...]
    available: int

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(probe.id for probe in self.probes)

    @property
    def digest(self) -> str:
        """SHA-256 of the ids, so that two people can tell that they ran the same sample."""
        return hashlib.sha256("\n".join(sorted(self.ids)).encode()).hexdigest()

    @property
    def sentence(self) -> str:
        """``plan smoke of instrument_trap: 96 of 434 probes (ADVERSARIAL 12, …), seed 2026, ids 3f1a…``."""
        shares = ", ".join(f"{category} {count}" for category, count in self.counts)
        return (
            f"plan {self.plan.name} of {self.suite}: {len(self.probes)} of {self.available} probes ({shares}), "
            f"seed {self.plan.seed}, ids {self.digest[:12]}"
        )


def allotted(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    """``total`` divided after ``shares`` by largest remainder; equal remainders go to what was declared first.

    Source: Hamilton's method; the shares need not sum to anything.
    """
    whole = sum(shares.values())
    quotas = {name: total * share / whole for name, share in shares.items()} if whole else dict.fromkeys(shares, 0.0)
    counts = {name: int(quota) for name, quota in quotas.items()}
    # Rounded, so that remainders which differ by an arithmetical error alone are a tie.
    by_remainder = sorted(quotas, key=lambda name: -round(quotas[name] - counts[name], 9))
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def draw(plan: SamplePlan, suite: str, probes: Sequence[Probe]) -> Drawn:
    """The plan's sample of ``probes``, the same on every machine and in whatever order files are read.

    Within a category the subcategories keep their shares. Which probes are taken follows from the seed, the suite's
    name and each probe's id alone, so a probe that is added displaces few: usually none or one, more where the shares
    of subcategories shift. What was derived from a probe (``tides~shuffle0.5.r1``) comes along and is not counted.

    Raises:
        UsageError: a category has fewer probes than the plan wants.
    """
    originals = [probe for probe in probes if probe.id == _original(probe)]
    groups: dict[str, list[Probe]] = {}
    for probe in originals:
        groups.setdefault(probe.category, []).append(probe)
    wanted = dict(plan.counts) or {category: min(plan.each, len(group)) for category, group in groups.items()}
    taken: set[tuple[str, str]] = set()
    for category, count in wanted.items():
        group = groups.get(category, [])
        if count > len(group):
            raise UsageError(_too_few(plan, suite, category, count, groups))
        taken.update(_of_category(plan, suite, group, count))
    chosen = tuple(probe for probe in probes if (probe.file, _original(probe)) in taken)
    return Drawn(suite, plan, chosen, tuple(wanted.items()), len(originals))


def _original(probe: Probe) -> str:
    """The id of the probe that this one was derived from, or its own."""
    return probe.id.partition("~")[0]


def _of_category(plan: SamplePlan, suite: str, group: Sequence[Probe], count: int) -> list[tuple[str, str]]:
    parts: dict[str, list[Probe]] = {}
    for probe in group:
        parts.setdefault(probe.subcategory or "", []).append(probe)
    # Sorted, so that a tie does not hang on the order in which files are read.
    counts = allotted(count, {name: len(parts[name]) for name in sorted(parts)})

    def rank(probe: Probe) -> tuple[bytes, str]:
        return hashlib.sha256(f"{plan.seed}|{suite}|{probe.id}".encode()).digest(), probe.file

    ranked = [probe for name, part in parts.items() for probe in sorted(part, key=rank)[: counts[name]]]
    return [(probe.file, probe.id) for probe in ranked]


def _too_few(plan: SamplePlan, suite: str, category: str, wanted: int, groups: Mapping[str, Sequence[Probe]]) -> str:
    what = f"The plan {plan.name!r} of suite {suite} draws {wanted} probes of {category}, and"
    if category not in groups:
        return f"{what} none can be run. Its categories are: {', '.join(groups) or 'none'}."
    return (
        f"{what} {len(groups[category])} can be run. Mend the files with errors, write more probes, leave fewer out "
        "by exclusions, or lower the count in suite.yaml."
    )


def named_plan(suite: str, plans: Sequence[SamplePlan], name: str) -> SamplePlan:
    """The plan called ``name``.

    Raises:
        UsageError: the suite declares no such plan.
    """
    found = next((plan for plan in plans if plan.name == name), None)
    if found is None:
        known = ", ".join(plan.name for plan in plans)
        has = f"Its plans are: {known}." if known else "It has none: write plans: in its suite.yaml."
        raise UsageError(f"The suite {suite} has no sample plan {name!r}. {has}")
    return found
