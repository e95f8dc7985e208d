"""Across samples of a probe and across probes: what repeats, and what may well repeat."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.host.plan import split_text
from evalkit.judging.likeness import compression_ratio, self_bleu
from evalkit.judging.slop import count_slop
from evalkit.judging.survey import SameAnswer, survey
from evalkit.probe import Expectation, Generate, Message, Probe
from evalkit.transcript import Case, Transcript

TARGET = "demo:fp32:naked:warm"
LONG = (
    "The harbour froze in the second week of January, and the boats stayed where they were until the thaw.",
    "A clock needs a force to drive it, a train of wheels to pass it on, and something that beats in time.",
    "Bread rises since yeast eats sugar and breathes out gas, which the dough holds in small bubbles.",
    "Owls turn their heads so far because their eyes are fixed and cannot roll in the skull as ours do.",
)


def case(probe: str, answer: str, prompt: str = "Tell me.", cluster: str | None = None, target: str = TARGET) -> Case:
    turns = (Message("user", prompt), Generate())
    noun = Probe(probe, "s", "f", 1, "X", turns, Expectation(), (), cluster=cluster)
    return Case(noun, target, Transcript((), (split_text(answer),)))


def found(cases: Sequence[Case]) -> list[SameAnswer]:
    return list(survey(cases).same_answers)


def test_nothing_to_survey() -> None:
    """No cases give an empty survey."""
    result = survey([])

    assert (result.targets, result.samples, result.same_answers, result.flags) == ((), (), (), ())


def test_samples_that_differ_are_not_alike() -> None:
    """Four answers of their own wording."""
    result = survey([case("p", text) for text in LONG])

    (one,) = result.samples
    assert (one.answers, one.unique, one.duplicate_share, one.opening_share, one.is_alike) == (4, 4, 0.0, 0.25, False)
    assert one.self_bleu < 0.2
    assert one.compression < 1.5
    assert result.flags == ((), (), (), ())


def test_equal_samples_are_alike() -> None:
    """The same answer four times, case and punctuation aside."""
    result = survey([case("p", text) for text in (LONG[0], LONG[0].upper(), LONG[0] + "!", f" {LONG[0]}")])

    (one,) = result.samples
    assert (one.unique, one.duplicate_share, one.self_bleu, one.is_alike) == (1, 0.75, 1.0, True)
    assert result.flags == (("samples_alike",),) * 4


def test_nearly_equal_samples_are_alike() -> None:
    """A word changed here and there is still one answer."""
    long = " ".join(LONG)
    result = survey([case("p", long.replace("boats", word)) for word in ("boats", "ships", "barges", "tugs")])

    assert result.samples[0].unique == 4
    assert result.samples[0].is_alike


@pytest.mark.parametrize(
    ("answers", "target"),
    [
        ([LONG[0]] * 4, "demo:fp32:naked:greedy"),
        (["Lima."] * 4, TARGET),
        ([LONG[0]] * 2, TARGET),
    ],
    ids=["greedy decoding", "short factual answers", "two samples"],
)
def test_samples_that_must_be_alike(answers: list[str], target: str) -> None:
    """Greedy decoding and short facts repeat by their nature; two samples are too few."""
    result = survey([case("p", answer, target=target) for answer in answers])

    assert not result.samples[0].is_alike
    assert not any(result.flags)


def test_same_answer_to_unrelated_probes() -> None:
    """Three probes of thirty-three with one answer are a group; the others are not."""
    others = [case(f"o{number}", f"Answer number {number} is about topic {number} only.") for number in range(30)]
    same = [case(probe, LONG[0]) for probe in ("a", "b", "c")]
    result = survey([*others, *same])

    (group,) = result.same_answers
    assert (group.part, group.kind, group.probes, group.share) == ("answer", "same", ("a", "b", "c"), 0.0909)
    assert result.flags[-3:] == (("same_as_other_probes",),) * 3
    assert not any(result.flags[:30])


def test_same_opening_of_unrelated_probes() -> None:
    """Twelve equal words at the start of different answers."""
    (group,) = found([case(f"p{n}", f"{LONG[0]} And then number {n} came.") for n in range(3)])

    assert (group.part, group.kind) == ("opening", "same")
    assert group.words == "the harbour froze in the second week of january and the boats"


def test_two_probes_of_many_are_chance() -> None:
    """Two equal answers among thirty are under both bounds; among ten they are not."""

    def few(total: int) -> list[Case]:
        rest = [case(f"o{n}", f"Text {n} about thing {n} alone here.") for n in range(total - 2)]
        return [*rest, case("a", LONG[0]), case("b", LONG[0])]

    assert found(few(30)) == []
    assert [group.probes for group in found(few(10))] == [("a", "b")]


def test_related_probes_say_nothing() -> None:
    """Samples, variants and members of one cluster count once."""
    samples = [case("p", LONG[0])] * 3
    variants = [case(f"p~shuffle0.5.r{number}", LONG[0]) for number in range(3)]
    cluster = [case(f"q{number}", LONG[1], cluster="rain") for number in range(3)]

    assert found([*samples, *variants, *cluster]) == []


@pytest.mark.parametrize(
    ("answer", "prompt", "kind"),
    [
        ("I'm sorry, but I can't help with that request.", "Tell me.", "refusal"),
        ("Lo siento, no puedo ayudarte con eso.", "Dime.", "refusal"),
        ("Hello! How can I help you today?", "Tell me.", "greeting"),
        ("Yes.", "Tell me.", "short"),
        (LONG[0], f"Say this: {LONG[0]}", "prompted"),
        (LONG[0], "Tell me.", "same"),
    ],
)
def test_kinds(answer: str, prompt: str, kind: str) -> None:
    """Refusals, greetings, short and asked-for answers are marked apart, and flag no case."""
    cases = [case(f"p{number}", answer, prompt) for number in range(3)]

    assert [group.kind for group in found(cases)] == [kind]
    assert any(survey(cases).flags) == (kind == "same")


def test_targets_are_surveyed_apart() -> None:
    """Equal answers of different targets are no group."""
    result = survey([case("a", LONG[0], target=f"t{number}:fp32:naked:warm") for number in range(3)])

    assert len(result.targets) == 3
    assert result.same_answers == ()


def test_target_figures() -> None:
    """Compression and stock words of all answers together."""
    (plain,) = survey([case(f"p{number}", text) for number, text in enumerate(LONG)]).targets
    (stock,) = survey([case("p", "Let us delve into the rich tapestry of it.")]).targets

    assert (plain.answers, plain.slop_per_1000) == (4, 0.0)
    assert 1.2 < plain.compression_ratio < 2.2
    assert stock.slop_per_1000 == round(2000 / 9, 2)


def test_self_bleu_is_seeded() -> None:
    """Many texts are compared in fifty drawn pairs, the same ones every time."""
    texts = [("a", "b", "c", "d", str(number), str(number % 7)) for number in range(40)]

    assert self_bleu(texts, "s") == self_bleu(texts, "s")
    assert self_bleu(texts, "s") != self_bleu(texts, "t")
    assert self_bleu(texts[:1], "s") == 0.0
    assert self_bleu([("a", "b"), ("c", "d")], "s") == 0.0


def test_compression_of_nothing() -> None:
    """No text has no ratio."""
    assert compression_ratio("") == 0.0


def test_slop() -> None:
    """Stock phrases and contrasts are counted, plain prose has none."""
    stock = count_slop(
        "It's important to note that this isn't just a tool, it's a testament to craft. We delve; I delved."
    )

    assert (stock.hits, stock.contrasts, stock.words) == (4, 1, 19)
    assert dict(stock.commonest)["testament to"] == 1
    assert count_slop(" ".join(LONG)).per_1000 == 0.0
    assert count_slop("").per_1000 == 0.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=60)), max_size=12))
def test_every_run_is_surveyed(answers: list[tuple[str, str]]) -> None:
    """No text breaks it; shares lie between 0 and 1; there is an entry of flags for each case."""
    result = survey([case(probe, answer) for probe, answer in answers])

    assert len(result.flags) == len(answers)
    assert all(0 <= one.duplicate_share <= 1 and -0.001 <= one.self_bleu <= 1.001 for one in result.samples)
    assert all(0 < group.share <= 1 for group in result.same_answers)


@pytest.mark.parametrize("unit", ["the sea and ", "not just a ", ". ", "delve "])
def test_time_is_linear(growth: Callable[..., float], unit: str) -> None:
    """Ten times the text takes at most twenty times as long."""
    small, large = ([case(probe, unit * (size // len(unit) // 4)) for probe in "aabb"] for size in (100_000, 1_000_000))

    assert growth(survey, small, large) <= 20
