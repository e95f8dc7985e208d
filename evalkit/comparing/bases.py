"""What each target of a run is compared with: the reference, or the first target, that is most like it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

REFERENCE = "reference"
NAKED = "naked"


def bases_of(labels: Iterable[str], references: Sequence[str]) -> dict[str, list[str]]:
    """By base, the targets that are compared with it; nothing where there is but one target.

    References are the bases where there are both references and subjects. Else it is the barest target: with the fewest
    adapters, under no condition if there is such a one, the first by name.
    """
    subjects = sorted(set(labels) - set(references), key=_bareness)
    every = [*references, *subjects]
    bases = list(references) if references and subjects else every[:1]
    found: dict[str, list[str]] = {}
    for label in every:
        if label not in bases:
            base = max(bases, key=lambda base: (_alike(base, label), -bases.index(base)))
            found.setdefault(base, []).append(label)
    return found


def _bareness(label: str) -> tuple[int, bool, str]:
    weights, *rest = label.split(":")
    return weights.count("+"), rest[1:2] != [NAKED], label


def _alike(base: str, label: str) -> tuple[int, bool, bool]:
    """How near a reference is: parts that the labels share, whether it is the bare model of the other, or its kin."""
    shared = sum(a == b for a, b in zip(base.split(":"), label.split(":"), strict=False))
    own, other = base.split(":")[0], label.split(":")[0]
    model = other.split("+")[0]
    return shared, own == model, own.split("+")[0] == model
