"""What a queue chooses, with which probability, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.measured import Measured
from evalkit.record import TrialRecord
from evalkit.review import ReviewItem
from evalkit.reviewing import Queue, QueueOptions, TrialText, build_queue, corrected_rates
from evalkit.reviewing.allotting import Group, quotas
from evalkit.reviewing.strata import RANDOM, TARGETED

Make = Callable[..., Any]


def plain_run(make: Make, passes: int, fails: int) -> list[TrialRecord]:
    return [make(n, "pass" if n < passes else "fail") for n in range(passes + fails)]


def strata(queue: Queue) -> dict[str, str]:
    return {item.trial: item.stratum for item in queue.items}


def test_a_tenth_of_passes_and_of_fails(make_record: Make, make_texts: Make) -> None:
    """Where nothing is targeted; at least one of each, with its inclusion probability."""
    records = plain_run(make_record, 95, 5)

    queue = build_queue(records, make_texts(records), run="r1")

    assert Counter((item.stratum, item.outcome, round(item.inclusion, 4)) for item in queue.items) == {
        ("passed", "pass", 0.1053): 10,
        ("failed", "fail", 0.2): 1,
    }
    assert len(queue.population) == 100
    assert sum(trial.inclusion is not None for trial in queue.population) == 11


def test_an_item_holds_what_a_reviewer_may_see(make_record: Make, make_verdict: Make) -> None:
    """Everything of record and text, under the run's name."""
    record = make_record(
        7, "fail", expected="says the year", subcategory="early", language="de", cluster="c", flags=("fabricated",),
        score=0.5, verdicts=(make_verdict("facts", "fail"),), is_demo=True,
    )  # fmt: skip
    text = TrialText("h7", (("system", "be kind"), ("user", "when?")), "in 1066", "hm")

    (item,) = build_queue([record], {"t7": text}, run="r1").items

    assert item == ReviewItem(
        run="r1", trial="t7", text_hash="h7", stratum="failed", inclusion=1.0, suite="honesty", probe="p7",
        category="dates", target="m:fp32:naked:greedy", outcome="fail", expected="says the year",
        messages=(("system", "be kind"), ("user", "when?")), answer="in 1066", thinking="hm", subcategory="early",
        language="de", cluster="c", flags=("fabricated",), score=0.5, verdicts=(("facts", "fail", "facts says fail"),),
        is_demo=True,
    )  # fmt: skip


def test_targeted_strata(make_record: Make, make_texts: Make, make_verdict: Make) -> None:
    """A regression, a panel and two judges in dispute, an abstention, a new kind of failure; form is no dispute."""
    two = (make_verdict("behaviour", "pass"), make_verdict("facts", "fail"))
    form = (make_verdict("behaviour", "pass"), make_verdict("degeneration", "fail"))
    records = [
        make_record(0, "fail"),
        make_record(1, "fail", verdicts=two),
        make_record(2, "pass", flags=("disagreement",)),
        make_record(3, "unscored"),
        make_record(4, "fail", flags=("collapsed",), verdicts=form),
        make_record(5, "fail", probe="was-p6", formerly=("p6",)),
        make_record(7, "fail"),
    ]
    before = [replace(Measured.of(make_record(n)), trial=f"b{n}") for n in (0, 6)]
    before += [replace(Measured.of(make_record(n, "fail")), trial=f"b{n}") for n in (4, 7)]

    queue = build_queue(records, make_texts(records), baseline=before)

    assert strata(queue) == {
        "t0": "regression", "t1": "dispute", "t2": "dispute", "t3": "abstention", "t4": "new_kind", "t5": "regression",
        "t7": "failed",
    }  # fmt: skip


def test_a_baseline_of_another_target(make_record: Make, make_texts: Make) -> None:
    """Is compared with where it holds one target only."""
    records = [make_record(0, "fail"), make_record(1, "fail")]
    one = [replace(Measured.of(make_record(0)), target="old:fp32:naked:greedy")]
    two = [*one, replace(Measured.of(make_record(1)), target="older:fp32:naked:greedy")]

    assert (
        strata(build_queue(records, make_texts(records), QueueOptions(fraction=1), baseline=one))["t0"] == "regression"
    )
    assert strata(build_queue(records, make_texts(records), QueueOptions(fraction=1), baseline=two))["t0"] == "failed"


