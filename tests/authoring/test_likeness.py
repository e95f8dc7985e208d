"""Near-copies: which pairs are found, against a count of all pairs."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from evalkit.authoring.likeness import alike
from evalkit.authoring.words import words

if TYPE_CHECKING:
    from conftest import Made
    from evalkit.probe import Probe

KETTLE = "What does the blue kettle in the window of the corner shop cost today?"


def cosines(probes: list[Probe]) -> dict[tuple[str, str], float]:
    """Every pair's cosine, counted the plain way."""
    counts = [Counter(words(probe.prompt)) for probe in probes]
    holders = Counter(word for count in counts for word in count)
    vectors = []
    for count in counts:
        rarity = {word: math.log((1 + len(counts)) / (1 + holders[word])) + 1 for word in count}
        weights = {word: (1 + math.log(times)) * rarity[word] for word, times in count.items()}
        length = math.sqrt(sum(weight**2 for weight in weights.values())) or 1
        vectors.append({word: weight / length for word, weight in weights.items()})
    return {
        (probes[one].id, probes[other].id): sum(
            weight * vectors[other].get(word, 0) for word, weight in vectors[one].items()
        )
        for other in range(len(probes))
        for one in range(other)
    }


def test_a_near_copy_is_named_with_its_original(probe: Made) -> None:
    """The later one of the two, with the cosine."""
    asked = [probe(KETTLE), probe("Who wrote this?"), probe(KETTLE.replace("blue", "green"))]

    (pair,) = alike(asked)

    assert (pair.earlier, pair.later) == (asked[0], asked[2])
    assert pair.cosine == pytest.approx(cosines(asked)[asked[0].id, asked[2].id])


def test_equal_prompts_are_alike(probe: Made) -> None:
    """With a cosine of 1; punctuation and capitals do not matter."""
    first, second = probe("Why me?"), probe("WHY, me")

    (pair,) = alike([first, second])

    assert (pair.earlier, pair.later, pair.cosine) == (first, second, 1.0)


def test_relatives_and_other_categories_may_be_alike(probe: Made) -> None:
    """A cluster is a family; a copy in another category tests something else."""
    assert alike([probe(KETTLE, cluster="k"), probe(KETTLE, cluster="k")]) == []
    assert alike([probe(KETTLE), probe(KETTLE, category="D")]) == []


def test_a_stranger_is_found_behind_relatives(probe: Made) -> None:
    """A copy in another family counts, also where copies of the own family stand before it."""
    family = [probe(KETTLE, cluster="k") for _ in range(5)]
    stranger, late = probe(KETTLE), probe(KETTLE, cluster="k")

    found = alike([*family, stranger, late])

    assert [(pair.earlier.id, pair.later.id) for pair in found] == [
        (family[0].id, stranger.id), (stranger.id, late.id),
    ]  # fmt: skip


def test_no_words_are_like_nothing(probe: Made) -> None:
    """Prompts of signs alone have no vector."""
    assert alike([probe("?!"), probe("..."), probe("Why?")]) == []


def test_pruning_loses_no_pair(probe: Made) -> None:
    """The likest earlier probe of each is that of a count of all pairs, over texts of every likeness."""
    rng = random.Random(7)
    vocabulary = [f"w{number}" for number in range(60)]
    asked = [probe(" ".join(rng.choices(vocabulary, k=rng.randint(3, 12)))) for _ in range(150)]
    for original in asked[:40]:
        told = original.prompt.split()
        told[rng.randrange(len(told))] = rng.choice(vocabulary)
        asked.append(probe(" ".join(told)))
    every = cosines(asked)

    found = {pair.later.id: pair.cosine for pair in alike(asked)}

    wanted = {}
    for (_, later), value in every.items():
        if value >= 0.6 and value > wanted.get(later, 0):
            wanted[later] = value
    assert found == pytest.approx(wanted)


def test_fillings_of_a_template_are_found(probe: Made) -> None:
    """However many there are, each but the first few is told once, with one original."""
    frame = "Tell my friend {} where on earth the last {} went, and do it before the sun is down"
    asked = [probe(frame.format(f"name{one}", f"thing{two}")) for one in range(30) for two in range(30)]

    found = alike(asked)

    assert len(found) > 800
    assert len({pair.later.id for pair in found}) == len(found)
