"""Tiny real models with tokenizers and adapters, made once per session, and what runs requests through an engine."""

from __future__ import annotations

import gc
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines import base, table
from evalkit.engines.servers.anthropic_api import AnthropicApi
from evalkit.engines.servers.budget import Budget
from evalkit.engines.servers.clock import LoopClock
from evalkit.engines.servers.engine import ServerEngine
from evalkit.engines.servers.openai_compatible import OpenAICompatible
from evalkit.generation import Failure, Generation, Request
from evalkit.probe import Message
from evalkit.target import Adapter, Condition, Decoding, Engine, Model, Price, Quantisation, Served, Target

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

SPECIAL = ["<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"]
WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "and",
    "said",
    "that",
    "rain",
    "in",
    "Spain",
    "falls",
    "mainly",
    "on",
    "what",
    "one",
    "two",
    "three",
    "capital",
    "of",
    "France",
    "is",
]

TURNS = (
    "{% for message in messages %}"
    "{{ '<start_of_turn>' + message['role'] + '\n' + message['content'] + '<end_of_turn>\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>assistant\n' }}{% endif %}"
)
REFUSE_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
WITH_SYSTEM = "{{ bos_token }}" + TURNS
WITHOUT_SYSTEM = "{{ bos_token }}" + REFUSE_SYSTEM + TURNS


def build_tokenizer(chat_template: str | None) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=SPECIAL,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(WORDS)] * 4, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<eos>",
        bos_token="<bos>",
        chat_template=chat_template,
    )


