"""Prompts poured into one frame: the same function words in the same order, or the same opening."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from evalkit.authoring.words import FUNCTION_WORDS, words
from evalkit.probe import Probe

MOST_OF_A_SKELETON = 2
MOST_OF_AN_OPENING = 3
OPENING_WORDS = 4
MASK = "_"
_QUOTATION = re.compile(r'["“«][^"”»]*["”»]')
_NUMBER = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that probes of one category share; probes of one cluster count once."""

    category: str
    words: str
    probes: tuple[Probe, ...]

    @property
    def families(self) -> int:
        return len({family(probe) for probe in self.probes})


def family(probe: Probe) -> str:
    """What a probe counts as: its cluster, or itself."""
    return f"cluster {probe.cluster}" if probe.cluster else f"probe {probe.id}"


def skeleton(text: str) -> str:
    """The text with quotations, numbers and every word that is no function word masked.

    Nouns would be enough; without a tagger everything outside a closed list is masked, which only finds more.
    """
    plain = _NUMBER.sub(" _ ", _QUOTATION.sub(" _ ", text))
    return " ".join(word if word in FUNCTION_WORDS else MASK for word in words(plain))


def opening(text: str) -> str:
    """The first four words."""
    return " ".join(words(text)[:OPENING_WORDS])


def repeated_skeletons(probes: Iterable[Probe], most: int = MOST_OF_A_SKELETON) -> list[Frame]:
    """Every masked skeleton that more than ``most`` families of a category have, in the order of the probes."""
    return _repeated(probes, skeleton, most)


def repeated_openings(probes: Iterable[Probe], most: int = MOST_OF_AN_OPENING) -> list[Frame]:
    """Every opening that more than ``most`` families of a category have, in the order of the probes."""
    return _repeated(probes, opening, most)


def _repeated(probes: Iterable[Probe], frame_of: Callable[[str], str], most: int) -> list[Frame]:
    groups: dict[tuple[str, str], list[Probe]] = {}
    for probe in probes:
        groups.setdefault((probe.category, frame_of(probe.prompt)), []).append(probe)
    frames = [Frame(category, shared, tuple(members)) for (category, shared), members in groups.items()]
    return [frame for frame in frames if frame.families > most]
