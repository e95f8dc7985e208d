"""The schema of judges/instrument_trap_compat.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator

from evalkit.judging.base import Judge
from evalkit.judging.instrument_trap.judge import InstrumentTrapJudge, InstrumentTrapPolicy, normalised
from evalkit.judging.instrument_trap.markers import PHRASE_LISTS, Markers
from evalkit.judging.instrument_trap.scoring import CATEGORIES
from evalkit.reading.policies.base import Parts, PolicyFile
from evalkit.reading.suggestions import did_you_mean


def _phrase_lists(lists: dict[str, list[str]]) -> dict[str, list[str]]:
    _only(lists, PHRASE_LISTS, "phrase list")
    missing = [name for name in PHRASE_LISTS if name not in lists]
    if missing:
        raise ValueError(f"the phrase list {missing[0]!r} is missing. Add it, empty if you want none.")
    return lists


def _category_names(names: dict[str, list[str]]) -> dict[str, list[str]]:
    _only(names, CATEGORIES, "category")
    return names


def _category_tiers(tiers: dict[str, str | None]) -> dict[str, str | None]:
    _only(tiers, CATEGORIES, "category")
    return tiers


def _only(found: Iterable[str], known: tuple[str, ...], what: str) -> None:
    for name in found:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}. {did_you_mean(name, list(known))}")


class InstrumentTrapFile(PolicyFile):
    """judges/instrument_trap_compat.yaml."""

    code_version = InstrumentTrapJudge.version
    kind: Literal["instrument_trap_compat"]
    categories: Annotated[dict[str, list[str]], AfterValidator(_category_names)]
    expected_tiers: Annotated[dict[str, str | None], AfterValidator(_category_tiers)]
    labels: list[str]
    aliases: dict[str, str]
    near_labels: list[list[str]]
    tiers: list[str]
    tier_aliases: dict[str, str | None]
    tier_keywords: dict[str, str]
    phrases: Annotated[dict[str, list[str]], AfterValidator(_phrase_lists)]

    @property
    def markers(self) -> Markers:
        """The tables as the rules take them, phrases in small letters and labels in capitals."""
        return Markers(
            phrases={name: tuple(phrase.lower() for phrase in phrases) for name, phrases in self.phrases.items()},
            labels=tuple(label.upper() for label in self.labels),
            aliases=tuple((alias.upper(), label) for alias, label in self.aliases.items()),
            near_labels=tuple(frozenset(group) for group in self.near_labels),
            tiers=tuple(self.tiers),
            tier_aliases=tuple((alias.lower(), tier) for alias, tier in self.tier_aliases.items()),
            tier_keywords=tuple((keyword.lower(), tier) for keyword, tier in self.tier_keywords.items()),
        )

    def make(self, parts: Parts) -> Judge:
        names = {normalised(name): category for category, names in self.categories.items() for name in names}
        return InstrumentTrapJudge(InstrumentTrapPolicy(self.markers, names, self.expected_tiers))
