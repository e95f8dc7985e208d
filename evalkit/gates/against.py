"""Gates on a paired difference: after against a baseline, another target, or another condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evalkit.comparing import MORE_IS_WORSE, Comparison, Side, compare
from evalkit.comparing.sentences import figure as side_figure
from evalkit.comparing.sentences import interval, margin_words, p_words, signed
from evalkit.gates.false_red import REGRESSED_BY_CHANCE, chance_of_difference
from evalkit.gates.gate import Gate, matches, under_condition
from evalkit.gates.labelled import CorrectedOf
from evalkit.gates.measuring import Trial, judge_of
from evalkit.gates.results import GateOutcome, TargetResult
from evalkit.gates.words import (
    compared_metric,
    figure,
    interval_words,
    metric_words,
    share_words,
    wanted_words,
    where_words,
)
from evalkit.measured import Measured

ALIAS = "-latest"
_OUTCOMES: dict[str, GateOutcome] = {
    "HELD": "pass", "IMPROVED": "pass", "REGRESSED": "fail", "UNDERPOWERED": "undecided", "INCOMPARABLE": "undecided",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline by its name: what it measured, or in ``missing`` why it cannot be used."""

    name: str
    trials: tuple[Measured, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What gates look at beside the run's own trials.

    ``baselines`` are by the name that a gate gives, the run's own under the empty one. ``aliases`` are, by target, the
    names of models that may stand for another model tomorrow. ``corrected`` gives corrected pass rates where people
    labelled answers.
    """

    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    corrected: CorrectedOf | None = None


class Undecided(Exception):
    """Why there is nothing to compare with."""


def is_other_side(gate: Gate, label: str) -> bool:
    """Whether a target is what the others are compared with, and so not compared itself."""
    kind, _, name = (gate.against or "").partition(":")
    return (kind == "target" and matches(label, name)) or (
        kind == "condition" and under_condition(label, name) == label
    )


def compared(
    gate: Gate, label: str, trials: Sequence[Trial], suite: Sequence[Trial], around: Surroundings
) -> TargetResult:
    """What comes of a gate with ``against`` on one target; ``trials`` are where it looks, ``suite`` is all of them."""
    head = f"{metric_words(gate)} of {label}"
    if not trials:
        return TargetResult(label, "undecided", f"not measurable: {label} has no trial{where_words(gate)}")
    after = Side(label, tuple(trial.measured for trial in trials))
    try:
        before = _before(gate, after, suite, around)
        judge = judge_of(gate, trials)
    except (Undecided, LookupError) as reason:
        return TargetResult(label, "undecided", f"not decided: {head}", f"{where_words(gate)}: {reason.args[0]}")
    found = compare(before, after, compared_metric(gate), margin=gate.margin, judge=judge)
    against = f"{where_words(gate)} against {before.name}"
    if found.verdict == "INCOMPARABLE" or found.delta is None:
        return TargetResult(label, "undecided", f"not decided: {head}", f"{against}: {found.sentence}")
    probes = len({trial.probe for trial in after.trials})
    scant = too_few(gate, found.pairs, probes, "pairs")
    if scant:
        return TargetResult(label, "undecided", f"not decided: {head}", f"{against}: {scant}", n=found.pairs)
    if gate.has_bounds:
        return _in_zone(gate, found, found.delta, against)
    return _by_verdict(gate, found, found.delta, against)


def too_few(gate: Gate, n: int, trials: int, what: str) -> str:
    """Why what was measured is too little, empty where it is enough."""
    if n < gate.min_n:
        return f"{n} {what}, min_n wants {gate.min_n}"
    if trials and n / trials < gate.coverage:
        return f"{n} of {trials} {what} ({share_words(n / trials)}), coverage wants {share_words(gate.coverage)}"
    return ""


def _in_zone(gate: Gate, found: Comparison, delta: float, against: str) -> TargetResult:
    tested = {"estimate": delta, "low": found.low, "high": found.high}[gate.end]
    head = f"change in {metric_words(gate)} of {found.after_name}"
    interval_part = interval_words(gate, found.low, found.high)
    sure = f"{interval_part}, " if interval_part else ""
    pairs = "1 pair" if found.pairs == 1 else f"{found.pairs} pairs"
    if tested is None:
        has = "has" if found.pairs == 1 else "have"
        reason = f"{against}: {pairs} {has} no interval; {wanted_words(gate)}"
        return TargetResult(found.after_name, "undecided", f"not decided: {head}", reason, n=found.pairs)
    return TargetResult(
        found.after_name, gate.zone(tested), head,
        f"{against} is {figure(gate, delta)} ({sure}{pairs}), {wanted_words(gate)}",
        tested, found.low, found.high, found.pairs, gate.inside(tested),
        chance_of_difference(gate, delta, found.low, found.high),
    )  # fmt: skip


def _by_verdict(gate: Gate, found: Comparison, delta: float, against: str) -> TargetResult:
    metric = found.metric
    outcome = _OUTCOMES[found.verdict]
    unit = "" if metric == "mean_score" else " points"
    tail = (
        f"{against}: {found.verdict}, {side_figure(metric, found.before)} to {side_figure(metric, found.after)}, "
        f"{signed(metric, delta)}{unit} {interval(metric, found.low, found.high)}, "
        f"{found.worse} worse and {found.better} better of {found.pairs}, {p_words(found.p or 0.0)}; "
        f"{margin_words(metric, found.margin)}"
    )
    if found.verdict == "UNDERPOWERED":
        tail += (
            "; no number of pairs would decide"
            if found.needed is None
            else f"; about {found.needed} pairs would decide, there are {found.pairs}"
        )
    head = f"{metric_words(gate)} of {found.after_name}"
    gain = -delta if metric in MORE_IS_WORSE else delta
    return TargetResult(
        found.after_name, outcome, f"not decided: {head}" if outcome == "undecided" else head, tail, delta, found.low,
        found.high, found.pairs, gain, REGRESSED_BY_CHANCE,
    )  # fmt: skip


def _before(gate: Gate, after: Side, suite: Sequence[Trial], around: Surroundings) -> Side:
    """What the target is compared with: the same probes, and those that they were formerly.

    Raises:
        Undecided: there is nothing to compare with.
    """
    kind, _, name = (gate.against or "").partition(":")
    here = {trial.record.target for trial in suite}
    if kind == "baseline":
        return _of_baseline(gate, after, here, around)
    if kind == "condition":
        other = under_condition(after.name, name)
        if other not in here:
            raise Undecided(f"there is no trial of it under {name!r} in this run")
    else:
        found = [label for label in here if matches(label, name)]
        other = _the_one(found, after.name)
        if other is None:
            what = f"{len(found)} targets are {name!r} ({', '.join(sorted(found))})" if found else f"none is {name!r}"
            raise Undecided(f"{what} in this run, and one is needed to compare with")
    return _side(gate, other, other, after, [trial.measured for trial in suite])


def _of_baseline(gate: Gate, after: Side, here: set[str], around: Surroundings) -> Side:
    label = after.name
    model = label.split(":")[0].split("+")[0]
    alias = around.aliases.get(label, model)
    if alias.endswith(ALIAS):
        raise Undecided(
            f"{alias} is an alias: what it stands for changes without notice, so no baseline says what it was. "
            f"Declare the model {model} by a dated id"
        )
    baseline = around.baselines.get(gate.baseline or "")
    if baseline is None or baseline.missing:
        raise Undecided(baseline.missing if baseline else "no baseline was read")
    there = {trial.target for trial in baseline.trials if trial.suite == gate.suite}
    if label in there:
        return _side(gate, label, f"baseline {baseline.name}", after, baseline.trials)
    other = _the_one(there, label)
    if other is None or _the_one(here, other) != label:
        held = f"it holds {', '.join(sorted(there))}" if there else f"it holds nothing of suite {gate.suite}"
        raise Undecided(f"baseline {baseline.name} has no trial of it; {held}")
    return _side(gate, other, f"{other} of baseline {baseline.name}", after, baseline.trials)


def _the_one(labels: Sequence[str] | set[str], label: str) -> str | None:
    """The only one of these, or the only one in the same quantisation, condition and decoding."""
    if len(labels) == 1:
        return next(iter(labels))
    rest = label.split(":")[1:]
    alike = [other for other in labels if other.split(":")[1:] == rest]
    return alike[0] if len(alike) == 1 else None


def _side(gate: Gate, label: str | None, name: str | None, after: Side, trials: Sequence[Measured]) -> Side:
    kept = {(trial.suite, trial.probe) for trial in after.trials}
    for trial in after.trials:
        split = (former.rpartition("/") for former in trial.formerly)
        kept.update((suite or trial.suite, probe) for suite, _, probe in split)
    before = tuple(
        trial
        for trial in trials
        if trial.target == label
        and (
            (trial.suite, trial.probe) in kept
            or (trial.suite == gate.suite and gate.takes(trial.category, trial.probe, trial.language))
        )
    )
    if not before:
        raise Undecided(f"{name} has no trial{where_words(gate)}")
    return Side(name or "", before)
