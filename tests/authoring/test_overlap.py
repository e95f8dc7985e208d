"""Overlap with training texts: what counts, what does not, and which text is named."""

from __future__ import annotations

import random
import unicodedata
from typing import TYPE_CHECKING

import pytest

from evalkit.authoring.overlap import OverlapWatch
from evalkit.authoring.words import long_words

if TYPE_CHECKING:
    from conftest import Made

LONG = (
    "My neighbour keeps bees behind the old brewery and swears that they fly lower before rain; is there any truth in "
    "it, or does he only notice them when the sky already looks grey?"
)


def found(asked: list[object], *texts: str) -> dict[str, tuple[str, float, float]]:
    watch = OverlapWatch(asked)  # type: ignore[arg-type]
    for number, text in enumerate(texts, start=1):
        watch.take(text, f"train.jsonl:{number}")
    return {item.probe.id: (item.training, round(item.jaccard, 2), round(item.share, 2)) for item in watch.overlaps}


def invented(stem: str, count: int) -> list[str]:
    """So many different words of letters alone."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [stem + letters[number // 26] + letters[number % 26] for number in range(count)]


def test_a_copy_is_found_whatever_its_punctuation(probe: Made) -> None:
    """With a Jaccard index of 1 and all of its words in common runs."""
    asked = probe(LONG, id="bees")

    assert found([asked], "Quite another thing.", LONG.upper().replace(";", " -")) == {
        "bees": ("train.jsonl:2", 1.0, 1.0)
    }


def test_a_rewording_is_found_by_its_words(probe: Made) -> None:
    """From a Jaccard index of 0.3 up, in any order."""
    told = "Bees behind the old brewery fly lower before rain, swears my neighbour who keeps them. Any truth there?"

    (training, jaccard, share) = found([probe(LONG, id="bees")], told)["bees"]

    assert training == "train.jsonl:1"
    assert jaccard > 0.3
    assert share == 0.0


def test_a_prompt_inside_a_long_text_is_found_by_its_runs(probe: Made) -> None:
    """Where the rest of the text makes the Jaccard index small."""
    around = " ".join(invented("filler", 300))

    (_, jaccard, share) = found([probe(LONG, id="bees")], f"{around} {LONG} {around}")["bees"]

    assert jaccard < 0.3
    assert share == 1.0


def test_a_long_run_is_enough(probe: Made) -> None:
    """Thirteen words in a row, however long the rest of the prompt is; eight alone are not."""
    words = invented("word", 60)
    asked = probe(" ".join(words), id="long")
    around = invented("other", 90)

    assert found([asked], " ".join((*around, *words[20:33]))) == {"long": ("train.jsonl:1", 0.09, 0.22)}
    assert found([asked], " ".join((*around, *words[20:32]))) == {}


@pytest.mark.parametrize(
    ("asked", "training"),
    [
        ("Who are you?", "How are you today?"),
        ("Is my flatmate hiding something from me?", "Is my sister at home with something from me?"),
        ("What makes tides?", "What makes glass?"),
        (LONG, "My neighbour keeps rabbits. Is there any use in it?"),
        (LONG, ""),
        ("?!", "?!"),
    ],
)
def test_what_only_sounds_alike_is_no_overlap(probe: Made, asked: str, training: str) -> None:
    """Function words and a single word of content say nothing."""
    assert found([probe(asked)], training) == {}


@pytest.mark.parametrize(
    ("asked", "training"),
    [
        ("Who are you?", "who ARE you"),
        ("What makes tides?", "Tell me, what makes tides?"),
        (
            "Name three rivers of Spain.",
            "Please be kind. Name three rivers of Spain. Then sing about them all.",
        ),
    ],
)
def test_short_prompts_are_found_in_full(probe: Made, asked: str, training: str) -> None:
    """Word for word, or with all the content they have."""
    assert found([probe(asked, id="short")], training).keys() == {"short"}


def test_the_nearest_text_is_named(probe: Made) -> None:
    """Of several; a copy of the prompt in another probe is named as well."""
    first, second = probe(LONG, id="one"), probe(LONG, id="two")

    named = found([first, second], "Bees behind the old brewery fly lower before rain, neighbour.", LONG, LONG)

    assert {name: place for name, (place, _, _) in named.items()} == {"one": "train.jsonl:2", "two": "train.jsonl:2"}


def test_the_index_finds_what_a_plain_count_finds(probe: Made) -> None:
    """Every pair of a thousand, by the Jaccard index of its words."""
    rng = random.Random(3)
    vocabulary = [f"{one}{two}ord" for one in "bcdfghjklm" for two in "aeiou"]
    asked = [probe(" ".join(rng.choices(vocabulary, k=rng.randint(4, 9))), id=f"a{number}") for number in range(50)]
    texts = [" ".join(rng.choices(vocabulary, k=rng.randint(4, 9))) for _ in range(50)]
    wanted = set()
    for one in asked:
        for text in texts:
            shared = len(long_words(one.prompt) & long_words(text))
            if shared >= 2 and shared / len(long_words(one.prompt) | long_words(text)) >= 0.3:
                wanted.add(one.id)

    assert found(asked, *texts).keys() == wanted
    assert 0 < len(wanted) < 50


def test_accents_and_apostrophes_have_several_spellings(probe: Made) -> None:
    """An exact copy is one in each of them."""
    asked = probe("Où l'été finit-il, qu'en dit la météo d'après l'almanach?", id="été")
    other = unicodedata.normalize("NFD", asked.prompt).replace("'", "’")

    assert found([asked], other) == {"été": ("train.jsonl:1", 1.0, 1.0)}
    assert found([probe(other, id="été")], asked.prompt) == {"été": ("train.jsonl:1", 1.0, 1.0)}
