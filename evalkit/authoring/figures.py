"""The figures of every category: how many, in which languages, how long, how much alike in form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from evalkit.authoring.frames import family, opening, skeleton
from evalkit.authoring.lengths import lengths
from evalkit.probe import Probe

NO_LANGUAGE = "none"


def category_figures(probes: Iterable[Probe]) -> list[dict[str, Any]]:
    """One mapping a category of each suite, in the order of the probes.

    ``words`` are percentiles of the prompts' lengths; ``largest_skeleton`` and ``largest_opening`` count the probes
    that share the commonest masked skeleton and the commonest four first words.
    """
    groups: dict[tuple[str, str], list[Probe]] = {}
    for probe in probes:
        groups.setdefault((probe.suite, probe.category), []).append(probe)
    return [_figures(suite, category, members) for (suite, category), members in groups.items()]


def _figures(suite: str, category: str, members: list[Probe]) -> dict[str, Any]:
    spread = lengths(members)
    return {
        "suite": suite,
        "category": category,
        "probes": len(members),
        "families": len({family(probe) for probe in members}),
        "languages": counted(probe.language or NO_LANGUAGE for probe in members),
        "subcategories": counted(probe.subcategory for probe in members if probe.subcategory),
        "words": {"p10": spread.p10, "median": spread.median, "p90": spread.p90},
        "without_why": sum(not probe.why for probe in members),
        "largest_skeleton": max(Counter(skeleton(probe.prompt) for probe in members).values()),
        "largest_opening": max(Counter(opening(probe.prompt) for probe in members).values()),
    }


def counted(names: Iterable[str]) -> dict[str, int]:
    """How often each name comes, the commonest first."""
    return dict(Counter(names).most_common())
