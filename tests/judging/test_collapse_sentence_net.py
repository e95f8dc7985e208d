"""Whether the nets of six languages tell sentences from displaced words."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from evalkit.judging.collapse.sentence_net import LANGUAGES, SentenceNet, find_stretch, sentence_net

SENTENCES = {
    "en": "The ferry leaves the old harbour at six, and if the wind is kind you reach the island before the shops are "
    "shut. There is a bench behind the church from which you can see both coasts, and nobody will mind if you stay.",
    "es": "El barco sale del puerto viejo a las seis, y si el viento ayuda se llega a la isla antes de que cierren las "
    "tiendas. Hay un banco detrás de la iglesia desde el que se ven las dos costas, y a nadie le importa si te quedas.",
    "de": "Die Fähre verlässt den alten Hafen um sechs, und wenn der Wind es gut meint, ist man auf der Insel, bevor "
    "die Läden schließen. Hinter der Kirche steht eine Bank, von der man beide Küsten sieht, und niemand stört sich "
    "daran, wenn man bleibt.",
    "fr": "Le bateau quitte le vieux port à six heures, et si le vent est bon on arrive sur l'île avant que les "
    "magasins ne ferment. Il y a un banc derrière l'église d'où l'on voit les deux côtes, et personne ne dit rien si "
    "l'on reste.",
    "it": "Il traghetto lascia il vecchio porto alle sei, e se il vento è buono si arriva sull'isola prima che i "
    "negozi chiudano. Dietro la chiesa c'è una panchina da cui si vedono le due coste, e nessuno dice niente se si "
    "rimane.",
    "pt": "O barco sai do porto velho às seis, e se o vento ajudar chega-se à ilha antes de as lojas fecharem. Atrás "
    "da igreja há um banco de onde se vêem as duas costas, e ninguém se importa se lá ficarmos.",
}  # fmt: skip


def net_of(language: str) -> SentenceNet:
    net = sentence_net(language)
    assert net is not None
    return net


def score(text: str, language: str) -> float:
    found = find_stretch(text, net_of(language))
    return found.score if found else 0.0


def swapped(text: str) -> str:
    """Words without their marks, shuffled among their neighbours."""
    words = [word.strip(",.") for word in text.split()]
    source = random.Random(3)
    order: Sequence[int] = sorted(range(len(words)), key=lambda place: place + source.uniform(0, 4))
    return " ".join(words[place] for place in order) + "."


def test_there_is_a_net_for_six_languages() -> None:
    """A language without one gives None."""
    assert sorted(SENTENCES) == list(LANGUAGES)
    assert sentence_net("nl") is None


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_score_low_and_displaced_words_high(language: str) -> None:
    """The same words out of their places are found, and most of the text is marked."""
    text = SENTENCES[language]
    found = find_stretch(swapped(text), net_of(language))

    assert score(text, language) < 4
    assert found is not None
    assert found.score > 8
    assert found.words > 15
    assert 0 <= found.start <= found.worst[0] < found.worst[1] <= len(text)


def test_only_the_displaced_half_is_found() -> None:
    """The stretch begins about where the sense ends."""
    found = find_stretch(SENTENCES["en"] + " " + swapped(SENTENCES["en"]), net_of("en"))

    assert found is not None
    assert found.start >= len(SENTENCES["en"]) - 20


def test_what_was_blanked_is_no_gap_in_a_sentence() -> None:
    """Words on both sides of blanks, of code and of signs are not neighbours."""
    text = "The            of this is that nobody knew what the            was for, and that was the end of it."

    assert score(text, "en") < 4


@pytest.mark.parametrize("text", ["", " ", ".", "a", "1 2 3", "\n\n", "?!", "x = a", "A. B. C.", "\ud800", "NO WAY"])
def test_little_text_says_nothing(text: str) -> None:
    """Texts without sentences give no evidence worth a verdict."""
    assert score(text, "en") < 4


def test_scores_do_not_depend_on_how_long_the_text_is() -> None:
    """A place scores the same alone and deep in a long text, which is read in parts."""
    net = net_of("en")
    numbers = [1, *[7 + place % 900 for place in range(20_000)]]
    whole = net.scores(numbers)
    part = net.scores(numbers[:400])

    assert len(whole) == len(numbers) - 1
    assert np.allclose(whole[:399], part, atol=1e-4)
