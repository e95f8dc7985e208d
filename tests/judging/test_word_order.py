"""Whether small words stand in an order that sentences have, in six languages."""

from __future__ import annotations

import random

import pytest

from evalkit.judging.collapse.order_tables import TABLES
from evalkit.judging.collapse.word_order import bits_of, find_disorder, order_table

SENTENCES = {
    "en": "The boats that went out at night come back with the first light, and the market is full of people "
    "who wait for them. It is said that the best fish is sold before the sun is over the roofs of the old"
    " town.",
    "es": "Los barcos que salen de noche vuelven con la primera luz, y el mercado se llena de gente que los "
    "espera. Se dice que el mejor pescado se vende antes de que el sol pase por encima de los tejados del"
    " pueblo.",
    "de": "Die Boote, die in der Nacht auslaufen, kommen mit dem ersten Licht zurück, und der Markt ist voll "
    "von Leuten, die auf sie warten. Man sagt, dass der beste Fisch verkauft ist, bevor die Sonne über "
    "den Dächern der Stadt steht.",
    "fr": "Les bateaux qui partent dans la nuit reviennent avec la première lumière, et le marché est plein de "
    "gens qui les attendent. On dit que le meilleur poisson est vendu avant que le soleil ne soit au-"
    "dessus des toits de la ville.",
    "it": "Le barche che partono di notte tornano con la prima luce, e il mercato è pieno di gente che le "
    "aspetta. Si dice che il pesce migliore sia venduto prima che il sole sia sopra i tetti della città.",
    "pt": "Os barcos que saem de noite voltam com a primeira luz, e o mercado fica cheio de gente que os "
    "espera. Diz-se que o melhor peixe é vendido antes que o sol esteja acima dos telhados da cidade.",
}  # fmt: skip


def shuffled(text: str) -> str:
    words = text.replace(",", "").replace(".", "").split()
    random.Random(4).shuffle(words)
    return " ".join(words) + "."


def test_there_is_a_table_for_six_languages() -> None:
    """Every table is square, and another language has none."""
    assert sorted(TABLES) == sorted(SENTENCES)
    assert all(
        len(rows) == len(classes.split()) == len(set(classes.split())) and all(len(row) == len(rows) for row in rows)
        for classes, rows in TABLES.values()
    )
    assert order_table("nl") is None


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_speak_for_their_language_and_shuffled_ones_against(language: str) -> None:
    """The same words in another order lose what spoke for them, and the place is found."""
    table = order_table(language)
    assert table is not None
    sound, broken = SENTENCES[language], shuffled(SENTENCES[language])
    found = find_disorder(broken, table)

    assert bits_of(sound, table) > 10
    assert bits_of(broken, table) < bits_of(sound, table) - 15
    assert found is not None
    assert found.bits > 9
    assert all(found.start <= start < end <= found.end for start, end in found.bad)


def test_only_the_broken_half_is_found() -> None:
    """The stretch begins where the sense ends."""
    table = order_table("en")
    assert table is not None
    text = SENTENCES["en"] + " " + shuffled(SENTENCES["en"])
    found = find_disorder(text, table)

    assert found is not None
    assert found.start >= len(SENTENCES["en"]) - 20


@pytest.mark.parametrize("text", ["", ".", "a", "A. B. C.", "a.k.a.", "\n\n", "12 34", "x = a"])
def test_little_text_says_nothing(text: str) -> None:
    """Texts without sentences give no evidence worth a verdict."""
    table = order_table("en")
    assert table is not None
    found = find_disorder(text, table)

    assert found is None or found.bits < 9
