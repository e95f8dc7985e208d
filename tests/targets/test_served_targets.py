"""Targets that a server holds, and every sentence about one that cannot be."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import EvalkitError
from evalkit.reading.engine_settings import SETTINGS
from evalkit.reading.served_models import ONLY_SERVED
from evalkit.target import Engine, Model, Price, Quantisation, Served
from evalkit.workspace import builtin_root

if TYPE_CHECKING:
    from conftest import Scratch

GRADER = """
engines:
  vllm: {kind: openai, base_url: "http://localhost:8000/v1", concurrency: 4, timeout_s: 60, expires_days: 1}
models:
  grader: {engine: vllm, id: Qwen/Qwen3-8B, revision: abc, price: {input: 0.2, output: 0.4}, decoding: {stop: END}}
  own: {path: models/own}
adapters:
  far: {id: far-v3}
  near: {path: adapters/a, id: near-v1, base: grader}
"""


@pytest.fixture
def served(scratch: Scratch) -> Scratch:
    """A workspace with a model at a server and one in a folder, which is the default."""
    scratch.model("models/own")
    scratch.declare(GRADER + "default: [own]\n")
    return scratch


def test_a_served_model(served: Scratch) -> None:
    """Its quantisation is ``served``, its engine the one it names; no folder is looked for."""
    (target,) = served.resolve(targets=("grader",))

    assert target.label == "grader:served:naked:greedy"
    assert target.model == Model(
        "grader", "Qwen/Qwen3-8B", False, "Qwen/Qwen3-8B", "abc",
        served=Served(Price(Decimal("0.2"), Decimal("0.4"))),
    )  # fmt: skip
    assert target.quantisation == Quantisation("served", "served")
    assert target.engine == Engine(
        "vllm", "openai",
        (("base_url", "http://localhost:8000/v1"), ("concurrency", 4), ("expires_days", 1.0), ("timeout_s", 60.0)),
    )  # fmt: skip
    assert target.decoding.stop == ("END",)


@pytest.mark.parametrize(
    ("choice", "labels"),
    [
        ({"targets": ("grader:served:naked:greedy",)}, ["grader:served:naked:greedy"]),
        ({"models": ("grader",)}, ["grader:served:naked:greedy"]),
        ({"models": ("grader", "own")}, ["grader:served:naked:greedy", "own:bf16:naked:greedy"]),
        ({"models": ("own",), "targets": ("grader",)}, ["own:bf16:naked:greedy"]),
        ({"models": ("grader",), "decodings": ("temperature=0.5",)}, ["grader:served:naked:t0.5"]),
        ({"models": ("Qwen/Qwen3-8B",)}, ["Qwen3-8B:bf16:naked:greedy"]),
        ({"models": ("grader",), "engine": "replay"}, ["grader:served:naked:greedy"]),
        (
            {"models": ("grader",), "adapters": ("far", "none")},
            ["grader+far:served:naked:greedy", "grader:served:naked:greedy"],
        ),
        ({"adapters": ("near",)}, ["grader+near:served:naked:greedy"]),
        ({"targets": ("grader+far",)}, ["grader+far:served:naked:greedy"]),
    ],
)
def test_served_models_on_the_command_line(served: Scratch, choice: dict[str, object], labels: list[str]) -> None:
    """Engine and quantisation follow the model; a hub id of the same name is still the hub's."""
    assert served.labels(**choice) == labels


def test_an_adapter_at_a_server(served: Scratch) -> None:
    """It is what the server calls it, its id or else its name, wherever its weights lie here; facts are read."""
    served.adapter("adapters/a", "models/own")
    served.adapter("adapters/b", "models/own")

    far, near, undeclared = served.resolve(models=("grader",), adapters=("far", "adapters/a", "adapters/b"))

    assert [target.adapters[0].location for target in (far, near, undeclared)] == ["far-v3", "near-v1", "b"]
    assert not any(target.adapters[0].is_local for target in (far, near, undeclared))
    assert dict(near.adapters[0].facts)["peft_type"] == "LORA"


def test_models_that_every_workspace_has(scratch: Scratch) -> None:
    """fixtures/servers.yaml is read first, so that a judge may ask claude-haiku anywhere."""
    scratch.model("models/own")
    scratch.declare("models:\n  own: {path: models/own}\n")

    haiku, sonnet = scratch.resolve(targets=("claude-haiku", "claude-sonnet"))

    assert (haiku.model.location, haiku.engine.kind) == ("claude-haiku-5-5", "anthropic")
    assert haiku.model.served is not None
    assert haiku.model.served.price is not None
    assert haiku.model.served.price.input == Decimal("0.1")
    assert haiku.model.served.price.long == Price(Decimal("0.5"), Decimal("2.5"), Decimal("0.05"), Decimal("0.625"))
    assert sonnet.model.served is not None
    assert (sonnet.model.served.structured, sonnet.model.served.thinking) == ("schema", "between_tools")


