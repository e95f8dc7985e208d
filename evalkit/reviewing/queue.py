"""The queue of a run: the texts worth a person's minute, each with its stratum and inclusion probability."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from evalkit.gates import GateResult
from evalkit.measured import Measured
from evalkit.record import TrialRecord
from evalkit.review import ReviewItem, Stratum
from evalkit.reviewing.allotting import Group, Key, quotas
from evalkit.reviewing.blinding import apart_from_condition
from evalkit.reviewing.population import PopulationTrial
from evalkit.reviewing.strata import RANDOM, TARGETED, strata_of

FRACTION = 0.1
MOST = 20
"""So many texts at most come from each targeted stratum and outcome: more of the same teach less each."""

LOST = "lost:"
"""Stands before the trial of a text that nobody has any more."""


@dataclass(frozen=True, slots=True)
class TrialText:
    """What a record leaves out: messages as (role, content) up to the last answer, and that answer.

    ``text_hash`` is that of ``evalkit.review.text_hash``.
    """

    text_hash: str
    messages: tuple[tuple[str, str], ...]
    answer: str
    thinking: str = ""


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """How much of a run is queued.

    ``everything`` and ``failures`` take all texts, or all that failed, and nothing else. Else the targeted strata give
    ``most`` texts each and outcome at most, and ``fraction`` of the other passes and fails are drawn. With ``budget``
    so many texts are queued in all, if there are as many: half of them at most targeted, the rest drawn.
    ``categories`` are the only ones looked at; empty is all.
    """

    everything: bool = False
    failures: bool = False
    fraction: float = FRACTION
    categories: tuple[str, ...] = ()
    budget: int | None = None
    seed: int = 2026
    most: int = MOST


@dataclass(frozen=True, slots=True)
class Queue:
    """``items`` to read, in an order that tells nothing; ``population`` is every trial that could have been chosen.

    A text that several trials gave is one item, under the first of them. ``already`` is how many of the chosen texts
    have a label, so that nobody need read them: they are no items, and count as drawn.
    """

    items: tuple[ReviewItem, ...]
    population: tuple[PopulationTrial, ...]
    already: int = 0


@dataclass(frozen=True, slots=True)
class _Text:
    """One text of the run with the trials that gave it."""

    text_hash: str
    stratum: Stratum
    trials: tuple[TrialRecord, ...]

    @property
    def key(self) -> Key:
        return (self.stratum, self.trials[0].outcome)


def build_queue(
    records: Sequence[TrialRecord],
    texts: Mapping[str, TrialText],
    options: QueueOptions = QueueOptions(),
    *,
    run: str = "",
    gates: Sequence[GateResult] = (),
    baseline: Sequence[Measured] = (),
    known: Collection[str] = (),
) -> Queue:
    """The queue of these records; ``texts`` is by trial id, and a trial without one is in the population unread.

    ``gates`` are the run's results, ``baseline`` what it is compared with, ``known`` the hashes of texts that have a
    label. Within each stratum and outcome every text is as likely as any other. The same seed ranks the same texts
    alike in every run, so that a later run's draw meets the labels of an earlier one's.
    """
    answered = [record for record in records if record.outcome != "error"]
    readable = [record for record in answered if record.trial in texts]
    inside = [
        record for record in meant(readable, options) if not options.categories or record.category in options.categories
    ]
    placed = _placed(inside, readable, texts, options, gates, baseline)
    groups: dict[Key, list[_Text]] = {}
    for text in sorted(placed, key=lambda text: _rank(options.seed, text.text_hash)):
        groups.setdefault(text.key, []).append(text)
    fresh = {key: Group(len(own), sum(text.text_hash not in known for text in own)) for key, own in groups.items()}
    wanted = quotas(fresh, options.fraction, options.most, options.budget, takes_all=_takes_all(options))
    drawn: dict[tuple[str, str], float] = {}
    chosen: list[_Text] = []
    for key, own in groups.items():
        taken = _first(own, wanted[key], known if options.budget is not None else ())
        chosen += taken
        drawn |= {(text.text_hash, key[1]): len(taken) / len(own) for text in taken}
    # Two outcomes of one text are two texts to the draw, and one to the reader.
    once = {text.text_hash: text for text in reversed(chosen)}
    ordered = sorted(once.values(), key=lambda text: _rank(options.seed, f"order|{text.text_hash}"))
    items = [
        _item(text, texts[text.trials[0].trial], drawn[(text.text_hash, text.key[1])], run)
        for text in ordered
        if text.text_hash not in known
    ]
    return Queue(tuple(items), _population(answered, texts, placed, drawn), len(ordered) - len(items))


def meant(records: Sequence[TrialRecord], options: QueueOptions) -> Sequence[TrialRecord]:
    """Without reference targets, unless everything is asked for or they are all there is."""
    subjects = [record for record in records if record.role != "reference"]
    return records if options.everything or not subjects else subjects


def _takes_all(options: QueueOptions) -> bool:
    return options.everything or options.failures


def _rank(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed}|{text}".encode()).digest()


def _placed(
    inside: Sequence[TrialRecord], readable: Sequence[TrialRecord], texts: Mapping[str, TrialText],
    options: QueueOptions, gates: Sequence[GateResult], baseline: Sequence[Measured],
) -> list[_Text]:  # fmt: skip
    """Every text that may be chosen, in the stratum of that trial of it which is the most worth reading."""
    if _takes_all(options):
        inside = [record for record in inside if options.everything or record.outcome == "fail"]
        strata: Mapping[str, Stratum] = {record.trial: "asked_for" for record in inside}
    else:
        strata = strata_of(readable, gates, baseline)
    by_text: dict[tuple[str, str], list[TrialRecord]] = {}
    for record in inside:
        by_text.setdefault((texts[record.trial].text_hash, record.outcome), []).append(record)
    return [
        _Text(text_hash, _gravest([strata[record.trial] for record in trials]), tuple(trials))
        for (text_hash, _), trials in by_text.items()
    ]


def _gravest(strata: Sequence[Stratum]) -> Stratum:
    return min(strata, key=("asked_for", *TARGETED, *RANDOM).index)


def _first(ranked: Sequence[_Text], wanted: int, skipped: Collection[str]) -> list[_Text]:
    """The first texts, until ``wanted`` of them are none of ``skipped`` and the next would be another one."""
    taken: list[_Text] = []
    count = 0
    for text in ranked:
        if count == wanted and text.text_hash not in skipped:
            break
        taken.append(text)
        count += text.text_hash not in skipped
    return taken


def _item(text: _Text, shown: TrialText, inclusion: float, run: str) -> ReviewItem:
    record = text.trials[0]
    verdicts = tuple((str(v["judge"]), str(v["outcome"]), str(v["reason"])) for v in record.verdicts)
    condition, messages = apart_from_condition(record.target, shown.messages)
    return ReviewItem(
        run=run, trial=record.trial, text_hash=text.text_hash, stratum=text.stratum, inclusion=inclusion,
        suite=record.suite, probe=record.probe, category=record.category, target=record.target, outcome=record.outcome,
        expected=record.expected, messages=messages, answer=shown.answer, thinking=shown.thinking,
        subcategory=record.subcategory, language=record.language, cluster=record.cluster, flags=record.flags,
        score=record.score, verdicts=verdicts, is_demo=record.is_demo, condition=condition,
    )  # fmt: skip


def _population(
    records: Sequence[TrialRecord], texts: Mapping[str, TrialText], placed: Sequence[_Text],
    drawn: Mapping[tuple[str, str], float],
) -> tuple[PopulationTrial, ...]:  # fmt: skip
    strata = {(text.text_hash, text.key[1]): text.stratum for text in placed}
    found = []
    for record in records:
        text = texts.get(record.trial)
        key = (text.text_hash if text else f"{LOST}{record.trial}", record.outcome)
        found.append(
            PopulationTrial(
                record.trial, key[0], record.outcome, record.category, family_of(record), record.suite, record.target,
                strata.get(key), drawn.get(key),
            )
        )  # fmt: skip
    return tuple(found)


def family_of(record: TrialRecord) -> str:
    """The trials that stand or fall together with this one, by a name: its cluster's, or the samples of its probe."""
    kind, name = ("cluster", record.cluster) if record.cluster else ("probe", record.probe)
    return f"{record.suite}/{kind}/{name}/{record.target}"
