"""The sample plans of a suite.yaml."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from evalkit.reading.schema_fields import Category, Entry, Text, wrong
from evalkit.sampling_plan import SamplePlan, allotted

_FORMS = ("draw", "shares", "each")
MAX_DRAWN = 1_000_000


def _key(description: str, **bounds: Any) -> Any:
    return Field(default=None, description=description, **bounds)


class PlanEntry(Entry):
    """A seeded draw of the suite's probes: draw, or each, or shares with total."""

    why: Text = _key("What this sample is for.")
    seed: int = Field(default=0, description="Another seed draws other probes.", ge=0, lt=2**63)
    each: int = _key("So many of every category, or all of a smaller one.", ge=1, le=MAX_DRAWN)
    draw: dict[Category, int] = _key("How many of each category; a category that is left out is not run.", min_length=1)
    shares: dict[Category, float] = _key(
        "How total is divided over the categories: by largest remainder, ties in the order written.", min_length=1
    )
    total: int = _key("How many are drawn in all, with shares.", ge=1, le=MAX_DRAWN)

    @model_validator(mode="after")
    def _has_one_form(self) -> PlanEntry:
        forms = [form for form in _FORMS if form in self.model_fields_set]
        if len(forms) != 1:
            found = " and ".join(forms) or "none of them"
            wrong(f"expected one of draw, shares and each in a plan, found {found}. Write one.")
        if ("total" in self.model_fields_set) != (forms == ["shares"]):
            wrong("expected total where shares are, and nowhere else. Write total: 300 beside shares.")
        self._refuse_empty_draws(forms[0])
        return self

    def _refuse_empty_draws(self, form: str) -> None:
        amounts: dict[str, float] = {**(self.draw or {}), **(self.shares or {})}
        for category, amount in amounts.items():
            if amount < 0:
                wrong(f"expected no negative number in {form}, found {amount:g} for {category}. Correct it.")
        if amounts and not any(amounts.values()):
            wrong(f"expected a number above 0 in {form}, found none. Correct them, or remove the plan.")


def plan_of(name: str, entry: PlanEntry) -> SamplePlan:
    """The plan that the entry describes."""
    given = entry.model_fields_set
    counts = entry.draw if "draw" in given else allotted(entry.total, entry.shares) if "shares" in given else {}
    return SamplePlan(
        name,
        tuple((category, count) for category, count in counts.items() if count),
        entry.each if "each" in given else 0,
        entry.seed,
        entry.why if "why" in given else "",
    )
