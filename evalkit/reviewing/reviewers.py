"""How far reviewers agree with each other, and on which texts they do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from evalkit.review import Label
from evalkit.reviewing.population import Settled, settled


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two reviewers on the ``n`` texts that both labelled; ``kappa`` is None where it is not defined."""

    first: str
    second: str
    n: int
    agreeing: int
    kappa: float | None


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Agreement beyond chance of two reviewers on the same texts in the same order; any number of values.

    None where there is no text, or where both only ever say the same one thing.

    Raises:
        ValueError: they are not as many.

    Source: Cohen (1960).
    """
    if len(first) != len(second):
        raise ValueError(f"both need a label for every text; found {len(first)} and {len(second)}")
    n = len(first)
    if not n:
        return None
    observed = sum(one == other for one, other in zip(first, second, strict=True)) / n
    ones, others = Counter(first), Counter(second)
    chance = sum(ones[value] * others[value] for value in ones) / (n * n)
    return None if chance == 1 else (observed - chance) / (1 - chance)


def krippendorff_alpha(texts: Iterable[Sequence[Hashable]]) -> float | None:
    """Agreement beyond chance of any number of reviewers, some of whom may not have labelled some texts.

    ``texts`` holds the labels of one text each; a text with fewer than two says nothing. Labels have no order
    (nominal). None where no text has two, or where every label is the same.

    Source: Krippendorff (2011), Computing Krippendorff's alpha-reliability, the nominal metric.
    """
    pairable = [Counter(values) for values in texts if len(values) > 1]
    sizes = [sum(counts.values()) for counts in pairable]
    totals = sum(pairable, Counter[Hashable]())
    n = sum(sizes)
    expected = n * n - sum(count * count for count in totals.values())
    if not expected:
        return None
    observed = sum(
        (size * size - sum(count * count for count in counts.values())) / (size - 1)
        for counts, size in zip(pairable, sizes, strict=True)
    )
    return 1 - (n - 1) * observed / expected


def agreements(labels: Iterable[Label]) -> tuple[PairAgreement, ...]:
    """Every two reviewers who labelled a text in common, by name, on all four values."""
    by_reviewer: dict[str, dict[str, str]] = {}
    for said in settled(labels).values():
        for label in said.labels:
            by_reviewer.setdefault(label.reviewer, {})[said.text_hash] = label.value
    found = []
    for first, second in combinations(sorted(by_reviewer), 2):
        one, other = by_reviewer[first], by_reviewer[second]
        shared = [text for text in one if text in other]
        if shared:
            ones, others = [one[text] for text in shared], [other[text] for text in shared]
            agreeing = sum(left == right for left, right in zip(ones, others, strict=True))
            found.append(PairAgreement(first, second, len(shared), agreeing, cohen_kappa(ones, others)))
    return tuple(found)


def disputes(labels: Iterable[Label]) -> tuple[Settled, ...]:
    """The texts on which reviewers differ; those that a further reviewer has to decide (``is_open``) come first."""
    disputed = [said for said in settled(labels).values() if said.is_disputed]
    return tuple(sorted(disputed, key=lambda said: not said.is_open))
