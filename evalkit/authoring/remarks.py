"""What a reader of probes would object to, each as a sentence at its line: warnings, not mistakes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from evalkit.authoring.gaps import without_expectation, without_why
from evalkit.authoring.gate_sizes import too_small
from evalkit.authoring.likeness import alike
from evalkit.authoring.overlap import Overlap
from evalkit.gates import Gate
from evalkit.probe import Probe
from evalkit.stats import percent

Kind = Literal["near_duplicate", "no_expectation", "no_why", "too_small", "training_overlap", "exclusions"]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Remark:
    """One warning; ``facts`` are its figures by name, for programs."""

    kind: Kind
    file: str
    line: int | None
    message: str
    facts: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: warning: {self.message}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "file": self.file, "line": self.line, "message": self.message, **dict(self.facts),
        }  # fmt: skip


def near_duplicates(probes: Sequence[Probe]) -> list[Remark]:
    """Each probe that is too like an earlier one of its suite and category."""
    return [
        Remark(
            "near_duplicate", pair.later.file, pair.later.line,
            f"{pair.later.id} is a near-copy of {pair.earlier.id} ({_place(pair.earlier)}): cosine {pair.cosine:.2f}. "
            "Ask something else, or give both one cluster.",
            (
                ("probe", pair.later.id), ("of", pair.earlier.id), ("of_place", _place(pair.earlier)),
                ("cosine", round(pair.cosine, 4)),
            ),
        )
        for pair in alike(probes)
    ]  # fmt: skip


def gaps(probes: Sequence[Probe], readers: Collection[str]) -> list[Remark]:
    """Probes that do not say what they expect; those that do not say why, a file at a time."""
    remarks = [
        Remark(
            "no_expectation", probe.file, probe.line,
            f"{probe.id} tells its judge nothing. Add expect: {{behaviour: …}}, must_say or must_not_say.",
            (("probe", probe.id),),
        )
        for probe in without_expectation(probes, readers)
    ]  # fmt: skip
    silent: dict[str, list[Probe]] = {}
    for probe in without_why(probes):
        silent.setdefault(probe.file, []).append(probe)
    for file, members in silent.items():
        names = [probe.id for probe in members]
        is_one = len(names) == 1
        what = f"{names[0]} has no why" if is_one else f"{len(names)} probes have no why: {_some(names)}"
        remedy = "Say what only it tests." if is_one else "Say what only each of them tests."
        remarks.append(Remark("no_why", file, members[0].line, f"{what}. {remedy}", (("probes", names),)))
    return remarks


def small_categories(gates: Sequence[Gate], probes: Sequence[Probe], file: str) -> list[Remark]:
    """Gates of one suite that its probes could not bear out; ``file`` is told where a gate says no place of its own."""
    return [
        Remark(
            "too_small", gate_file(item.gate, file), gate_line(item.gate), f"gate {item.gate.name!r}: {item.sentence}.",
            (("gate", item.gate.name), ("probes", item.n), ("needed", item.needed)),
        )
        for item in too_small(gates, probes)
    ]  # fmt: skip


def gate_file(gate: Gate, file: str) -> str:
    """The file in a gate's ``source``, FILE:LINE."""
    return gate.source.rpartition(":")[0] or gate.source or file


def gate_line(gate: Gate) -> int | None:
    """The line in a gate's ``source``, FILE:LINE."""
    line = gate.source.rpartition(":")[2]
    return int(line) if line.isdecimal() else None


def overlapping(overlaps: Sequence[Overlap]) -> list[Remark]:
    """Probes that a training file holds."""
    return [
        Remark(
            "training_overlap", found.probe.file, found.probe.line,
            f"{found.probe.id} overlaps with {found.training}: word Jaccard {found.jaccard:.2f}{_runs(found)}.",
            (
                ("probe", found.probe.id), ("training", found.training), ("jaccard", round(found.jaccard, 4)),
                ("runs", round(found.share, 4)),
            ),
        )
        for found in overlaps
    ]  # fmt: skip


def _runs(found: Overlap) -> str:
    return f", {percent(found.share)} of its words in common runs" if found.share else ""


def _place(probe: Probe) -> str:
    return f"{probe.file}:{probe.line}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
