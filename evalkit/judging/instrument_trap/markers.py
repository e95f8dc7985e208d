"""The words and tables that the rules look for: what judges/instrument_trap_compat.yaml holds, as plain tuples."""

from __future__ import annotations

from dataclasses import dataclass

Phrases = tuple[str, ...]
PHRASE_LISTS = (
    "collapse", "compliance", "illicit_refusal", "correction", "mystery_engagement", "mystery_dismissal",
    "licit_exploration", "baptism", "kenotic_limit", "control_refusal", "taxonomy_refusal", "taxonomy_approval",
    "taxonomy_engagement", "taxonomy_correction", "taxonomy_divine",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Markers:
    """Phrases by list name, in small letters; labels and their aliases in capitals, in the order they are tried."""

    phrases: dict[str, Phrases]
    labels: Phrases
    aliases: tuple[tuple[str, str], ...]
    near_labels: tuple[frozenset[str], ...]
    tiers: Phrases
    tier_aliases: tuple[tuple[str, str | None], ...]
    tier_keywords: tuple[tuple[str, str], ...]

    def said(self, name: str, text: str) -> bool:
        """Whether any phrase of a list is a substring of the text, case aside."""
        lowered = text.lower()
        return any(phrase in lowered for phrase in self.phrases[name])
