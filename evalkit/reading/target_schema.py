"""The shape of targets.yaml."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evalkit.target import MERGED, DType, LoadedKind, Role, Structure, Thinking

PARTS = ("model", "quantisation", "condition", "decoding")


class Entry(BaseModel):
    """A mapping of a file: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DecodingEntry(Entry):
    """One decoding; what is left out keeps evalkit's value (greedy, 256 new tokens)."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    max_new_tokens: int | None = None
    stop: list[str] | None = None
    seed: int | None = None
    min_new_tokens: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    no_repeat_ngram: int | None = None
    logit_bias: dict[int | str, float] | None = None
    banned: list[int | str] | None = None
    stop_on_cycle: bool | None = None

    @field_validator("stop", "banned", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, (str, int)) else value


class RatesEntry(Entry):
    """US dollars for a million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float | None = Field(default=None, ge=0)
    cache_write: float | None = Field(default=None, ge=0)


class LongPromptEntry(RatesEntry):
    """What is billed instead, for all its tokens, when a prompt is longer than ``above`` tokens."""

    above: int = Field(ge=1)


class PriceEntry(RatesEntry):
    """What one model costs; requests in a batch cost ``batch`` times as much."""

    batch: float = Field(default=0.5, ge=0, le=1)
    long_prompt: LongPromptEntry | None = None


class ModelEntry(Entry):
    """One model: a folder, a hub id with its revision, or the ``id`` by which the server ``engine`` knows it.

    ``decoding`` is what this model changes in every decoding. ``price``, ``sampling``, ``thinking`` and ``structured``
    are for served models.
    """

    path: str | None = None
    hub: str | None = None
    id: str | None = None
    engine: str | None = None
    price: PriceEntry | None = None
    sampling: bool | None = None
    thinking: Thinking | None = None
    structured: Structure | None = None
    revision: str | None = None
    trust_remote_code: bool = False
    demo: bool = False
    decoding: DecodingEntry | None = None


class AdapterEntry(Entry):
    """One peft adapter; ``base`` names the model it belongs to where its own adapter_config.json says another.

    ``id`` is what servers call it, its name unless set.
    """

    path: str | None = None
    hub: str | None = None
    id: str | None = None
    revision: str | None = None
    base: str | None = None


class QuantisationEntry(Entry):
    """One way to hold weights; ``kind`` may be left out where the name is a kind."""

    kind: LoadedKind | None = None
    compute_dtype: DType | None = None
    double_quant: bool | None = None
    int8_threshold: float | None = None


class ConditionEntry(Entry):
    """One system prompt: a file of the workspace, or its text."""

    file: str | None = None
    system: str | None = None


class EngineEntry(BaseModel):
    """One engine: ``kind`` and settings that the kind itself understands."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    kind: str | None = None


class TargetEntry(Entry):
    """One target; the short form is text such as ``demo+steady:nf4:naked:greedy``."""

    model: str
    adapter: list[str] = Field(default_factory=list)
    merged: bool = False
    quantisation: str | None = None
    condition: str | None = None
    decoding: str | None = None
    engine: str | None = None
    role: Role | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, data: Any) -> Any:
        return short_form(data) if isinstance(data, str) else data

    @field_validator("adapter", mode="before")
    @classmethod
    def _one_adapter_is_a_list(cls, value: Any) -> Any:
        return adapter_names(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _merged_needs_adapters(self) -> Self:
        if self.merged and not self.adapter:
            raise ValueError("merged: true needs an adapter to merge. Add adapter:, or take merged out.")
        return self

    @property
    def is_bare(self) -> bool:
        """Whether only a model was written, so that it may also be the name of a target."""
        rest = (self.quantisation, self.condition, self.decoding, self.engine, self.role)
        return not self.adapter and not any(rest)


class TargetsFile(Entry):
    """fixtures/targets.yaml and the files it includes."""

    include: list[str] = Field(default_factory=list)
    models: dict[str, ModelEntry] = Field(default_factory=dict)
    adapters: dict[str, AdapterEntry] = Field(default_factory=dict)
    quantisations: dict[str, QuantisationEntry] = Field(default_factory=dict)
    conditions: dict[str, ConditionEntry] = Field(default_factory=dict)
    decodings: dict[str, DecodingEntry] = Field(default_factory=dict)
    engines: dict[str, EngineEntry] = Field(default_factory=dict)
    prices: dict[str, PriceEntry] = Field(default_factory=dict)
    targets: dict[str | int, TargetEntry] = Field(default_factory=dict)
    default: list[TargetEntry] = Field(default_factory=list)
    gates: list[str] = Field(default_factory=list)

    @field_validator("targets", mode="before")
    @classmethod
    def _a_list_is_numbered(cls, value: Any) -> Any:
        return dict(enumerate(value)) if isinstance(value, list) else value


def short_form(text: str) -> dict[str, Any]:
    """The fields of ``model+adapter+merged:quantisation:condition:decoding``; later parts may be left out.

    Raises:
        ValueError: more than four parts, or an empty one, or nothing to merge.
    """
    parts = text.split(":")
    model, *adapters = parts[0].split("+")
    if len(parts) > len(PARTS) or not all((*parts, model, *adapters)):
        raise ValueError(f"expected model+adapter:quantisation:condition:decoding, found {text!r}")
    fields: dict[str, Any] = dict(zip(PARTS, (model, *parts[1:]), strict=False))
    merged = bool(adapters) and adapters[-1] == MERGED
    if adapters == [MERGED]:
        raise ValueError(f"expected an adapter in front of +{MERGED}, found {text!r}")
    names = [name for name in (adapters[:-1] if merged else adapters) if name != "none"]
    return {**fields, "adapter": names, **({"merged": True} if merged else {})}


def adapter_names(text: str) -> list[str]:
    """The adapters a text names: ``none`` is no adapter at all."""
    return [] if text == "none" else [text]
