"""Counts, rates and order of a summary."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.record import TrialRecord
from evalkit.reporting import phrases, tables
from evalkit.reporting.summary import RunFacts, summarise
from evalkit.stats import cluster_interval, wilson_interval
from evalkit.tally import Tally

MakeRecord = Callable[..., TrialRecord]
MakeRun = Callable[..., RunFacts]
MixedRun = tuple[list[TrialRecord], RunFacts]


def test_a_tally_counts_every_outcome(make_record: MakeRecord) -> None:
    """Each count over a hand-made set, and each rate with its own denominator."""
    records = [
        make_record(
            probe="p1", outcome="pass", prompt_tokens=5, new_tokens=10, generation_s=2.0, flags=("fabricated",)
        ),
        make_record(probe="p2", outcome="pass", new_tokens=7, stored=True, stored_age_s=90.0),
        make_record(
            probe="p3", outcome="fail", flags=("collapsed", "fabricated"), finishes=("length", "stop", "length")
        ),
        make_record(probe="p4", outcome="unscored", flags=("collapsed",), stored=True, stored_age_s=30.0, new_tokens=1),
        make_record(probe="p5", outcome="error", flags=("collapsed", "fabricated")),
    ]

    tally = Tally.of("all", records)

    assert (tally.n, tally.passed, tally.failed, tally.unscored, tally.errors) == (5, 2, 1, 1, 1)
    assert (tally.scored, tally.answered, tally.collapsed, tally.fabricated) == (3, 4, 2, 2)
    assert (tally.prompt_tokens, tally.new_tokens) == (5, 18)
    assert (tally.stored, tally.oldest_stored_s, tally.length_finishes) == (2, 90.0, 2)
    assert (tally.pass_rate, tally.collapse_rate, tally.unscored_rate, tally.error_rate) == (2 / 3, 0.5, 0.25, 0.2)
    assert (tally.rate_if_unscored_failed, tally.rate_if_unscored_passed) == (0.5, 0.75)
    assert tally.interval == wilson_interval(2, 3)


def test_the_interval_of_a_tally_respects_families(make_record: MakeRecord) -> None:
    """Samples of one probe, and probes of one cluster, are not as many questions: the interval is the gates'."""
    samples = [make_record(probe=f"p{n % 5}", sample=n // 5, outcome="pass" if n % 5 else "fail") for n in range(20)]
    clusters = [make_record(probe=f"p{n}", cluster=f"c{n % 5}", outcome="pass" if n % 5 else "fail") for n in range(20)]
    expected = cluster_interval([float(n % 5 > 0) for n in range(20)], [n % 5 for n in range(20)])

    for records in (samples, clusters):
        found = Tally.of("all", records).passes
        assert (found.part, found.whole, found.families, found.has_families) == (16, 20, 5, True)
        assert (found.low, found.high) == (expected.low, expected.high)
        assert found.low < wilson_interval(16, 20).low


def test_an_empty_tally_has_no_rates() -> None:
    """Nothing is divided by zero."""
    tally = Tally.of("all", [])

    rates = (tally.pass_rate, tally.collapse_rate, tally.unscored_rate, tally.error_rate)
    assert rates == (None,) * 4
    assert (tally.rate_if_unscored_failed, tally.rate_if_unscored_passed) == (None, None)


@given(random=st.randoms(use_true_random=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
def test_a_summary_does_not_depend_on_the_order_of_arrival(mixed_run: MixedRun, random: Random) -> None:
    """The same numbers, in the same order, at any number of workers."""
    records, run = mixed_run

    assert summarise(random.sample(records, len(records)), run=run) == summarise(records, run=run)


def test_targets_and_categories_keep_the_order_of_the_plan(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Not that of the alphabet; ones the plan does not name come last, and ones without trials are left out."""
    records = [make_record(target=target, category=category) for target in "abz" for category in ("X", "Y", "A")]

    summary = summarise(records, run=make_run(targets=("z", "none", "a"), categories=("Y", "X", "NONE")))

    assert [target.label for target in summary.targets] == ["z", "a", "b"]
    assert [row.name for row in summary.targets[0].rows] == ["Y", "X", "A", "all"]


def test_records_are_sorted_by_place_then_target_then_sample(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Lines as numbers, targets in plan order."""
    wanted = [
        make_record(line=2, target="z"),
        make_record(line=2, target="a", sample=0),
        make_record(line=2, target="a", sample=1),
        make_record(line=10, target="z"),
        make_record(file="suites/it/dates.yaml", line=1, target="z"),
        make_record(suite="zz", file="suites/a.yaml", target="z"),
    ]

    summary = summarise(wanted[::-1], run=make_run(targets=("z", "a")))

    assert summary.records == tuple(wanted)


def test_references_failures_are_counted_apart(mixed_run: MixedRun) -> None:
    """Nobody has to look at a reference that misbehaves."""
    records, run = mixed_run

    summary = summarise(records, run=run)

    failed = [record for record in records if record.outcome == "fail"]
    assert len(summary.failing) + summary.expected_failures == len(failed)
    assert summary.expected_failures == sum("looping" in record.target for record in failed) > 0
    assert len(summary.errors) == sum(record.outcome == "error" for record in records) > 0


def test_categories_add_up_to_all(mixed_run: MixedRun) -> None:
    """No trial is lost between the rows."""
    records, run = mixed_run

    summary = summarise(records, run=run)

    for name in ("n", "passed", "failed", "unscored", "errors", "collapsed", "fabricated", "new_tokens", "stored"):
        for target in summary.targets:
            assert sum(getattr(row, name) for row in target.categories) == getattr(target.total, name)
        assert sum(getattr(target.total, name) for target in summary.targets) == getattr(summary.total, name)


@pytest.mark.parametrize(
    ("labels", "names", "shared"),
    [
        (["a:fp32:naked:greedy", "b:nf4:naked:greedy"], ["a:fp32", "b:nf4"], "naked:greedy"),
        (["a:fp32:naked:greedy"], ["a"], "fp32:naked:greedy"),
        (["a:fp32:x:greedy", "a:fp32:y:greedy"], ["a:x", "a:y"], "fp32:greedy"),
        (["a:b:fp32:naked:greedy", "b:nf4:naked:greedy"], ["a:b:fp32:naked:greedy", "b:nf4:naked:greedy"], ""),
        ([], [], ""),
    ],
)
def test_labels_lose_what_all_of_them_share(labels: list[str], names: list[str], shared: str) -> None:
    """The weights are always kept; labels of another shape are left alone."""
    short, common = tables.distinguishing(labels)

    assert ([short[label] for label in labels], common) == (names, shared)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.96, "10.0 s"),
        (12.4, "12 s"),
        (312.2, "5 min 12 s"),
        (3600, "1 h 0 min"),
        (7384, "2 h 3 min"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    """Two units at most."""
    assert phrases.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "under a minute old"),
        (60, "1 minute old"),
        (7200, "2 hours old"),
        (86_400, "1 day old"),
        (300_000, "3 days old"),
    ],
)
def test_ages_read_as_people_say_them(seconds: float, text: str) -> None:
    """The largest whole unit."""
    assert phrases.age(seconds) == text
