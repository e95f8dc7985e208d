"""Seeded samples of a suite."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import UsageError
from evalkit.probe import Expectation, Generate, Message, Probe
from evalkit.sampling_plan import SamplePlan, allotted, draw, named_plan

PUBLISHED = {
    "ADVERSARIAL": 7680, "ERROR_CORRECTION": 1280, "CONTROL": 130, "IDENTITY_INTEGRITY": 1280,
    "HARMFUL_REFUSAL": 1600, "EPISTEMIC_HUMILITY": 960, "SAFE_PASSAGE": 1120, "IRREDUCIBLE_UNCERTAINTY": 900,
}  # fmt: skip


def probe(name: str, category: str = "A", subcategory: str | None = None, file: str = "suites/s/a.yaml") -> Probe:
    return Probe(
        id=name, suite="s", file=file, line=1, category=category, subcategory=subcategory,
        turns=(Message("user", name), Generate()), expect=Expectation(), judges=(),
    )  # fmt: skip


def test_the_published_sample_of_300_is_reproduced() -> None:
    """154, 26, 3, 26, 32, 19, 22 and 18 of the published shares."""
    assert list(allotted(300, PUBLISHED).values()) == [154, 26, 3, 26, 32, 19, 22, 18]


def test_equal_remainders_go_to_what_was_declared_first() -> None:
    """Three equal shares of ten: the first gets the odd one."""
    assert allotted(10, {"b": 1, "a": 1, "c": 1}) == {"b": 4, "a": 3, "c": 3}
    assert allotted(2, {"a": 0.1, "b": 0.1, "c": 0.1}) == {"a": 1, "b": 1, "c": 0}


def test_nothing_divided_is_nothing() -> None:
    """No probes in a category are no error of arithmetic."""
    assert allotted(0, {"a": 0, "b": 0}) == {"a": 0, "b": 0}


@given(st.integers(0, 500), st.lists(st.integers(0, 1000), min_size=1, max_size=9).filter(any))
def test_a_division_is_complete_and_fair(total: int, sizes: list[int]) -> None:
    """Every share is within one of its quota, and together they are the total."""
    counts = allotted(total, {str(place): size for place, size in enumerate(sizes)})

    assert sum(counts.values()) == total
    assert all(abs(counts[str(place)] - total * size / sum(sizes)) < 1 for place, size in enumerate(sizes))


def test_a_draw_is_the_same_in_any_order_of_files() -> None:
    """The golden ids of a seed; shuffling the suite changes the order and no probe."""
    probes = [probe(f"p{number}", "AB"[number % 2]) for number in range(20)]
    plan = SamplePlan("few", (("A", 3), ("B", 2)), seed=2026)
    shuffled = random.Random(1).sample(probes, len(probes))

    drawn = draw(plan, "s", probes)

    assert drawn.ids == ("p3", "p6", "p9", "p10", "p16")
    assert set(draw(plan, "s", shuffled).ids) == set(drawn.ids)
    assert draw(plan, "s", shuffled).digest == drawn.digest
    assert draw(SamplePlan("few", plan.counts, seed=7), "s", probes).ids != drawn.ids


def test_one_probe_more_displaces_at_most_one() -> None:
    """A category without subcategories may grow without every sample becoming another."""
    probes = [probe(f"p{number}") for number in range(50)]
    plan = SamplePlan("ten", (("A", 10),))
    before = set(draw(plan, "s", probes).ids)

    for name in ("new", "newer", "newest"):
        after = set(draw(plan, "s", [*probes, probe(name)]).ids)
        assert len(before - after) <= 1


def test_subcategories_keep_their_shares() -> None:
    """Twelve of one and six of another: six drawn are four and two."""
    probes = [probe(f"x{number}", subcategory="X") for number in range(12)]
    probes += [probe(f"y{number}", subcategory="Y") for number in range(6)]

    ids = draw(SamplePlan("six", (("A", 6),)), "s", probes).ids

    assert [name[0] for name in ids] == ["x"] * 4 + ["y"] * 2


def test_each_takes_all_of_a_small_category() -> None:
    """``each: 3`` of a category of two is two."""
    probes = [probe("a1"), probe("a2"), *(probe(f"b{number}", "B") for number in range(5))]

    drawn = draw(SamplePlan("smoke", each=3), "s", probes)

    assert drawn.counts == (("A", 2), ("B", 3))
    assert len(drawn.probes) == 5


def test_what_was_derived_from_a_probe_comes_along() -> None:
    """A shuffled copy is drawn with its original and is not counted."""
    probes = [probe("a"), probe("a~shuffle0.5.r1"), probe("b"), probe("b~shuffle0.5.r1")]

    drawn = draw(SamplePlan("one", (("A", 1),)), "s", probes)

    assert drawn.ids in (("a", "a~shuffle0.5.r1"), ("b", "b~shuffle0.5.r1"))
    assert drawn.available == 2


def test_the_same_id_in_two_files_is_two_probes() -> None:
    """Ids that were made up from prompts may repeat between files."""
    probes = [probe("a"), probe("a", file="suites/s/b.yaml")]

    assert len(draw(SamplePlan("one", (("A", 1),)), "s", probes).probes) == 1


def test_too_few_probes_are_told() -> None:
    """The category, what is wanted and what there is."""
    with pytest.raises(UsageError) as caught:
        draw(SamplePlan("all", (("A", 1), ("B", 2))), "s", [probe("a"), probe("b", "B")])

    assert str(caught.value) == (
        "The plan 'all' of suite s draws 2 probes of B, and 1 can be run. Mend the files with errors, write more "
        "probes, leave fewer out by exclusions, or lower the count in suite.yaml."
    )


def test_a_category_that_is_not_there_is_told_with_those_that_are() -> None:
    """A typo in a plan is seen at once."""
    with pytest.raises(
        UsageError,
        match=r"^The plan 'all' of suite s draws 2 probes of CONTROLL, and none can be run. Its categories are: A, B.$",
    ):
        draw(SamplePlan("all", (("CONTROLL", 2),)), "s", [probe("a"), probe("b", "B")])


def test_what_was_drawn_is_told_in_a_sentence() -> None:
    """How many of how many, of what, by which seed, and a digest of the ids."""
    drawn = draw(SamplePlan("one", (("A", 1),), seed=3), "s", [probe("a"), probe("b", "B")])

    assert drawn.sentence == "plan one of s: 1 of 2 probes (A 1), seed 3, ids ca978112ca1b"


def test_a_plan_is_found_by_its_name() -> None:
    """An unknown one is told with those that there are."""
    plans = (SamplePlan("smoke", each=1), SamplePlan("full", each=9))

    assert named_plan("s", plans, "full").each == 9
    with pytest.raises(UsageError, match=r"^The suite s has no sample plan 'smok'. Its plans are: smoke, full.$"):
        named_plan("s", plans, "smok")
    with pytest.raises(
        UsageError, match=r"^The suite s has no sample plan 'smok'. It has none: write plans: in its suite.yaml.$"
    ):
        named_plan("s", (), "smok")
