"""Probes that a run leaves out because a training file holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit.probe import Probe

if TYPE_CHECKING:
    from evalkit.authoring.overlap import Overlap

MEASURE = (
    "sets of words of 3 and more letters with a Jaccard index of at least 0.3 that share 2 content words or all there "
    "are; or runs of 8 words in common that cover half of the prompt, or one of 13"
)
"""How ``overlap`` measures; the words stand in every list."""
_HASH_CHARS = 16
_REMEDY = "Make the list again with: evalkit check --train FILE --exclude"


@dataclass(frozen=True, slots=True)
class TrainingFile:
    """A training file as it was when it was measured."""

    name: str
    sha256: str
    texts: int


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One probe to leave out, as long as its prompt has this hash; ``training`` is the place of the text it is like."""

    suite: str
    probe: str
    text_hash: str
    training: str
    jaccard: float
    share: float

    @classmethod
    def of(cls, overlap: Overlap) -> Exclusion:
        probe, jaccard, share = overlap.probe, round(overlap.jaccard, 3), round(overlap.share, 3)
        return cls(probe.suite, probe.id, text_hash(probe), overlap.training, jaccard, share)


@dataclass(frozen=True, slots=True)
class ExclusionList:
    """A file of exclusions; ``file`` is its name as to be shown."""

    file: str
    exclusions: tuple[Exclusion, ...]
    training: tuple[TrainingFile, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a list does to one suite.

    ``changed`` are ids whose text is not the one that overlapped: they are run. ``missing`` are ids the suite has not.
    ``training`` are the names of the files that the probes overlap with.
    """

    source: ExclusionList
    probes: tuple[Probe, ...]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    training: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What reports say of it."""
        if not self.probes:
            return self.stale_sentences
        names = _listed(self.training)
        probes, overlap = ("probe", "it overlaps") if len(self.probes) == 1 else ("probes", "they overlap")
        return (
            f"{len(self.probes)} {probes} left out: {overlap} with {names} ({self.source.file})",
            *self.stale_sentences,
        )

    @property
    def stale_sentences(self) -> tuple[str, ...]:
        """What of the list no longer fits the suite."""
        found = []
        if self.changed:
            what = "a probe whose text has" if len(self.changed) == 1 else f"{len(self.changed)} probes whose text has"
            found.append(f"names {what} changed since, run all the same: {_some(self.changed)}")
        if self.missing:
            what = "a probe that is" if len(self.missing) == 1 else f"{len(self.missing)} probes that are"
            found.append(f"names {what} not in the suite: {_some(self.missing)}")
        return tuple(f"{self.source.file}: {sentence}. {_REMEDY}" for sentence in found)


def text_hash(probe: Probe) -> str:
    """16 hexadecimal digits of the SHA-256 of the user's words."""
    return hashlib.sha256(probe.prompt.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARS]


def left_out(source: ExclusionList, suite: str, probes: Sequence[Probe]) -> LeftOut:
    """Which of the suite's probes the list leaves out; what is derived from a probe (``id~shuffle``) goes with it."""
    own = {item.probe: item for item in source.exclusions if item.suite == suite}
    if not own:
        return LeftOut(source, (), (), ())
    known = {probe.id: probe for probe in probes}
    valid = {name for name, item in own.items() if name in known and text_hash(known[name]) == item.text_hash}
    out = [probe for probe in probes if probe.id in valid or probe.id.partition("~")[0] in valid]
    changed = tuple(name for name in own if name in known and name not in valid)
    missing = tuple(name for name in own if name not in known)
    files = dict.fromkeys(own[name].training.rpartition(":")[0].rpartition("/")[2] for name in own if name in valid)
    return LeftOut(source, tuple(out), changed, missing, tuple(files))


def _some(names: Iterable[str], shown: int = 5) -> str:
    every = list(names)
    more = len(every) - shown
    return ", ".join(every[:shown]) + (f" and {more} more" if more > 0 else "")


def _listed(names: Sequence[str]) -> str:
    return " and ".join(([", ".join(names[:-1])] if names[:-1] else []) + list(names[-1:]))
