"""Trials, their ids, their order and their seeds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evalkit.matrix import Trial, limited, trials
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.target import Decoding, Model, Quantisation, Target


def probe(name: str = "tides", **changes: object) -> Probe:
    settings: dict[str, object] = {
        "id": name, "suite": "s", "file": "suites/s/control.yaml", "line": 3, "category": "CONTROL",
        "turns": (Message("user", "What makes tides?"), Generate()), "expect": Expectation(contains=("moon",)),
        "judges": (JudgeUse("degeneration"), JudgeUse("text")),
    }  # fmt: skip
    return Probe(**{**settings, **changes})  # type: ignore[arg-type]


def target(name: str = "demo", **changes: object) -> Target:
    model = Model(name, f"/models/{name}", True, name)
    return Target(**{"model": model, "quantisation": Quantisation("nf4", "nf4"), **changes})  # type: ignore[arg-type]


def test_ids_name_probe_and_target() -> None:
    """The id is file, probe and label, the same on every machine."""
    assert Trial(probe(), target()).id == "suites/s/control.yaml::tides[demo:nf4:naked:greedy]"
    assert Trial(probe(), target(), sample=2).name == "tides[demo:nf4:naked:greedy:s2]"


def test_order_is_probe_target_sample() -> None:
    """Every probe with every target, sample by sample, in the order given."""
    made = trials([probe("a"), probe("b", samples=2)], [target("x"), target("y")])

    assert [trial.name for trial in made] == [
        "a[x:nf4:naked:greedy]", "a[y:nf4:naked:greedy]",
        "b[x:nf4:naked:greedy]", "b[x:nf4:naked:greedy:s1]", "b[y:nf4:naked:greedy]", "b[y:nf4:naked:greedy:s1]",
    ]  # fmt: skip


def test_samples_option_replaces_the_probes_own() -> None:
    """``samples`` on the command line counts for every probe."""
    assert len(trials([probe("a"), probe("b", samples=5)], [target()], samples=3)) == 6


def test_turn_settings_win_over_probe_over_target() -> None:
    """The most specific decoding counts, field by field."""
    turn = Generate((("max_new_tokens", 7),))
    trial = Trial(
        probe(decoding=(("max_new_tokens", 90), ("temperature", 0.5))), target(decoding=Decoding(top_p=0.9, seed=4))
    )

    assert trial.decoding(turn) == Decoding(temperature=0.5, top_p=0.9, max_new_tokens=7, seed=4)


def test_greedy_requests_have_no_seed() -> None:
    """Nothing is drawn, so nothing is seeded."""
    assert Trial(probe(), target()).request((), Generate()).seed is None


def test_seeds_follow_from_seed_probe_and_sample_alone() -> None:
    """Another target, batch or worker does not change the seed; another sample, probe or run seed does."""
    warm = probe(decoding=(("temperature", 1.0),))

    def seed(**changes: object) -> int | None:
        trial = Trial(**{"probe": warm, "target": target(), **changes})  # type: ignore[arg-type]
        return trial.request((), Generate()).seed

    assert seed() == seed(target=target("other"))
    others = [seed(sample=1), seed(run_seed=1), seed(probe=probe("other", decoding=(("temperature", 1.0),)))]
    assert len({seed(), *others}) == 4
    assert seed(target=target(decoding=Decoding(seed=1))) == seed(run_seed=1)


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 12))
def test_limit_keeps_order_and_spreads_over_categories(categories: list[str], limit: int) -> None:
    """At most ``limit`` probes, in their order, no category with two while another that has one to give has none."""
    probes = [probe(f"p{index}", category=category) for index, category in enumerate(categories)]

    kept = limited(probes, limit)

    assert len(kept) == min(limit, len(probes))
    assert [probes.index(item) for item in kept] == sorted(probes.index(item) for item in kept)
    counts = [sum(item.category == category for item in kept) for category in set(categories)]
    if len(kept) < len(probes) and counts and max(counts) > 1:
        assert min(counts) >= 1
