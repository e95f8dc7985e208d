"""The shape of a gate, in suite.yaml and in files of gates."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from evalkit.gates import End, Metric
from evalkit.reading.schema_fields import Entry, Line, Text, wrong

UNDECIDED = Literal["warn", "fail"]


def _key(description: str, **bounds: Any) -> Any:
    """A key that may be left out."""
    return Field(default=None, description=description, **bounds)


def _bound(description: str) -> Any:
    return Field(default=None, description=description, allow_inf_nan=False)


class GateRule(Entry):
    """What every gate says, wherever it is written."""

    name: Line = Field(description="Its name in the report.")
    metric: Metric = Field(description="What is measured. Rates are proportions from 0 to 1.")
    target: Line = Field(default="*", description="A target's label, or a glob over labels; * is every subject.")
    category: Line = _key("Only this category, or a glob.")
    probe: Line = _key("Only this probe, or a glob over ids.")
    language: Line = _key("Only probes in this language, or a glob: en, or [!e]*.")
    condition: Line = _key("Only targets under this condition, or a glob.")
    at_least: float = _bound("Smallest value that passes.")
    above: float = _bound("What passes is larger than this.")
    at_most: float = _bound("Largest value that passes.")
    below: float = _bound("What passes is smaller than this.")
    fail_below: float = _bound("Smaller values fail; those between this and the pass zone warn.")
    fail_above: float = _bound("Larger values fail; those between this and the pass zone warn.")
    equals: float | Text = _key(
        "A published figure, as 96.3 with a tolerance or as '96.3 ± 0.05'; of a rate in per cent."
    )
    tolerance: float = _key("How far from equals still passes, in its unit.", ge=0, allow_inf_nan=False)
    end: End = Field(default="estimate", description="What must lie in the zone: the value, or an end of its interval.")
    judge: Line = _key("Whose scores or signals; needed where several judges give some.")
    flag: Line = _key("count: of trials with this flag, such as collapsed.")
    signal: Line = _key("count: of trials whose judge measured this signal at from or more.")
    signal_from: float = _key("The smallest signal that counts.", alias="from", allow_inf_nan=False)
    min_n: int = _key("Fewest measured trials, or pairs, that decide.", ge=1)
    coverage: float = _key("Smallest share of trials that must have been measured.", ge=0, le=1)
    against: Line = _key("Makes the metric a paired difference: baseline, baseline:NAME, target:GLOB, …")
    margin: float = _key("How much worse is no regression; 0.03 of a rate, 0.5 of a score.", ge=0)
    undecided: UNDECIDED = Field(default="fail", description="What it does to the run where it cannot be decided.")
    because: Text = _key("Why the rule must hold; shown with the result.")


class GateEntry(GateRule):
    """One rule of suite.yaml that decides the exit status."""

    @model_validator(mode="before")
    @classmethod
    def _has_no_suite(cls, value: Any) -> Any:
        if isinstance(value, dict) and "suite" in value:
            wrong("a gate of suite.yaml is about that suite. Remove the key 'suite'.")
        return value


class FileGateEntry(GateRule):
    """One rule of a file of gates."""

    suite: Line = Field(description="The suite it is about.")


class GatesFile(Entry):
    """A file of gates."""

    gates: list[FileGateEntry] = Field(description="Rules that decide the exit status.")


class GatesFileShape(Entry):
    """A file of gates whose gates are read one by one."""

    gates: list[Any]
