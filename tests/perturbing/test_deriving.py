"""The probes that noise makes of a probe."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from evalkit.perturbing.deriving import NoisePlan, derived_probes
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Perturbation, Probe

LONG = "Which of the five old mills on the upper river still grinds flour today?"


def probe(*turns: Message, **changes: object) -> Probe:
    said = (*(turns or (Message("user", LONG),)), Generate())
    plain = Probe("mills", "s", "suites/s/a.yaml", 2, "A", said, Expectation(contains=("a",)), (JudgeUse("text"),))
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_each_is_named_by_noise_strength_and_draw() -> None:
    """Ratio by ratio, draw by draw, in the original's cluster and with its earlier ids."""
    plan = NoisePlan("shuffle", (0.5, 1.0), replicates=2)

    found = derived_probes(probe(formerly=("mill", "old/mill")), (plan, NoisePlan("case", (0.25,))))

    assert [one.id for one in found.probes] == [
        "mills~shuffle0.5.r1", "mills~shuffle0.5.r2", "mills~shuffle1.r1", "mills~shuffle1.r2", "mills~case0.25.r1",
    ]  # fmt: skip
    assert {one.cluster for one in found.probes} == {"mills"}
    assert found.probes[0].formerly == ("mill~shuffle0.5.r1", "old/mill~shuffle0.5.r1")
    assert found.left_out == ()


def test_the_draw_is_the_same_everywhere() -> None:
    """The text follows from seed, noise, id, ratio and replicate."""
    first, second = derived_probes(probe(), (NoisePlan("shuffle", (0.5,), replicates=2),)).probes

    assert first.prompt == "of still the the old mills on Which five river flour grinds upper today?"
    assert second.prompt == "Which five the today? on mills of the upper river still grinds flour old"
    assert first.perturbation == Perturbation("shuffle", 0.5, 1, "mills", 7, 0.5)


def test_every_part_of_the_seed_counts() -> None:
    """Another seed, id, ratio or replicate gives another draw."""
    plan = NoisePlan("shuffle", (1.0,))
    texts = [
        derived_probes(probe(), (plan,)).probes[0].prompt,
        derived_probes(probe(), (replace(plan, seed=1),)).probes[0].prompt,
        derived_probes(probe(id="mill"), (plan,)).probes[0].prompt,
        derived_probes(probe(), (replace(plan, ratios=(0.9999,)),)).probes[0].prompt,
        derived_probes(probe(), (replace(plan, replicates=2),)).probes[1].prompt,
    ]

    assert len(set(texts)) == 5


def test_a_cluster_that_is_named_is_kept() -> None:
    """The original's own cluster wins over its id."""
    found = derived_probes(probe(cluster="water"), (NoisePlan("typo", (0.5,)),))

    assert [one.cluster for one in found.probes] == ["water"]


def test_only_the_named_roles_are_touched() -> None:
    """User turns unless others are named; answers that are given stay."""
    said = probe(Message("system", LONG), Message("user", LONG), Message("assistant", LONG), Message("user", LONG))

    [user] = derived_probes(said, (NoisePlan("case", (0.5,)),)).probes
    [system] = derived_probes(said, (NoisePlan("case", (0.5,), roles=("system",)),)).probes

    assert [one != other for one, other in zip(said.turns, user.turns, strict=True)] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert [one != other for one, other in zip(said.turns, system.turns, strict=True)] == [True, *[False] * 4]
    assert user.turns[1] != user.turns[3]


def test_what_cannot_change_is_left_out_and_said() -> None:
    """Three words have no other order here; redrawing does not help."""
    found = derived_probes(probe(Message("user", "Who are you?")), (NoisePlan("shuffle", (0.5, 1.0)),))

    assert found.probes == ()
    assert found.left_out == ("~shuffle0.5.r1", "~shuffle1.r1")


def test_a_text_without_blanks_is_left_out() -> None:
    """There are no words between blanks in Chinese or Japanese."""
    found = derived_probes(
        probe(Message("user", "五つの古い水車のうち、今も粉を挽いているのはどれですか。")),
        (NoisePlan("shuffle", (1.0,)),),
    )

    assert (found.probes, found.left_out) == ((), ("~shuffle1.r1",))


def test_an_unchanged_draw_is_drawn_again_kept_or_left_out() -> None:
    """Two words of four stay half the time: redraw finds a change, keep keeps them, skip leaves them out."""
    said = probe(Message("user", "red blue green grey"))
    plan = NoisePlan("shuffle", (0.7,), replicates=100)

    redrawn = derived_probes(said, (plan,)).probes
    kept = derived_probes(said, (replace(plan, on_identity="keep"),)).probes
    skipped = derived_probes(said, (replace(plan, on_identity="skip"),))

    assert len(redrawn) == len(kept) == 100
    assert all(one.prompt != said.prompt for one in redrawn)
    unchanged = [one.perturbation for one in kept if one.prompt == said.prompt]
    assert 30 < len(unchanged) < 70
    assert {one.changed_share for one in unchanged if one is not None} == {0.0}
    assert len(skipped.probes) == 100 - len(skipped.left_out) == 100 - len(unchanged)


@given(st.text(max_size=60), st.floats(0.001, 1), st.integers(0, 9))
def test_nothing_but_the_words_changes(text: str, ratio: float, seed: int) -> None:
    """Whatever the text, a derived probe is the original with other turns, id, cluster and perturbation."""
    said = probe(Message("user", text))
    plans = tuple(NoisePlan(kind, (ratio,), seed=seed) for kind in ("shuffle", "case", "typo", "whitespace"))

    for one in derived_probes(said, plans).probes:
        assert one.turns != said.turns
        assert replace(one, id="mills", turns=said.turns, cluster=None, perturbation=None) == said