def test_scores_near_the_bound(make_record: Make, make_texts: Make, make_verdict: Make) -> None:
    """The twentieth nearest to where passes and fails part; none where they overlap, nor without fails."""

    def run(outcome: Callable[[int], str]) -> list[TrialRecord]:
        return [
            make_record(n, outcome(n), verdicts=(make_verdict("lexicon", outcome(n), score=float(n)),))
            for n in range(40)
        ]

    rising, falling = run(lambda n: "pass" if n >= 30 else "fail"), run(lambda n: "fail" if n >= 30 else "pass")
    mixed, alike = run(lambda n: "pass" if n % 2 else "fail"), run(lambda n: "pass")

    def near(records: list[TrialRecord]) -> set[str]:
        queue = build_queue(records, make_texts(records))
        return {trial for trial, stratum in strata(queue).items() if stratum == "near_threshold"}

    assert near(rising) == near(falling) == {"t29", "t30"}
    assert near(mixed) == near(alike) == set()


def test_a_targeted_stratum_gives_twenty_or_its_fraction(make_record: Make, make_texts: Make) -> None:
    """Whichever is more, drawn with a known probability."""
    some = [make_record(n, "unscored") for n in range(50)]
    many = [make_record(n, "unscored") for n in range(300)]

    assert {item.inclusion for item in build_queue(some, make_texts(some)).items} == {0.4}
    assert len(build_queue(many, make_texts(many)).items) == 30


def test_everything_failures_and_categories(make_record: Make, make_texts: Make) -> None:
    """Take what they say, each with certainty; what no queue looked at has no stratum."""
    records = [*plain_run(make_record, 8, 4), make_record(20, "fail", category="names"), make_record(21, "error")]
    texts = make_texts(records)

    everything = build_queue(records, texts, QueueOptions(everything=True))
    failures = build_queue(records, texts, QueueOptions(failures=True))
    names = build_queue(records, texts, QueueOptions(fraction=1, categories=("names",)))

    assert len(everything.items) == 13
    assert {(item.stratum, item.inclusion) for item in everything.items} == {("asked_for", 1.0)}
    assert sorted(strata(failures)) == ["t10", "t11", "t20", "t8", "t9"]
    assert strata(names) == {"t20": "failed"}
    assert Counter(trial.stratum for trial in names.population) == {None: 12, "failed": 1}


def test_a_text_is_read_once(make_record: Make) -> None:
    """However many trials gave it, and even where judges differ on it; all of them are in the population."""
    records = [make_record(n, "fail" if n == 5 else "pass", sample=n) for n in range(6)]
    texts = {record.trial: TrialText("same", (("user", "ask"),), "so") for record in records}

    queue = build_queue(records, texts)

    assert [(item.trial, item.inclusion) for item in queue.items] == [("t0", 1.0)]
    assert [trial.inclusion for trial in queue.population] == [1.0] * 6


def test_a_trial_without_its_text(make_record: Make, make_texts: Make) -> None:
    """Cannot be read and still is one of the run."""
    records = plain_run(make_record, 2, 0)
    texts = make_texts(records)
    del texts["t1"]

    queue = build_queue(records, texts)

    assert strata(queue) == {"t0": "passed"}
    assert [(trial.text_hash, trial.stratum) for trial in queue.population] == [("h-t0", "passed"), ("lost:t1", None)]


def test_the_seed_decides_and_the_order_tells_nothing(make_record: Make, make_texts: Make) -> None:
    """The same seed gives the same queue in whatever order records come; passes and fails are mixed."""
    records = plain_run(make_record, 60, 60)
    texts = make_texts(records)
    options = QueueOptions(fraction=0.5)

    one, other = build_queue(records, texts, options), build_queue(records[::-1], texts, options)

    assert one.items == other.items
    assert one.items != build_queue(records, texts, replace(options, seed=1)).items
    outcomes = [item.outcome for item in one.items]
    assert sum(left != right for left, right in pairwise(outcomes)) > 15


def test_a_later_run_meets_the_earlier_labels(make_record: Make, make_texts: Make) -> None:
    """Texts that stayed are drawn again and need no reading; with a budget, so many new ones are drawn beside them."""
    records = plain_run(make_record, 100, 0)
    texts = make_texts(records)
    first = build_queue(records, texts)
    known = {item.text_hash for item in first.items}

    again = build_queue(records, texts, known=known)
    more = build_queue(records, texts, QueueOptions(budget=5), known=known)

    assert (again.items, again.already) == ((), 10)
    assert again.population == first.population
    assert len(more.items) == 5
    assert more.already == 10
    assert not known & {item.text_hash for item in more.items}
    assert {item.inclusion for item in more.items} == {0.15}


