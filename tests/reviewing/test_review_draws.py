"""Labels of several draws: what rate is reckoned over them, and where nothing says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.record import TrialRecord
from evalkit.review import Label, ReviewItem
from evalkit.reviewed import population_of, reviewed, with_labels
from evalkit.reviewing import CorrectedRates, QueueOptions, build_queue
from evalkit.store.labels import LabelStore
from evalkit.store.queues import QueueStore

Make = Callable[..., Any]
APART = (
    "Labels come from {} queues that were drawn apart: what all of them treated alike speaks for its own kind, "
    "and the interval is the wider for it. One queue over the whole run: evalkit review r1 --budget N"
)


def is_right(trial: str) -> bool:
    """Of names every second one, of dates and prices all but each fiftieth."""
    number = int(trial[1:])
    return number % 2 == 0 if number < 100 else number % 50 != 0


class Desk:
    """A run of 600 passes in three categories, and what is queued and read of it."""

    def __init__(self, store: Path, make: Make, texts: Make) -> None:
        categories = ["names"] * 100 + ["dates"] * 400 + ["prices"] * 100
        self.records: list[TrialRecord] = [make(n, category=name) for n, name in enumerate(categories)]
        self.texts = texts(self.records)
        self.store = store

    def queue(self, *, known: bool = True, **options: Any) -> Sequence[ReviewItem]:
        with_label: set[str] = set()
        if known:
            trail = LabelStore.open(self.store).trail(text.text_hash for text in self.texts.values())
            with_label = {label.text_hash for label in trail}
        wanted = QueueOptions(**options)
        found = build_queue(self.records, self.texts, wanted, run="r1", known=with_label)
        QueueStore.open(self.store).put("r1", asdict(wanted), found.population)
        return found.items

    def read(self, items: Iterable[ReviewItem]) -> None:
        LabelStore.open(self.store).put(
            Label(
                one.text_hash, one.trial, "r1", "correct" if is_right(one.trial) else "wrong", "ann", 1.0,
                stratum=one.stratum, inclusion=one.inclusion, blind=True,
            )
            for one in items
        )  # fmt: skip

    def rates(self, trials: Iterable[str] | None = None) -> CorrectedRates:
        return reviewed(self.store, "r1", self.records).rates(trials)

    def truth(self) -> float:
        return sum(is_right(record.trial) for record in self.records) / len(self.records)


@pytest.fixture
def desk(tmp_path: Path, make_record: Make, make_texts: Make) -> Desk:
    return Desk(tmp_path / "store.sqlite3", make_record, make_texts)


def test_queues_by_category_give_a_rate_once_they_cover_the_run(desk: Desk) -> None:
    """Pooled they would say 75 % where the truth is 90 %; each speaks for its own category alone."""
    desk.read(desk.queue(fraction=1.0, categories=("names",)))
    alone = desk.rates()
    desk.read(desk.queue(fraction=0.1, categories=("dates",)))
    two = desk.rates()
    desk.read(desk.queue(fraction=1.0, categories=("prices",)))
    three = desk.rates()
    names = desk.rates(f"t{n}" for n in range(100))
    dates = desk.rates(f"t{n}" for n in range(100, 500))

    assert (alone.why_not, two.why_not) == (
        "500 of 600 trials were in no queue that labels come from",
        "100 of 600 trials were in no queue that labels come from",
    )
    assert two.way_out == "Have answers of the whole run drawn: evalkit review r1 --budget N"
    assert (three.why_not, three.warnings) == ("", (APART.format(3),))
    assert three.corrected.rate == pytest.approx((50 + 98 + 400 * (dates.corrected.rate or 0)) / 600)
    assert (names.corrected.rate, names.why_not) == (0.5, "")
    assert all(found.corrected.low <= desk.truth() <= found.corrected.high for found in (alone, two, three))


def test_one_queue_over_the_whole_run_helps(desk: Desk) -> None:
    """Once all of it was read, it alone says the rate, if that leaves less open than all labels together."""
    desk.read(desk.queue(fraction=1.0, categories=("names",)))
    items = desk.queue(budget=120)
    before = desk.rates()
    desk.read(items)
    after = desk.rates()
    others = [item for item in items if int(item.trial[1:]) >= 100]

    assert before.why_not == "500 of 600 trials were in no queue that labels come from"
    assert (after.why_not, after.warnings) == ("", (APART.format(2),))
    share = sum(is_right(item.trial) for item in others) / len(others)
    assert after.corrected.rate == pytest.approx((50 + 500 * share) / 600)
    assert sum(1 / share for share in reviewed(desk.store, "r1", desk.records).shares().values()) == pytest.approx(600)


def test_picked_labels_are_no_part_of_a_later_draw(desk: Desk) -> None:
    """Twenty-four wrong answers that somebody brought, then a queue of which half was read: they are not among it."""
    wrong = [record.trial for record in desk.records if not is_right(record.trial)][:24]
    LabelStore.open(desk.store).put(
        Label(f"h-{trial}", trial, "r1", "wrong", "zoe", 1.0, stratum="passed", blind=True) for trial in wrong
    )
    items = desk.queue(budget=100)
    picked = desk.rates()
    half = items[:50]
    desk.read(half)
    found = desk.rates()
    share = sum(is_right(item.trial) for item in half) / 50

    assert picked.why_not == "the 24 reviewed of 600 passes were picked, not drawn"
    assert found.corrected.rate == pytest.approx((600 - 24) * share / 600)
    assert found.reviewed_n == 74
    assert found.corrected.low <= desk.truth() <= found.corrected.high


def test_the_same_draw_goes_on(desk: Desk) -> None:
    """The same command again, and a larger fraction, ask for more of one draw."""
    desk.read(desk.queue(budget=60))
    first = desk.rates()
    desk.read(desk.queue(budget=60))
    second = desk.rates()
    desk.queue(fraction=0.3)
    third = desk.rates()

    assert [found.why_not for found in (first, second, third)] == ["", "", ""]
    assert [found.reviewed_n for found in (first, second, third)] == [60, 120, 120]
    assert second.corrected == third.corrected


def test_a_queue_that_nobody_read_changes_nothing(desk: Desk) -> None:
    """Be it of one category, or of everything."""
    desk.read(desk.queue(fraction=0.1))
    before = desk.rates()
    desk.queue(fraction=1.0, categories=("prices",))
    desk.queue(everything=True)

    assert (before.why_not, desk.rates().corrected) == ("", before.corrected)


def test_half_read_queues_of_two_designs(desk: Desk) -> None:
    """Each text was as likely to be read as any other, however many queues there were."""
    first = desk.queue(fraction=0.1)[::2]
    desk.read(first)
    second = desk.queue(everything=True)[:30]
    desk.read(second)
    found = desk.rates()

    assert (found.why_not, found.reviewed_n) == ("", 60)
    assert found.corrected.rate == pytest.approx(sum(is_right(item.trial) for item in [*first, *second]) / 60)
    assert found.corrected.low <= desk.truth() <= found.corrected.high


def test_a_later_run_meets_labels_of_several(desk: Desk, make_record: Make, make_texts: Make) -> None:
    """One that holds the answers of two queued runs has each speak for its own."""
    desk.read(desk.queue(fraction=0.1))
    others = [make_record(n, suite="other") for n in range(1000, 1100)]
    texts = make_texts(others)
    second = build_queue(others, texts, QueueOptions(fraction=1.0), run="r2")
    QueueStore.open(desk.store).put("r2", {"seed": 2026}, second.population)
    desk.read(second.items)
    both = with_labels(desk.store, population_of([*desk.records, *others], desk.texts | texts)).rates()
    first = with_labels(desk.store, population_of(desk.records, desk.texts), "r1").rates()

    assert both.warnings == (APART.format(2).replace("r1", "latest"),)
    assert both.corrected.rate == pytest.approx((600 * (first.corrected.rate or 0) + 98) / 700)
    assert first == desk.rates()


@pytest.mark.parametrize(("new", "rate"), [(30, True), (1, True), (80, False)])
def test_answers_that_the_draw_did_not_cover(
    desk: Desk, make_record: Make, make_texts: Make, new: int, rate: bool
) -> None:
    """Nobody could choose them: the interval holds whatever they are, and many leave no rate; so with lost ones."""
    desk.read(desk.queue(fraction=0.1))
    known = desk.rates().corrected
    others = [make_record(n) for n in range(3000, 3000 + new)]
    records, texts = [*desk.records, *others], desk.texts | make_texts(others)
    found = with_labels(desk.store, population_of(records, texts)).rates()
    lost = with_labels(desk.store, population_of(records, desk.texts)).rates()
    were = "1 trial is" if new == 1 else f"{new} trials are"
    it_is = "it is" if new == 1 else "they are"
    caution = f"{were} in no queue that labels come from: the interval holds whatever {it_is}."
    way_out = "Have answers of the whole run drawn: evalkit review latest --budget N"
    share = 600 / (600 + new)

    assert found == lost
    assert (found.why_not == "") is rate
    assert found.warnings == ((f"{caution} {way_out}",) if rate else ())
    if not rate:
        assert found.why_not == f"{new} of {600 + new} trials were in no queue that labels come from"
        assert found.way_out == way_out
    else:
        assert found.corrected.rate == pytest.approx(known.rate)
    assert found.corrected.low <= share * desk.truth()
    assert found.corrected.high >= share * desk.truth() + (1 - share)


def test_reference_targets_are_in_no_rate(desk: Desk, make_record: Make, make_texts: Make) -> None:
    """Nor in the queue, unless everything is asked for; a gate that names one still finds its labels."""
    desk.records = desk.records[:100]
    bad = [make_record(n, "fail", role="reference", target="bad:fp32:naked:greedy") for n in range(2000, 2050)]
    desk.records += bad
    desk.texts = make_texts(desk.records)
    assert {item.target for item in desk.queue(fraction=0.1)} == {"m:fp32:naked:greedy"}
    desk.read(desk.queue(everything=True, known=False))
    everyone = reviewed(desk.store, "r1", desk.records, everyone=True)

    assert (desk.rates().n, desk.rates().corrected.rate) == (100, 0.5)
    assert everyone.rates(record.trial for record in bad).reviewed_n == 50


def test_only_references(make_record: Make, make_texts: Make) -> None:
    """Where a run has no subject, they are what is reviewed."""
    records = [replace(make_record(n), role="reference") for n in range(10)]

    assert len(build_queue(records, make_texts(records)).items) == 1