def save_model(folder: Path, kind: str, chat_template: str | None, **changes: Any) -> Path:
    """A random model of about 100,000 weights whose greedy text is varied."""
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM, LlamaConfig, LlamaForCausalLM

    tokenizer = build_tokenizer(chat_template)
    sizes: dict[str, Any] = {
        "vocab_size": 320, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 32, "max_position_embeddings": 256,
        "initializer_range": 0.25, "tie_word_embeddings": False, "pad_token_id": 0, "eos_token_id": 1,
        "bos_token_id": 2, **changes,
    }  # fmt: skip
    torch.manual_seed(7)
    if kind == "gemma":
        model = Gemma2ForCausalLM(
            Gemma2Config(**{"sliding_window": 16, "attn_logit_softcapping": 2.0, "query_pre_attn_scalar": 1, **sizes})
        )
        model.model.embed_tokens.weight.data.mul_(0.1)  # else the last token alone decides, and every text is the same
    else:
        model = LlamaForCausalLM(LlamaConfig(**sizes))
    # Defaults that a request never asked for: generate must not inherit them.
    model.generation_config.update(do_sample=True, temperature=0.3, top_k=2, repetition_penalty=1.7)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_adapter(folder: Path, base_folder: Path, seed: int, scale: float = 0.5, **changes: Any) -> Path:
    """A LoRA (or what ``changes`` make of it) with random weights; ``scale`` 0 leaves lora_B zero."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    options = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj", "down_proj"], **changes}
    with warnings.catch_warnings():  # peft 0.21 reads a property that transformers 5.23 has deprecated
        warnings.simplefilter("ignore")
        model = AutoModelForCausalLM.from_pretrained(base_folder)
        tuned = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **options))
        noise = torch.Generator().manual_seed(seed)
        for name, weight in tuned.named_parameters():
            if "lora_B" in name or "modules_to_save" in name:
                weight.data.add_(torch.randn(weight.shape, generator=noise) * scale)
        tuned.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """``llama`` has a system role, ``gemma`` (soft-capping, sliding window) has none."""
    folder = tmp_path_factory.mktemp("models")
    made = {
        "llama": save_model(folder / "llama", "llama", WITH_SYSTEM),
        "gemma": save_model(folder / "gemma", "gemma", WITHOUT_SYSTEM),
    }
    gc.freeze()  # an engine collects garbage when it closes, and need not walk the imported packages every time
    return made


@pytest.fixture(scope="session")
def adapters(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Adapter]:
    """Adapters of the tiny llama: two plain ones, a DoRA and one with a whole trained module."""
    folder = tmp_path_factory.mktemp("adapters")
    kinds: dict[str, dict[str, Any]] = {
        "red": {},
        "blue": {"target_modules": ["o_proj", "up_proj"]},
        "dora": {"use_dora": True},
        "head": {"modules_to_save": ["lm_head"]},
    }
    made = {}
    for seed, (name, changes) in enumerate(kinds.items()):
        place = save_adapter(folder / name, models["llama"], seed, **changes)
        made[name] = Adapter(name, str(place), True, name)
    gc.freeze()
    return made


@dataclass(frozen=True)
class Asking:
    """Makes requests to one tiny model and runs them."""

    models: dict[str, Path]
    root: Path
    engines: list[base.Engine]

    def target(
        self,
        model: str | Path = "llama",
        adapter: Adapter | tuple[Adapter, ...] | None = None,
        kind: str = "fp32",
        system: str | None = None,
        engine: Engine | None = None,
        merged: bool = False,
        **quantisation: Any,
    ) -> Target:
        folder = model if isinstance(model, Path) else self.models[model]
        return Target(
            model=Model(folder.name, str(folder), True, folder.name),
            quantisation=Quantisation(kind, kind, **quantisation),  # type: ignore[arg-type]
            adapters=adapter if isinstance(adapter, tuple) else (adapter,) if adapter else (),
            merged=merged,
            condition=Condition("naked" if system is None else "kernel", system),
            engine=engine or Engine("local", "local", (("device", "cpu"),)),
        )

    def request(
        self, target: Target, prompt: str, seed: int | None = None, sample: int = 0, **decoding: Any
    ) -> Request:
        decoding.setdefault("max_new_tokens", 12)
        return Request(target, (Message("user", prompt),), Decoding(**decoding), seed, sample)

    def engine(self, pulse: base.Pulse = lambda new_tokens: False, **settings: Any) -> base.Engine:
        chosen = Engine("local", "local", tuple(sorted({"device": "cpu", "threads": 1, **settings}.items())))
        self.engines.append(table.create(chosen, pulse, self.root))
        return self.engines[-1]

    def answers(self, engine: base.Engine, requests: list[Request]) -> list[Generation | Failure]:
        """The replies in the order of the requests."""
        for target in {request.target.weights: request.target for request in requests}.values():
            wanted = [request.target.adapters for request in requests if request.target.weights == target.weights]
            engine.load(target, tuple(dict.fromkeys(wanted)))
        for index, request in enumerate(requests):
            engine.submit(str(index), request)
        found = self.stepped(engine, len(requests))
        replies = dict(found)
        assert len(replies) == len(found), "a request was answered twice"
        assert engine.step() == []
        return [replies[str(index)] for index in range(len(requests))]

    def stepped(self, engine: base.Engine, count: int) -> list[tuple[str, Generation | Failure]]:
        """So many replies, by as many steps as it takes; a step may well have none."""
        found: list[tuple[str, Generation | Failure]] = []
        idle = 0
        while len(found) < count:
            step = engine.step()
            idle = 0 if step else idle + 1
            assert idle < 1000, "the engine has nothing to say and requests are open"
            found += step
        return found

    def texts(self, engine: base.Engine, requests: list[Request]) -> list[str]:
        replies = self.answers(engine, requests)
        assert not [reply for reply in replies if isinstance(reply, Failure)]
        return [reply.raw_text for reply in replies if isinstance(reply, Generation)]


@pytest.fixture
def asking(models: dict[str, Path], tmp_path: Path) -> Iterator[Asking]:
    asked = Asking(models, tmp_path, [])
    yield asked
    for engine in asked.engines:
        engine.close()


@pytest.fixture(scope="session")
def build_model() -> Callable[..., Path]:
    return save_model


@pytest.fixture(scope="session")
def build_adapter() -> Callable[..., Path]:
    return save_adapter


@pytest.fixture(scope="session")
def chat_templates() -> dict[str, str]:
    return {"with_system": WITH_SYSTEM, "without_system": WITHOUT_SYSTEM, "turns": TURNS}


@pytest.fixture(scope="session")
def prompts() -> list[str]:
    """Forty prompts of 1 to 40 words."""
    return [" ".join(WORDS[(index * 3 + place) % len(WORDS)] for place in range(1 + index)) for index in range(40)]


PRICE = Price(Decimal(1), Decimal(5), Decimal("0.1"), Decimal("1.25"))
"""The rates of the scripted server."""


@dataclass
class FakeTime:
    """A clock that moves only when somebody sleeps, and what was slept."""

    now_s: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    async def pause(self, seconds: float) -> None:
        self.sleep(seconds)


@dataclass
class Asker:
    """Asks the scripted server through one real engine of each kind."""

    server: Any
    kind: str
    time: FakeTime = field(default_factory=FakeTime)
    budget: Budget = field(default_factory=lambda: Budget(5.0))
    price: Price | None = PRICE
    engines: list[ServerEngine] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        return str(self.server.url + ("/v1" if self.kind == "openai" else ""))

    def engine(self, **settings: Any) -> ServerEngine:
        made = ServerEngine(
            self.named(**settings), lambda count: False,
            AnthropicApi() if self.kind == "anthropic" else OpenAICompatible(), self.budget,
            LoopClock(lambda: self.time.now_s, self.time.pause),
        )  # fmt: skip
        self.engines.append(made)
        return made

    def named(self, **settings: Any) -> Engine:
        return Engine("srv", self.kind, tuple({"base_url": self.base_url, "timeout_s": 60.0, **settings}.items()))

    def request(self, prompt: str = "Hi there", **changes: Any) -> Request:
        """A request to the model ``grader``; ``served`` and ``decoding`` are fields of those nouns."""
        served = Served(self.price, **changes.pop("served", {}))
        decoding = Decoding(**{"max_new_tokens": 64, **changes.pop("decoding", {})})
        system = (Message("system", changes.pop("system")),) if "system" in changes else ()
        model = Model("grader", changes.pop("id", "judge-1"), False, "judge-1", served=served)
        target = Target(
            model, Quantisation("served", "served"), engine=self.named(**changes.pop("engine", {})),
            condition=Condition("naked", changes.pop("condition", None)),
        )  # fmt: skip
        return Request(target, (*system, Message("user", prompt)), decoding, **changes)

    def ask(self, *requests: Request, **settings: Any) -> list[Any]:
        """The replies in the order of the requests."""
        engine = self.engine(**settings)
        for number, request in enumerate(requests or (self.request(),)):
            engine.submit(f"r{number}", request)
        return self.all_replies(engine, len(requests or (1,)))

    @staticmethod
    def all_replies(engine: ServerEngine, count: int) -> list[Any]:
        replies: dict[str, Any] = {}
        until = time.monotonic() + 120
        while len(replies) < count and time.monotonic() < until:
            for request_id, reply in engine.step():
                assert request_id not in replies, "two replies for one request"
                replies[request_id] = reply
        return [replies[f"r{number}"] for number in range(count)]


@pytest.fixture(params=["anthropic", "openai"])
def asker(request: pytest.FixtureRequest, api_server: Any) -> Iterator[Asker]:
    """The scripted server and an engine of each kind in turn; waits cost no time."""
    made = Asker(api_server, request.param)
    yield made
    for engine in made.engines:
        engine.close()


@pytest.fixture
def anthropic_asker(api_server: Any) -> Iterator[Asker]:
    """The scripted server and an engine of kind anthropic."""
    made = Asker(api_server, "anthropic")
    yield made
    for engine in made.engines:
        engine.close()


@pytest.fixture
def openai_asker(api_server: Any) -> Iterator[Asker]:
    """The scripted server and an engine of kind openai."""
    made = Asker(api_server, "openai")
    yield made
    for engine in made.engines:
        engine.close()