def test_they_may_be_declared_again(scratch: Scratch) -> None:
    """Names, settings and prices of the workspace replace evalkit's."""
    scratch.declare(
        "engines:\n  anthropic: {attempts: 2}\n"
        "models:\n  claude-haiku: {engine: anthropic, id: claude-haiku-4-5}\n"
        "prices:\n  claude-haiku-4-5: {input: 3, output: 4, batch: 0.25}\n"
    )

    (target,) = scratch.resolve(targets=("claude-haiku",))

    assert target.engine.setting("attempts") == 2
    assert target.model.served == Served(Price(Decimal("3.0"), Decimal("4.0"), batch=Decimal("0.25")))


REFUSED = [
    ({"targets": ("grader:nf4",)},
     "--eval-target: nf4 cannot be had: the model grader is held as its server holds it. Use served, or leave it out."),
    ({"models": ("grader",), "quantisations": ("nf4",)},
     "--eval-model: nf4 cannot be had: the model grader is held as its server holds it. Use served, or leave it out."),
    ({"models": ("own",), "quantisations": ("served",)},
     "--eval-model: served cannot be had: the model own is loaded here, by no server. "
     "Use one of bf16, fp32, fp16, nf4, fp4, int8."),
    ({"models": ("own",), "engine": "vllm"},
     "--eval-model: engine 'vllm' asks a server, and the model own is no server's. Declare a model with engine: vllm "
     "and its id in fixtures/targets.yaml."),
    ({"models": ("grader",), "engine": "local"},
     "--eval-model: the model grader is served; engine 'local' cannot load it. Leave the engine out."),
    ({"models": ("grader",), "adapters": ("adapters/a+adapters/a",)},
     "--eval-adapter: a server is asked for one adapter as it serves it, found near, near. Serve the adapted model and "
     "declare it as a model of its own."),
    ({"models": ("grader",), "adapters": ("adapters/a+merged",)},
     "--eval-adapter: a server is asked for one adapter as it serves it, found near, merged. Serve the adapted model "
     "and declare it as a model of its own."),
    ({"models": ("claude-haiku",), "adapters": ("adapters/a",)},
     "--eval-adapter: engines of kind anthropic know no adapters, found near. Pass --eval-adapter none."),
    ({"models": ("own",), "adapters": ("far",)},
     "--eval-adapter: the adapter far is declared by its server's id alone and cannot be loaded here. Add its path or "
     "hub, or use a model that a server holds."),
    ({"adapters": ("far",)},
     "fixtures/targets.yaml:8: $.adapters.far: nothing says which model the served adapter far belongs to. Add base: "
     "to it, or pass --eval-model."),
    ({"models": ("grader",), "decodings": ("temperature=1,top_k=4",)},
     "--eval-model: top_k: engines of kind openai cannot set it, found 4. Take it out, or, where the server knows it, "
     "add it to takes: of the engine vllm."),
    ({"models": ("claude-haiku",), "decodings": ("temperature=1",)},
     "--eval-model: temperature: the model claude-haiku takes none (sampling: false), found 1. Use a greedy decoding; "
     "the server then samples as it always does."),
]  # fmt: skip


