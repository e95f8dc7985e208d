"""Why two sides cannot be compared as a whole, and which pairs of them still can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evalkit.comparing.metrics import Metric, scoring_judge
from evalkit.comparing.pairing import Key, Pair, Pairing, Side

MIN_SHARE = 0.9
SHOWN = 5
HASH_CHARS = 8


@dataclass(frozen=True, slots=True)
class Comparable:
    """The pairs that can be compared, the ``reasons`` why that is not the whole, what a reader must know beside it."""

    pairs: tuple[Pair, ...]
    reasons: tuple[str, ...]
    notes: tuple[str, ...]


def comparable(before: Side, after: Side, pairing: Pairing, metric: Metric, judge: str | None) -> Comparable:
    """What of a pairing may be compared: unedited probes with a number on both sides, by the same judges."""
    if not pairing.pairs:
        return Comparable((), (_nothing_shared(before, after),), ())
    edited = [pair for pair in pairing.pairs if pair.is_edited]
    kept = [pair for pair in pairing.pairs if not pair.is_edited]
    measured = [pair for pair in kept if pair.before.values(metric, judge) and pair.after.values(metric, judge)]
    reasons = [*_other_kind(before, after, metric, judge), *_other_probes(pairing)]
    if edited and not kept:
        reasons.append(f"every probe that both have was edited ({len(edited)})")
    changed, same = _judges_changed(measured, metric, judge)
    reasons += changed
    notes = [
        *_edited_note(edited), *_unmeasured_notes(kept, metric, judge), *_sample_note(measured, metric, judge),
        *_hash_note(kept), *_same_answers_note(measured), *_foreign_notes(pairing), *_left_out_notes(pairing),
    ]  # fmt: skip
    if changed and not same:
        notes.append("no pair had the same judges on both sides: what is shown may be the judges' doing")
    return Comparable(tuple(same or measured), tuple(reasons), tuple(notes))


def named(keys: Iterable[Key | str], shown: int = SHOWN) -> str:
    """``a, b and 3 more``."""
    names = [key if isinstance(key, str) else key[1] for key in keys]
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _nothing_shared(before: Side, after: Side) -> str:
    for side in (before, after):
        if not side.trials:
            return f"{side.name} has no trials"
    old, new = ({trial.suite for trial in side.trials} for side in (before, after))
    if old & new:
        return f"no probe of suite {named(sorted(old & new))} is on both sides"
    return f"no suite in common: {named(sorted(old))} before, {named(sorted(new))} after"


def _other_kind(before: Side, after: Side, metric: Metric, judge: str | None) -> list[str]:
    """Scores of different judges, or scores against none, are no one kind of number."""
    if metric != "mean_score":
        return []
    old, new = (
        sorted({name for trial in side.trials if (name := scoring_judge(trial, judge))}) for side in (before, after)
    )
    if old == new:
        return [] if old else [f"neither side has scores{_by(judge)}"]
    if not old or not new:
        return [f"{'after' if old else 'before'} has no scores{_by(judge)}"]
    return [f"the scores are of other judges: {named(old)} before, {named(new)} after"]


def _by(judge: str | None) -> str:
    return "" if judge is None else f" by {judge}"


def _other_probes(pairing: Pairing) -> list[str]:
    if pairing.share >= MIN_SHARE:
        return []
    union = len(pairing.pairs) + len(pairing.only_before) + len(pairing.only_after)
    return [
        f"only {len(pairing.pairs)} of {union} probes are on both sides: {len(pairing.only_before)} only before, "
        f"{len(pairing.only_after)} only after"
    ]


def _judges_changed(pairs: Sequence[Pair], metric: Metric, judge: str | None) -> tuple[list[str], list[Pair]]:
    """A reason for each judge that changed, and the pairs whose judges did not."""
    changes: dict[str, Counter[tuple[str, str]]] = {}
    same = []
    for pair in pairs:
        old, new = pair.before.judges(metric, judge), pair.after.judges(metric, judge)
        differing = [name for name in (*old, *(name for name in new if name not in old)) if _differs(name, old, new)]
        for name in differing:
            changes.setdefault(name, Counter())[(old.get(name, ""), new.get(name, ""))] += 1
        if not differing:
            same.append(pair)
    return [_change_words(name, changes[name], len(pairs)) for name in sorted(changes)], same


def _differs(name: str, old: dict[str, str], new: dict[str, str]) -> bool:
    """Whether a judge is another; an empty hash is unknown and no difference."""
    if name not in old or name not in new:
        return True
    return bool(old[name] and new[name]) and old[name] != new[name]


def _change_words(name: str, hashes: Counter[tuple[str, str]], pairs: int) -> str:
    (old, new), _ = hashes.most_common(1)[0]
    count = sum(hashes.values())
    where = "" if count == pairs else f", on {count} of {pairs} probes"
    if not old or not new:
        return f"judge {name} decided only {'before' if old else 'after'}{where}"
    return f"judge {name} is another ({old[:HASH_CHARS]} before, {new[:HASH_CHARS]} after{where})"


def _edited_note(edited: Sequence[Pair]) -> list[str]:
    if not edited:
        return []
    return [f"{_probes(len(edited))} edited since and left out: {named(pair.after.key for pair in edited)}"]


def _unmeasured_notes(pairs: Sequence[Pair], metric: Metric, judge: str | None) -> list[str]:
    """Probes without a number on a side, by which side."""
    found: dict[str, list[Key]] = {}
    for pair in pairs:
        missing = [
            word for word, unit in (("before", pair.before), ("after", pair.after)) if not unit.values(metric, judge)
        ]
        if missing:
            found.setdefault(" and ".join(missing), []).append(pair.after.key)
    word = "score" if metric == "mean_score" else "answer" if metric != "pass_rate" else "scored answer"
    return [
        f"{_probes(len(keys))} without a {word} {when} and left out: {named(keys)}"
        for when, keys in sorted(found.items(), reverse=True)
    ]


def _sample_note(pairs: Sequence[Pair], metric: Metric, judge: str | None) -> list[str]:
    """Probes that were not measured equally often."""
    found: Counter[tuple[int, int]] = Counter()
    for pair in pairs:
        old, new = len(pair.before.values(metric, judge)), len(pair.after.values(metric, judge))
        if old != new:
            found[old, new] += 1
    return [
        f"{_probes(count)} with {old} {'sample' if old == 1 else 'samples'} before and {new} after"
        for (old, new), count in sorted(found.items())
    ]


def _hash_note(pairs: Sequence[Pair]) -> list[str]:
    unknown = sum(not pair.has_hashes for pair in pairs)
    if not unknown:
        return []
    return [f"{_probes(unknown)} stored by an older evalkit on a side: whether they were edited is not known"]


def _same_answers_note(pairs: Sequence[Pair]) -> list[str]:
    """The same answer, from the store, means the same request to the same weights."""
    same = sum(pair.is_same_answer for pair in pairs)
    return [f"{same} of {len(pairs)} probes have the very same stored answers on both sides"] if same else []


def _foreign_notes(pairing: Pairing) -> list[str]:
    return [
        f"suite {suite} ({_probes(count)}) is only {when} and left out"
        for when, suites in (("before", pairing.suites_before), ("after", pairing.suites_after))
        for suite, count in sorted(suites.items())
    ]


def _left_out_notes(pairing: Pairing) -> list[str]:
    moved = sum(pair.is_moved for pair in pairing.pairs)
    notes = [
        f"{_probes(len(keys))} only {when} and left out: {named(keys)}"
        for when, keys in (("before", pairing.only_before), ("after", pairing.only_after))
        if keys
    ]
    return [*notes, f"{_probes(moved)} compared under a former id"] if moved else notes


def _probes(count: int) -> str:
    return f"{count} probe" if count == 1 else f"{count} probes"
