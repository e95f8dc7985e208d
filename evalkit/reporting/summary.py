"""One run's records boiled down to counts and rates, the same whatever order they arrived in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from evalkit.calibration import EVERY_CATEGORY, Calibration, Trust, trust_in
from evalkit.record import TrialRecord
from evalkit.tally import Tally

DEMO_STAMP = "DEMO MODEL: its numbers mean nothing"
ALL = "all"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a report says of the run as a whole.

    ``started_at`` is epoch seconds. ``targets`` are labels in plan order, ``categories`` in the suites' order.
    ``generated_tokens`` were made here in this run in ``generating_s`` seconds of the host's time, ``served_tokens``
    came from servers. ``usd`` is what servers were paid, ``max_usd`` the most they might have been. ``noise`` says
    what asking again came to, ``reviewed`` what people's labels did. ``evalkit`` is the version that ran it.
    ``footers`` describe adapters, ``plans`` what was drawn, a line each; ``log`` and ``out`` are paths as to be
    shown, ``command`` is as typed.
    """

    run_id: str
    started_at: float
    wall_s: float
    targets: tuple[str, ...]
    categories: tuple[str, ...]
    is_demo: bool = False
    provenance: tuple[tuple[str, str], ...] = ()
    footers: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    log: str = ""
    out: str = ""
    command: str = ""
    notes: tuple[str, ...] = ()
    generated_tokens: int = 0
    served_tokens: int = 0
    generating_s: float = 0.0
    usd: float = 0.0
    max_usd: float = 0.0
    noise: str = ""
    reviewed: str = ""
    evalkit: str = ""


@dataclass(frozen=True, slots=True)
class TargetSummary:
    """One target: a tally per category, and ``total`` over all of them.

    ``trust`` says for each of ``rows`` how far its judge agrees with people, None where nobody measured.
    """

    label: str
    role: str
    categories: tuple[Tally, ...]
    total: Tally
    trust: tuple[Trust | None, ...]

    @property
    def rows(self) -> tuple[Tally, ...]:
        """The categories, then ``all``."""
        return (*self.categories, self.total)

    @property
    def macro_pass_rate(self) -> float | None:
        """The mean of the categories' pass rates, each counting once; None where a category has none."""
        rates = [tally.pass_rate for tally in self.categories]
        known = [rate for rate in rates if rate is not None]
        return sum(known) / len(known) if known and len(known) == len(rates) else None


@dataclass(frozen=True, slots=True)
class Summary:
    """A whole run; ``records`` are sorted by suite, file, line, target and sample."""

    run: RunFacts
    targets: tuple[TargetSummary, ...]
    total: Tally
    records: tuple[TrialRecord, ...]

    @property
    def failing(self) -> tuple[TrialRecord, ...]:
        """Failing probes of subjects: the ones somebody has to look at."""
        return tuple(record for record in self.records if record.outcome == "fail" and record.role != "reference")

    @property
    def expected_failures(self) -> int:
        """Failing probes of reference targets, which are there to misbehave."""
        return sum(record.outcome == "fail" and record.role == "reference" for record in self.records)

    @property
    def errors(self) -> tuple[TrialRecord, ...]:
        return tuple(record for record in self.records if record.outcome == "error")


def summarise(records: Sequence[TrialRecord], *, run: RunFacts, calibrations: Sequence[Calibration] = ()) -> Summary:
    """The run's numbers; targets and categories that ``run`` does not name come last, by name."""
    ordered = tuple(sorted(records, key=record_order(run.targets)))
    targets = []
    for label in _in_order(run.targets, (record.target for record in ordered)):
        own = [record for record in ordered if record.target == label]
        categories = _in_order(run.categories, (record.category for record in own))
        groups = [(name, [record for record in own if record.category == name]) for name in categories]
        rows = tuple(Tally.of(name, group) for name, group in groups)
        measured = (*groups, (EVERY_CATEGORY, own))
        trust = tuple(trust_in(group, name, calibrations) if calibrations else None for name, group in measured)
        total = replace(rows[0], name=ALL) if len(rows) == 1 else Tally.of(ALL, own)
        targets.append(TargetSummary(label, own[0].role, rows, total, trust))
    total = targets[0].total if len(targets) == 1 else Tally.of(ALL, ordered)
    return Summary(run, tuple(targets), total, ordered)


def record_order(targets: Sequence[str]) -> Callable[[TrialRecord], tuple[str, str, int, int, str, int, str]]:
    """The sort key of every list of trials: suite, file, line, target in plan order, sample."""
    places = {label: place for place, label in enumerate(targets)}

    def key(record: TrialRecord) -> tuple[str, str, int, int, str, int, str]:
        place = places.get(record.target, len(places))
        return (record.suite, record.file, record.line, place, record.target, record.sample, record.trial)

    return key


def _in_order(known: Sequence[str], found: Iterable[str]) -> list[str]:
    present = set(found)
    named = [name for name in dict.fromkeys(known) if name in present]
    return named + sorted(present - set(named))