@pytest.mark.parametrize(("choice", "message"), REFUSED)
def test_what_cannot_be_served_says_why(served: Scratch, choice: dict[str, object], message: str) -> None:
    """Before anything is asked."""
    served.adapter("adapters/a", "models/own")

    with pytest.raises(EvalkitError) as raised:
        served.resolve(**choice)

    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models:\n  a: {id: x}\n",
         "$.models.a: engine is missing: which server knows 'x'? Known: anthropic, openai."),
        ("models:\n  a: {id: x, engine: local}\n",
         "$.models.a.engine: no server engine is named 'local'. Known: anthropic, openai."),
        ("models:\n  a: {id: x, engine: openai, thinking: disabled}\n",
         "$.models.a.thinking: only engines of kind anthropic understand it, and 'openai' is of kind openai. "
         "Take this line out."),
        ("models:\n  a: {id: x, engine: openai, trust_remote_code: true}\n",
         "$.models.a.trust_remote_code: has no effect on a served model. Take this line out."),
        ("models:\n  a: {hub: x/y, sampling: false}\n",
         "$.models.a.sampling: is only for models with an id, which one of the engines anthropic, openai asks for. "
         "Take this line out, or write id in place of path or hub."),
        ("models:\n  a: {hub: x/y, id: x}\n",
         "$.models.a: expected path (a folder), hub (an id on the hub) or id (a server's), found hub and id."),
        ("engines:\n  openai: {base_url: localhost}\n",
         "$.engines.openai.base_url: expected a URL such as http://localhost:8000/v1, found 'localhost'."),
        ("engines:\n  openai: {timeout_s: 0}\n",
         "$.engines.openai.timeout_s: expected a number of seconds above 0, found 0."),
        ("engines:\n  openai: {expires_days: -1}\n",
         "$.engines.openai.expires_days: expected a number of days, 0 or more, found -1."),
        ("engines:\n  openai: {api_key_env: sk-secret 1}\n",
         "$.engines.openai.api_key_env: expected the name of an environment variable, found something else "
         "(not shown, it may be a key)."),
        ("engines:\n  openai: {api_key: sk-1}\n",
         "$.engines.openai.api_key: no setting of engine kind 'openai' is named 'api_key'. Did you mean 'api_key_env'? "
         "Known: adapter_model, api, api_key_env, attempts, base_url, concurrency, expires_days, leave_out, logprobs, "
         "max_wait_s, rendering, takes, timeout_s."),
        ("engines:\n  openai: {api: chats}\n",
         "$.engines.openai.api: expected one of chat, completions, found 'chats'."),
        ("engines:\n  openai: {rendering: {user: 'Q: {text}'}}\n",
         "$.engines.openai.rendering: has no effect without api: completions. Add that, or take this line out."),
        ("engines:\n  openai: {api: completions, rendering: {user: 'Q:'}}\n",
         "$.engines.openai.rendering: expected forms such as 'Q: {text}' under system, user and assistant, and the "
         "start of the answer under answer, found {'user': 'Q:'}."),
        ("engines:\n  openai: {takes: [top_q]}\n",
         "$.engines.openai.takes: expected a list of any of top_k, min_p, repetition_penalty, min_new_tokens, or the "
         "server's name for each, found ['top_q']."),
        ("engines:\n  openai: {leave_out: [max_tokens]}\n",
         "$.engines.openai.leave_out: expected a list of fields of the request, none of model, messages, prompt, "
         "max_tokens, max_completion_tokens, found ['max_tokens']."),
        ("engines:\n  openai: {logprobs: 3}\n", "$.engines.openai.logprobs: expected true or false, found 3."),
        ("engines:\n  openai: {adapter_model: x}\n",
         "$.engines.openai.adapter_model: expected text with {adapter} in it, such as '{model}:{adapter}', found 'x'."),
        ("quantisations:\n  served: {kind: nf4}\n",
         "$.quantisations.served: 'served' is built in and cannot be declared. Choose another name."),
        ("prices:\n  x: {input: 1}\n", "$.prices.x: the key 'output' is missing. Add it."),
    ],
)  # fmt: skip
def test_a_mistake_about_a_server_is_shown_at_its_line(scratch: Scratch, text: str, message: str) -> None:
    """File, line, field, what was found, what to do."""
    scratch.declare(text + "default: [claude-haiku]\n")

    with pytest.raises(EvalkitError) as raised:
        scratch.resolve()

    assert str(raised.value) == f"fixtures/targets.yaml:2: {message}"


def test_the_file_in_the_docs_is_read(scratch: Scratch) -> None:
    """docs/servers.md shows a file; it works as it stands, and its tables name every key and setting there is."""
    page = (builtin_root() / "docs/servers.md").read_text(encoding="utf-8")
    scratch.declare(page.split("```yaml\n")[1].split("```")[0])

    targets = scratch.resolve(targets=("qwen", "grader", "judge-gpt"))

    assert [target.label for target in targets] == [
        "qwen:served:naked:greedy", "grader:served:naked:greedy", "judge-gpt:served:naked:greedy",
    ]  # fmt: skip
    prices = [target.model.served.price for target in targets if target.model.served is not None]
    assert [price and price.output for price in prices] == [None, Decimal(5), Decimal(2)]
    assert set(re.findall(r"^\| `(\w+)` \| (?!beside|any)[^|]* \| ", page, re.MULTILINE)) >= set(SETTINGS["openai"])
    assert all(f"`{key}" in page for key in ONLY_SERVED)
