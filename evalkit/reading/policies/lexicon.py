"""The schema of a lexicon: judges/heuristic_v2.yaml and its kind."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from evalkit.judging.base import Judge
from evalkit.judging.lexicon.judge import Bounds, LexiconJudge
from evalkit.judging.lexicon.normalising import Normalisation
from evalkit.judging.lexicon.scoring import Lexicon, Part, Signal
from evalkit.reading.policies.base import Parts, PolicyFile, Strict
from evalkit.reading.policies.lexicon_counters import OPTIONS, CounterFields


def _name(text: str) -> str:
    if re.fullmatch("[A-Za-z][A-Za-z0-9_]*", text) is None:
        raise ValueError(f"expected a name of letters, digits and _; found {text!r}")
    return text


Name = Annotated[str, AfterValidator(_name)]


class PartFile(CounterFields):
    """One thing that a signal counts: one counter with its options, what a hit is worth, and how many count."""

    points: float = 1
    most: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _one_counter(self) -> PartFile:
        named = self.named()
        if len(named) != 1:
            found = " and ".join(named) or "none"
            raise ValueError(f"expected one counter ({', '.join(OPTIONS)}); found {found}")
        allowed = OPTIONS[named[0]]
        for option in sorted({name for names in OPTIONS.values() for name in names}):
            if option in self.model_fields_set and option not in allowed:
                raise ValueError(f"{option} is no option of {named[0]}. Remove it")
        return self

    def part(self) -> Part:
        return Part(self.counter(), self.points, self.most)


class SignalFile(Strict):
    """One signal: what it counts, what 1 of it is worth, and the most that it adds to the score."""

    weight: float
    cap: float | None = None
    most: int | None = Field(None, ge=1)
    base: int = 0
    zero_if_starts: str | None = Field(None, min_length=1)
    counts: list[PartFile] = Field(min_length=1)

    def signal(self, name: str) -> Signal:
        parts = tuple(part.part() for part in self.counts)
        return Signal(name, self.weight, parts, self.cap, self.most, self.base, self.zero_if_starts)


class NormalisationFile(Strict):
    """What is made alike before counting."""

    newlines: bool = False
    quotes: bool = False
    ends: bool = False
    markup: bool = False
    cut_at: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)

    def normalisation(self) -> Normalisation:
        return Normalisation(self.newlines, self.quotes, self.ends, self.markup, tuple(self.cut_at))


class LexiconFile(PolicyFile):
    """judges/heuristic_v2.yaml and others of its kind."""

    code_version = LexiconJudge.version
    kind: Literal["lexicon"]
    scores: Literal["text", "answer"]
    dialect: Literal["python", "go"] = "python"
    composite: Name
    decimals: int = Field(2, ge=0, le=10)
    normalise: NormalisationFile = NormalisationFile()
    saturated_at: float | None = Field(None, ge=1)
    signals: dict[Name, SignalFile] = Field(min_length=1)
    signal: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    measure_only: bool = False

    @field_validator("signals")
    @classmethod
    def _differ_from_the_composite(cls, signals: dict[str, SignalFile], info: ValidationInfo) -> dict[str, SignalFile]:
        if info.data.get("composite") in signals:
            raise ValueError(f"a signal has the composite's name {info.data['composite']!r}. Rename one")
        return signals

    @field_validator("signal")
    @classmethod
    def _is_there(cls, signal: str | None, info: ValidationInfo) -> str | None:
        names = [*info.data.get("signals", ()), info.data.get("composite")]
        if signal is not None and "signals" in info.data and signal not in names:
            raise ValueError(f"there is no signal {signal!r} among {', '.join(map(str, names))}")
        return signal

    @field_validator("at_most")
    @classmethod
    def _leaves_room(cls, at_most: float | None, info: ValidationInfo) -> float | None:
        at_least = info.data.get("at_least")
        if at_most is not None and at_least is not None and at_least > at_most:
            raise ValueError(f"at_least {at_least:g} and at_most {at_most:g} leave nothing between them")
        return at_most

    @field_validator("measure_only")
    @classmethod
    def _stands_alone(cls, measure_only: bool, info: ValidationInfo) -> bool:
        if measure_only and (info.data.get("at_least") is not None or info.data.get("at_most") is not None):
            raise ValueError("a judge that only measures has no use for at_least and at_most")
        return measure_only

    def make(self, parts: Parts) -> Judge:
        lexicon = Lexicon(
            signals=tuple(signal.signal(name) for name, signal in self.signals.items()),
            composite=self.composite,
            decimals=self.decimals,
            dialect=self.dialect,
            normalise=self.normalise.normalisation(),
            saturated_at=self.saturated_at,
        )
        bounds = Bounds(self.signal or self.composite, self.at_least, self.at_most, self.measure_only)
        return LexiconJudge(lexicon, bounds, self.scores)
