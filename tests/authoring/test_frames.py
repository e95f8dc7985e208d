"""Frames: masked skeletons, openings, lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.authoring.frames import opening, repeated_openings, repeated_skeletons, skeleton
from evalkit.authoring.lengths import Lengths, lengths

if TYPE_CHECKING:
    from conftest import Made


def test_a_skeleton_keeps_function_words_alone() -> None:
    """Nouns, numbers, quotations and everything else that carries content are masked."""
    assert skeleton('What does the blue kettle cost in 1,200 shops, and who said "buy it"?') == (
        "what does the _ _ _ in _ _ and who _ _"
    )
    assert skeleton("¿Qué cuesta la tetera?") == "qué _ la _"


def test_fillings_of_one_frame_have_one_skeleton() -> None:
    """Whatever stands in the gaps."""
    assert skeleton("Who invented the lamp in 1802?") == skeleton("Who burnt the bridge in 12.5?")


def test_an_opening_is_four_words() -> None:
    """In small letters, without punctuation; a short prompt is its own opening."""
    assert opening("You, there! Open the door at once.") == "you there open the"
    assert opening("Why?") == "why"


def test_frames_that_come_too_often_are_found(probe: Made) -> None:
    """More than twice for a skeleton, more than three times for an opening; other categories count apart."""
    texts = ["Who invented the lamp?", "Who burnt the bridge?", "Who sold the horse?"]
    asked = [probe(text) for text in texts]

    (frame,) = repeated_skeletons([*asked, probe("Who wrote the song?", category="D")])
    (again,) = repeated_openings([probe(f"Now then you there, {word}!") for word in ("run", "sit", "go home", "sing")])

    assert (frame.category, frame.words, frame.probes) == ("C", "who _ the _", tuple(asked))
    assert (again.words, again.families) == ("now then you there", 4)
    assert repeated_skeletons(asked[:2]) == []
    assert repeated_openings([probe(f"Now then you there, {word}!") for word in ("run", "sit", "go")]) == []


def test_a_family_counts_once(probe: Made) -> None:
    """Variants in a cluster share their frame by nature."""
    assert repeated_skeletons([probe(f"Who sold the {word}?", cluster="sale") for word in "abcd"]) == []


def test_lengths_are_percentiles(probe: Made) -> None:
    """Of words; the nearest rank from below, 0 for nothing."""
    ten = [probe("word " * count) for count in range(1, 11)]

    assert lengths(ten) == Lengths(2, 6, 10)
    assert lengths([]) == Lengths(0, 0, 0)
    assert not Lengths(9, 20, 60).is_wide
    assert not Lengths(8, 20, 44).is_wide
    assert Lengths(8, 20, 45).is_wide
