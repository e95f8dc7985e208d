"""What asking again came to, counted and told."""

from __future__ import annotations

import pytest

from evalkit.noise import NoiseFloor, Repeat


def repeats() -> list[Repeat]:
    """Ten trials: one flipped by another answer, one by its judge, one other answer that changed nothing."""
    steady = [Repeat(f"t{number}", True, "pass", "pass") for number in range(7)]
    return [
        *steady,
        Repeat("new words", False, "pass", "fail"),
        Repeat("same words", True, "fail", "unscored", is_asked=True),
        Repeat("other words, same verdict", False, "fail", "fail", is_replayed=True),
    ]


def test_flips_are_counted_by_source() -> None:
    """A changed answer that changes no verdict is no flip."""
    found = NoiseFloor.of(repeats(), probes=5, rows=4, broken=2)

    assert (found.trials, found.changed, found.by_generation, found.by_judge) == (10, 2, 1, 1)
    assert (found.flips, found.rate, found.flipped) == (2, 0.2, ("new words", "same words"))
    assert (round(found.interval.low, 3), round(found.interval.high, 3)) == (0.057, 0.510)


def test_the_sentence_names_every_source() -> None:
    """What was asked, how often it flipped, and what could not be measured."""
    assert NoiseFloor.of(repeats(), probes=5, rows=4, broken=2).sentence == (
        "20.0 % of verdicts flip by themselves [5.7–51.0]: 5 probes asked again, 10 trials in batches of at most 4: "
        "2 answers came out differently and flipped 1 verdict; judges that ask a model read an unchanged answer "
        "otherwise 1 time in 1 trial; 1 trial replayed, whose answers cannot change. 2 could not be repeated."
    )


@pytest.mark.parametrize("broken", [0, 3])
def test_nothing_repeated_is_no_rate(broken: int) -> None:
    """No division by nothing, and no 0 % that was never measured."""
    found = NoiseFloor.of([], probes=0, rows=4, broken=broken)

    assert found.rate is None
    assert found.sentence == "not measured: no trial could be asked again." + (
        " 3 could not be repeated." if broken else ""
    )


def test_it_survives_json() -> None:
    """What a run keeps of it comes back."""
    found = NoiseFloor.of(repeats(), probes=5, rows=4)

    assert NoiseFloor.from_dict({**found.to_dict(), "flipped": list(found.flipped), "new": 1}) == found
