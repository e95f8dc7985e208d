"""What ``perturb:`` may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from evalkit import probe
from evalkit.perturbing.deriving import NoisePlan
from evalkit.reading.schema_fields import AlsoAccepts, Entry, expected

MAX_REPLICATES = 1_000
_Ratio = Annotated[float, Field(ge=0, le=1)]


def _key(description: str, **bounds: Any) -> Any:
    return Field(default=None, description=description, **bounds)


def _number_as_list(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return [value]
    if not isinstance(value, list):
        expected("a number from 0 to 1 or a list of these")
    return value


Ratios = Annotated[
    list[_Ratio],
    Field(min_length=1),
    BeforeValidator(_number_as_list),
    AlsoAccepts(type="number", minimum=0, maximum=1),
]


class NoiseEntry(Entry):
    """One noise, at one or several strengths."""

    ratios: Ratios = Field(description="Shares of the words, letters or gaps that it works on; 0 is the probe itself.")
    replicates: int = _key("Draws at each strength; 1 unless set.", ge=1, le=MAX_REPLICATES)
    roles: list[Literal["system", "user", "assistant"]] = _key("Whose turns; [user] unless set.", min_length=1)
    protect: list[Literal["code_fences", "numbers", "options"]] = _key("What is left as it is; nothing unless set.")
    on_identity: Literal["redraw", "keep", "skip"] = _key(
        "What to do with a draw that changes nothing: redraw (up to 20 times, then leave out) unless set, keep or skip."
    )
    seed: int = _key("Another seed gives other draws; 0 unless set.", ge=0, lt=2**63)


def _noise(value: Any) -> Any:
    if isinstance(value, list) or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return {"ratios": value}
    if not isinstance(value, dict):
        expected("a number from 0 to 1, a list of these, or {ratios: …}")
    return value


Noise = Annotated[
    NoiseEntry, BeforeValidator(_noise),
    AlsoAccepts(anyOf=[{"type": "number", "minimum": 0, "maximum": 1}, {"type": "array", "items": {"type": "number"}}]),
]  # fmt: skip


class PerturbEntry(Entry):
    """Noises that make further probes of a probe; {} asks for none."""

    shuffle: Noise = _key("Words in another order.")
    case: Noise = _key("Letters in their other case.")
    typo: Noise = _key("Words with a typing error.")
    whitespace: Noise = _key("Wider gaps, tabs and line breaks between words.")


def noise_plans(entry: PerturbEntry | None) -> tuple[NoisePlan, ...]:
    """The noises that the entry asks for, in the order shuffle, case, typo, whitespace."""
    if entry is None:
        return ()
    plans = (_plan(kind, getattr(entry, kind)) for kind in get_args(probe.Noise) if kind in entry.model_fields_set)
    return tuple(plan for plan in plans if plan.ratios)


def _plan(kind: probe.Noise, entry: NoiseEntry) -> NoisePlan:
    chosen = {name: getattr(entry, name) for name in entry.model_fields_set - {"ratios"}}
    settings: dict[str, Any] = {
        name: tuple(dict.fromkeys(value)) if isinstance(value, list) else value for name, value in chosen.items()
    }
    ratios = tuple(dict.fromkeys(float(ratio) for ratio in entry.ratios if ratio > 0))
    return NoisePlan(kind, ratios, **settings)
