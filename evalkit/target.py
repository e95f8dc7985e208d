"""The thing under test: model × adapter × quantisation × condition × decoding."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

Role = Literal["subject", "reference"]
LoadedKind = Literal["fp32", "bf16", "fp16", "nf4", "fp4", "int8"]
QuantisationKind = Literal[LoadedKind, "served"]
DType = Literal["fp32", "bf16", "fp16"]
Structure = Literal["tool", "schema"]
Thinking = Literal["adaptive", "between_tools", "disabled"]
Settings = tuple[tuple[str, Any], ...]
SERVER_KINDS = ("anthropic", "openai")
MERGED = "merged"
"""What stands behind the adapters of a label when they are merged; no adapter can be called so."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens; where cache prices are None, the cache costs what other input costs.

    Batches cost ``batch`` times as much. A prompt of more than ``long_above`` tokens is billed at ``long``, all of it.
    """

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    batch: Decimal = Decimal("0.5")
    long_above: int | None = None
    long: Price | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """How a model is asked for at a server.

    ``sampling`` false: it takes no temperature. ``thinking`` is what an Anthropic model is told of it, None nothing.
    ``structured``: how it is made to answer with a JSON object, None for its engine's usual way.
    """

    price: Price | None = None
    sampling: bool = True
    thinking: Thinking | None = None
    structured: Structure | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """Weights to load, a folder or a hub id with its revision; or, with ``served``, what a server calls its model.

    ``location`` is the absolute folder, the hub id, or the server's id. ``shown`` is how the user wrote it.
    """

    name: str
    location: str
    is_local: bool
    shown: str
    revision: str | None = None
    trust_remote_code: bool = False
    is_demo: bool = False
    served: Served | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """A peft adapter; ``facts`` are (r, alpha, target modules, peft type, …) of its adapter_config.json."""

    name: str
    location: str
    is_local: bool
    shown: str
    revision: str | None = None
    facts: Settings = ()


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How the weights are held; ``compute_dtype`` None means the engine's default for the device.

    ``served``: as the server holds them, which nobody here knows.
    """

    name: str
    kind: QuantisationKind
    compute_dtype: DType | None = None
    double_quant: bool = False
    int8_threshold: float = 6.0


@dataclass(frozen=True, slots=True)
class Condition:
    """What surrounds the user's words; ``system`` is the text of the system prompt or kernel, None for naked."""

    name: str
    system: str | None = None
    shown: str | None = None


@dataclass(frozen=True, slots=True)
class Decoding:
    """How tokens are chosen for one row. ``temperature`` 0 is greedy; ``stop`` are strings that end the text.

    ``seed`` None takes the run's seed. ``top_k`` 0, ``top_p`` 1 and ``min_p`` 0 are off. ``repetition_penalty`` counts
    the prompt too, ``presence_penalty`` and ``frequency_penalty`` the answer alone. No sequence of ``no_repeat_ngram``
    tokens comes twice. ``logit_bias`` is added to the logits of tokens, named by id or by their text; ``banned`` are
    token ids, and texts that never stand in the answer. ``stop_on_cycle`` ends an answer that repeats itself exactly.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    max_new_tokens: int = 256
    stop: tuple[str, ...] = ()
    seed: int | None = None
    min_new_tokens: int = 0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    no_repeat_ngram: int = 0
    logit_bias: tuple[tuple[int | str, float], ...] = ()
    banned: tuple[int | str, ...] = ()
    stop_on_cycle: bool = False

    @property
    def is_greedy(self) -> bool:
        return self.temperature == 0.0

    def changed(self, change: Settings) -> Decoding:
        """This decoding with some fields replaced; names are those of the dataclass."""
        return replace(self, **dict(change)) if change else self


@dataclass(frozen=True, slots=True)
class Engine:
    """Which engine answers, with its own settings (``kind`` is a key of ``engines.table``)."""

    name: str = "local"
    kind: str = "local"
    settings: Settings = ()

    @property
    def is_server(self) -> bool:
        """Whether it asks a server over the network instead of loading weights."""
        return self.kind in SERVER_KINDS

    def setting(self, name: str, default: Any = None) -> Any:
        return dict(self.settings).get(name, default)


@dataclass(frozen=True, slots=True)
class Target:
    """One point of the cross product, labelled ``gemma2-27b+logos21:nf4:naked:greedy``.

    ``adapters`` are applied in their order; with ``merged``, which the label says as ``+merged``, they are merged into
    the weights as these are held, so that bf16 and quantised weights round differently than beside the base.
    """

    model: Model
    quantisation: Quantisation
    adapters: tuple[Adapter, ...] = ()
    condition: Condition = Condition("naked")
    decoding_name: str = "greedy"
    decoding: Decoding = Decoding()
    engine: Engine = Engine()
    role: Role = "subject"
    merged: bool = False
    label: str = field(init=False)

    def __post_init__(self) -> None:
        names = (self.model.name, *(adapter.name for adapter in self.adapters))
        weights = "+".join((*names, MERGED) if self.merged else names)
        parts = (weights, self.quantisation.name, self.condition.name, self.decoding_name)
        object.__setattr__(self, "label", ":".join(parts))

    @property
    def weights(self) -> tuple[Engine, Model, Quantisation]:
        """What must be in memory for this target; adapters come on top of it."""
        return (self.engine, self.model, self.quantisation)

    @property
    def step(self) -> int | None:
        """The training step of the last adapter of which one is known."""
        steps = [dict(adapter.facts).get("step") for adapter in self.adapters]
        return next((step for step in reversed(steps) if step is not None), None)
