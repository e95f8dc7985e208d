"""Training and validation data of which no cluster is on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from evalkit.datasets.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Member:
    """A transcript and the name of its cluster."""

    candidate: Candidate
    cluster: str


@dataclass(frozen=True, slots=True)
class Split:
    """Both sides, each in the order of the run."""

    train: tuple[Member, ...]
    valid: tuple[Member, ...]


def split(candidates: Sequence[Candidate], share: float, seed: int) -> Split:
    """Draws whole clusters for validation until they hold ``share`` of the transcripts, or come next to it.

    A cluster is drawn by its name and the seed alone, so a later run of more probes draws much the same ones. Where
    even the smallest cluster is too large it is taken alone, unless nothing would be left to train on.
    """
    members = clustered(candidates)
    sizes: dict[str, int] = {}
    for member in members:
        sizes[member.cluster] = sizes.get(member.cluster, 0) + 1
    room = wanted = round(share * len(members))
    drawn: set[str] = set()
    order = sorted(sizes, key=lambda name: hashlib.sha256(f"{seed}|{name}".encode("utf-8", "replace")).digest())
    for name in order:
        if sizes[name] <= room:
            drawn.add(name)
            room -= sizes[name]
    if wanted and not drawn and len(order) > 1:
        drawn.add(min(order, key=sizes.__getitem__))
    if len(drawn) == len(order):
        drawn.clear()
    return Split(
        tuple(member for member in members if member.cluster not in drawn),
        tuple(member for member in members if member.cluster in drawn),
    )


def clustered(candidates: Sequence[Candidate]) -> tuple[Member, ...]:
    """Each transcript with its cluster: those of one cluster or probe, and those that ask the same, are together.

    A cluster is named by its first name in the alphabet, so that the name says nothing of the order of the run.
    """
    groups = _Groups()
    for candidate in candidates:
        first, *others = _ties(candidate)
        for other in others:
            groups.join(first, other)
    names: dict[Hashable, str] = {}
    for candidate in candidates:
        root = groups.root(_ties(candidate)[0])
        own = candidate.record.cluster or candidate.probe
        names[root] = min(own, names.get(root, own))
    return tuple(Member(candidate, names[groups.root(_ties(candidate)[0])]) for candidate in candidates)


def _ties(candidate: Candidate) -> list[Hashable]:
    """What a transcript shares with those that it must not be parted from; its probe comes first."""
    record = candidate.record
    own: list[Hashable] = [("probe", candidate.probe)]
    if record.cluster is not None:
        own.append(("cluster", record.cluster))
    if record.perturbation is not None:
        own.append(("probe", f"{record.suite}/{record.perturbation['of']}"))
    users = (message.content for message in candidate.asked if message.role == "user")
    asked = tuple(" ".join(content.split()).casefold() for content in users)
    return [*own, ("asked", asked)] if asked else own


class _Groups:
    """Disjoint sets: what was joined, directly or over others, has the same root."""

    def __init__(self) -> None:
        self._parents: dict[Hashable, Hashable] = {}

    def root(self, item: Hashable) -> Hashable:
        path = []
        while (parent := self._parents.get(item, item)) != item:
            path.append(item)
            item = parent
        self._parents.update(dict.fromkeys(path, item))
        return item

    def join(self, one: Hashable, other: Hashable) -> None:
        first, second = self.root(one), self.root(other)
        if first != second:
            self._parents[second] = first


def cluster_count(members: Iterable[Member]) -> int:
    return len({member.cluster for member in members})