def test_a_budget_is_divided_between_aims(make_record: Make, make_texts: Make) -> None:
    """Half at most is targeted; of the draw, passes get the larger part and fails a quarter."""
    records = [*plain_run(make_record, 180, 20), *(make_record(n, "unscored") for n in range(300, 400))]

    queue = build_queue(records, make_texts(records), QueueOptions(budget=40))

    assert Counter(item.stratum for item in queue.items) == {"abstention": 20, "passed": 15, "failed": 5}


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(TARGETED), st.sampled_from(["pass", "fail", "unscored"]))
        | st.sampled_from([("passed", "pass"), ("failed", "fail")]),
        st.tuples(st.integers(0, 80), st.integers(0, 80)).map(lambda two: Group(max(two), min(two))),
    ).filter(lambda groups: all(group.texts for group in groups.values())),
    st.integers(0, 300),
)
def test_a_budget_is_used_up(groups: dict[Any, Group], budget: int) -> None:
    """As many fresh texts as it says, or all there are; none more than its group has."""
    found = quotas(groups, 0.1, 20, budget)

    fresh = {key: group.fresh for key, group in groups.items()}
    assert set(found) == set(groups)
    assert all(0 <= found[key] <= fresh[key] for key in groups)
    assert sum(found.values()) == min(budget, sum(fresh.values()))
    random = [key for key in groups if key[0] in RANDOM]
    if budget > 1:
        assert sum(found[key] for key in random) >= min(budget // 2, sum(fresh[key] for key in random))


@given(
    st.lists(st.tuples(st.sampled_from(["pass", "fail", "unscored"]), st.integers(0, 30)), min_size=1),
    st.integers(1, 20),
)
def test_inclusion_probabilities_add_up(make_record: Make, rows: list[tuple[str, int]], budget: int) -> None:
    """The sum of 1 / inclusion over a stratum's items is the number of its texts (Horvitz and Thompson 1952)."""
    by_text: dict[int, str] = {}
    records = [make_record(n, by_text.setdefault(text, outcome)) for n, (outcome, text) in enumerate(rows)]
    texts = {record.trial: TrialText(f"h{rows[n][1]}", (), "") for n, record in enumerate(records)}

    queue = build_queue(records, texts, QueueOptions(budget=budget))

    sums = Counter[tuple[str, str]]()
    for item in queue.items:
        sums[(item.stratum, item.outcome)] += 1 / item.inclusion  # type: ignore[assignment]
    sizes = Counter({(trial.text_hash, trial.stratum, trial.outcome) for trial in queue.population})
    for (stratum, outcome), total in sums.items():
        assert total == pytest.approx(sum(key[1:] == (stratum, outcome) for key in sizes))


def test_labels_of_a_queue_correct_the_rate(make_record: Make, make_texts: Make, make_label: Make) -> None:
    """From records to the corrected rate: 200 trials of which every tenth pass and every other fail is misjudged."""
    records = plain_run(make_record, 160, 40)
    queue = build_queue(records, make_texts(records), QueueOptions(budget=80))
    number = {f"h-t{n}": n for n in range(200)}

    def right(text: str) -> bool:
        n = number[text]
        return n % 10 != 0 if n < 160 else n % 2 == 0

    labels = [
        make_label(item.text_hash, "correct" if right(item.text_hash) else "wrong", stratum=item.stratum)
        for item in queue.items
    ]
    truth = sum(map(right, number)) / 200

    found = corrected_rates(queue.population, labels)

    assert found.automated.rate == 0.8
    assert truth == 0.82
    assert found.corrected.rate == pytest.approx(truth, abs=0.05)
    assert found.corrected.low < truth < found.corrected.high


def test_the_corrected_rate_has_no_bias(
    make_record: Make, make_texts: Make, make_verdict: Make, make_label: Make
) -> None:
    """Over 300 seeds, though disputed texts are read four times as often and are wrong six times as often."""
    two = (make_verdict("behaviour", "pass"), make_verdict("facts", "fail"))
    records = plain_run(make_record, 90, 30)
    records = [replace(record, verdicts=two) if n % 6 == 0 else record for n, record in enumerate(records)]
    texts = make_texts(records)
    right = {f"h-t{n}": n % 12 != 0 and n % 20 != 1 if n < 90 else n % 3 == 0 for n in range(120)}
    found = []

    for seed in range(300):
        queue = build_queue(records, texts, QueueOptions(budget=40, seed=seed))
        labels = [
            make_label(item.text_hash, "correct" if right[item.text_hash] else "wrong", stratum=item.stratum)
            for item in queue.items
        ]
        found.append(corrected_rates(queue.population, labels).corrected)

    rates = [rate.rate for rate in found if rate.rate is not None]
    truth = sum(right.values()) / 120
    assert len(rates) == 300
    assert sum(rates) / 300 == pytest.approx(truth, abs=0.006)
    assert sum(rate.low <= truth <= rate.high for rate in found) >= 285
