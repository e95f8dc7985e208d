"""What a server is asked, and how its reply is read."""

from __future__ import annotations

import json
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.engines.servers import anthropic_api, openai_compatible
from evalkit.generation import Failure
from evalkit.identity import request_identity
from evalkit.probe import Message
from evalkit.target import Engine

if TYPE_CHECKING:
    from conftest import Asker

SCHEMA = json.dumps({
    "type": "object", "properties": {"verdict": {"type": "string"}}, "required": ["verdict"],
    "additionalProperties": False,
})  # fmt: skip
LOOSE = json.dumps({"type": "object", "properties": {"verdict": {"type": "string"}}})
ANSWER = {"verdict": "päss"}


def test_what_anthropic_is_asked(anthropic_asker: Asker) -> None:
    """Condition and system message in front with the cache's breakpoint, temperature 0, the key in its header."""
    request = anthropic_asker.request(
        "Judge this.", system="You judge.", condition="Be strict.", decoding={"stop": ("END",)}
    )

    (reply,) = anthropic_asker.ask(request)

    (received,) = anthropic_asker.server.posts
    assert received.path == "/v1/messages"
    assert any("sk-test-0123456789" in value for value in received.headers.values())
    assert received.body == {
        "model": "judge-1", "max_tokens": 64, "temperature": 0.0, "stop_sequences": ["END"],
        "system": [
            {"type": "text", "text": "Be strict.\n\nYou judge.", "cache_control": {"type": "ephemeral"}}
        ],
        "messages": [{"role": "user", "content": "Judge this."}],
    }  # fmt: skip
    assert reply.system_placement == "system_role"
    assert dict(reply.facts)["server"] == anthropic_asker.base_url
    assert dict(reply.facts)["model_reported"] == "judge-1"


def test_what_an_openai_server_is_asked(openai_asker: Asker) -> None:
    """Roles as they are, temperature 0, the key as bearer."""
    openai_asker.ask(openai_asker.request("Judge this.", system="You judge.", decoding={"stop": ("END",)}))

    (received,) = openai_asker.server.posts
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == "Bearer sk-test-0123456789"
    assert received.body == {
        "model": "judge-1", "max_tokens": 64, "temperature": 0.0, "stop": ["END"],
        "messages": [{"role": "system", "content": "You judge."}, {"role": "user", "content": "Judge this."}],
    }  # fmt: skip


def test_openais_own_models_get_the_newer_limit(openai_asker: Asker) -> None:
    """They refuse the older name, other servers may not know the newer."""
    request = openai_asker.request(engine={"base_url": "https://api.openai.com/v1"})

    plain = openai_compatible.OpenAICompatible().parameters(request)

    assert (plain["max_completion_tokens"], "max_tokens" in plain) == (64, False)


def test_sampled_decodings(anthropic_asker: Asker, openai_asker: Asker) -> None:
    """Each API gets what it has; a seed only where one is asked for."""
    warm = {"temperature": 0.7, "top_p": 0.9}
    anthropic = anthropic_asker.request(decoding={**warm, "top_k": 40}, seed=5)
    unseeded = openai_asker.request(decoding=warm, seed=5)
    seeded = openai_asker.request(decoding={**warm, "seed": 1}, seed=5)

    asked = anthropic_api.AnthropicApi().parameters(anthropic)
    assert (asked["temperature"], asked["top_p"], asked["top_k"]) == (0.7, 0.9, 40)
    api = openai_compatible.OpenAICompatible()
    assert (api.parameters(unseeded)["top_p"], "seed" in api.parameters(unseeded)) == (0.9, False)
    assert api.parameters(seeded)["seed"] == 5


def test_a_model_that_takes_no_temperature(asker: Asker) -> None:
    """``sampling: false`` leaves it out; ``thinking`` is told as written."""
    served = {"sampling": False, **({"thinking": "disabled"} if asker.kind == "anthropic" else {})}

    asker.ask(asker.request(served=served))

    body = asker.server.posts[0].body
    assert "temperature" not in body
    assert body.get("thinking") == ({"type": "disabled"} if asker.kind == "anthropic" else None)


@pytest.mark.parametrize("structured", [None, "tool", "schema"])
def test_an_answer_in_a_schema(asker: Asker, api: ModuleType, structured: str | None) -> None:
    """However it is asked for, the text is the object's JSON."""
    asker.server.always = lambda received: api.ok("Let me see.", answer=ANSWER)

    (reply,) = asker.ask(asker.request(answer_schema=SCHEMA, served={"structured": structured}))

    assert json.loads(reply.text) == ANSWER
    assert reply.finish == "stop"
    body = asker.server.posts[0].body
    forced: dict[tuple[str, str | None], Any] = {
        ("anthropic", None): {"type": "tool", "name": "answer", "disable_parallel_tool_use": True},
        ("openai", "tool"): {"type": "function", "function": {"name": "answer"}},
    }
    forced["anthropic", "tool"] = forced["anthropic", None]
    assert body.get("tool_choice") == forced.get((asker.kind, structured))
    if (asker.kind, structured) == ("anthropic", "schema"):
        assert body["output_config"] == {"format": {"type": "json_schema", "schema": json.loads(SCHEMA)}}
    elif asker.kind == "anthropic":
        assert body["tools"] == [
            {"name": "answer", "description": "Gives the answer.", "input_schema": json.loads(SCHEMA)}
        ]
    elif structured == "tool":
        assert body["tools"][0]["function"]["parameters"] == json.loads(SCHEMA)
    else:
        assert body["response_format"]["json_schema"] == {
            "name": "answer", "schema": json.loads(SCHEMA), "strict": True,
        }  # fmt: skip


def test_a_loose_schema_is_not_strict(openai_asker: Asker) -> None:
    """OpenAI's strict mode refuses schemas with optional properties."""
    openai_asker.ask(openai_asker.request(answer_schema=LOOSE))

    assert openai_asker.server.posts[0].body["response_format"]["json_schema"]["strict"] is False


def test_a_wrong_tool_gives_the_text_that_came(asker: Asker, api: ModuleType) -> None:
    """What was put into a tool nobody offered is no answer; the judge asks again."""
    asker.server.script(api.wrong_tool("I searched."), api.wrong_tool(), api.ok("No tool at all."))
    request = asker.request(answer_schema=SCHEMA, served={"structured": "tool"})

    texts = [asker.ask(request)[0].text for _ in range(3)]

    assert texts == ["I searched.", "", "No tool at all."]


@pytest.mark.parametrize(
    ("kind", "stop", "finish"),
    [
        ("anthropic", "max_tokens", "length"), ("anthropic", "model_context_window_exceeded", "length"),
        ("anthropic", "stop_sequence", "stop_string"), ("anthropic", "end_turn", "stop"),
        ("anthropic", "refusal", "refusal"), ("openai", "length", "length"), ("openai", "stop", "stop"),
        ("openai", "content_filter", "refusal"),
    ],
)  # fmt: skip
def test_why_a_reply_ended(request: pytest.FixtureRequest, api: ModuleType, kind: str, stop: str, finish: str) -> None:
    """Each vendor's word as ours."""
    asker = request.getfixturevalue(f"{kind}_asker")
    asker.server.script(api.ok("Half a sen", stop=stop))

    (reply,) = asker.ask()

    assert (reply.text, reply.finish) == ("Half a sen", finish)


def test_a_refusal_is_an_answer(asker: Asker, api: ModuleType) -> None:
    """Its text as it came, marked; nobody asks again."""
    asker.server.script(api.refusing("I will not judge that."))

    (reply,) = asker.ask()

    assert (reply.text, reply.finish, reply.attempts) == ("I will not judge that.", "refusal", 1)
    assert reply.cost_usd == asker.server.billed_usd


def test_an_empty_reply_is_an_empty_text(asker: Asker, api: ModuleType) -> None:
    """What that means is the judge's to say."""
    asker.server.script(api.empty())

    (reply,) = asker.ask()

    assert (reply.text, reply.finish) == ("", "stop")


def test_thinking_is_kept_apart(asker: Asker, api: ModuleType) -> None:
    """A field of its own stays one."""
    asker.server.script(api.ok("Four.", thinking="Two and two."))

    (reply,) = asker.ask()

    assert (reply.text, reply.thinking) == ("Four.", "Two and two.")


@pytest.mark.parametrize(
    ("kind", "decoding", "sentence"),
    [
        ("anthropic", {"min_p": 0.1}, "min_p: engines of kind anthropic cannot set it, found 0.1. Take it out."),
        ("anthropic", {"repetition_penalty": 1.2},
         "repetition_penalty: engines of kind anthropic cannot set it, found 1.2. Take it out."),
        ("anthropic", {"temperature": 1.5},
         "temperature: engines of kind anthropic take at most 1, found 1.5. Lower it."),
        ("anthropic", {"temperature": 0.5, "seed": 3},
         "seed: engines of kind anthropic have none. Take it out; samples differ from run to run."),
        ("openai", {"temperature": 0.5, "top_k": 4},
         "top_k: engines of kind openai cannot set it, found 4. Take it out, or, where the server knows it, add it to "
         "takes: of the engine srv."),
        ("openai", {"banned": (3,)}, "banned: engines of kind openai cannot set it, found (3,). Take it out."),
        ("openai", {"logit_bias": (("yes", 2.0),)},
         "logit_bias: a server wants tokens by their ids, found 'yes'. Write the token's id."),
        ("anthropic", {"presence_penalty": 0.5},
         "presence_penalty: engines of kind anthropic cannot set it, found 0.5. Take it out."),
        ("anthropic", {"stop": ("\n",)},
         "stop: engines of kind anthropic take no stop text of blanks alone, found '\\n'. Take it out."),
    ],
)  # fmt: skip
def test_what_an_api_cannot_do_is_refused(
    request: pytest.FixtureRequest, kind: str, decoding: dict[str, Any], sentence: str
) -> None:
    """In a sentence, before it is asked; nothing is dropped silently."""
    asker = request.getfixturevalue(f"{kind}_asker")

    (reply,) = asker.ask(asker.request(decoding=decoding))

    assert reply == Failure(f"The model grader cannot be asked: {sentence}")
    assert asker.server.received == []


def test_other_things_no_server_does(asker: Asker) -> None:
    """Scoring; sampling where the model takes no temperature."""
    score = asker.request(kind="score", continuation="x")
    warm = asker.request(decoding={"temperature": 0.5}, served={"sampling": False})

    replies = asker.ask(score, warm)

    assert replies == [
        Failure(
            "Engine 'srv' cannot score: only servers of kind openai give log-probabilities of a text, and they need "
            "api: completions and logprobs: true in fixtures/targets.yaml."
        ),
        Failure(
            "The model grader cannot be asked: temperature: the model grader takes none (sampling: false), found 0.5. "
            "Use a greedy decoding; the server then samples as it always does."
        ),
    ]


def test_a_late_system_message(anthropic_asker: Asker) -> None:
    """The Messages API has no place for it."""
    request = anthropic_asker.request()
    messages = (Message("user", "Hi"), Message("system", "Now be brief."), Message("user", "Well?"))
    late = type(request)(request.target, messages, request.decoding)

    (reply,) = anthropic_asker.ask(late)

    assert reply == Failure("The model grader cannot be asked: its API takes a system message only at the start.")


def test_identity_facts(asker: Asker) -> None:
    """Whom and how it is asked, not what it is called, what it costs or how often it is tried."""
    request = asker.request()
    facts = asker.engine(attempts=2).identity_facts(request.target)

    assert dict(facts) == {
        "base_url": asker.base_url, "model": "judge-1", "revision": None, "sampling": True, "thinking": None,
        "structured": "tool" if asker.kind == "anthropic" else "schema",
    }  # fmt: skip
    assert request_identity(request, facts) != request_identity(asker.request(answer_schema=SCHEMA), facts)


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_the_vendors_own_retries_are_off(kind: str, request: pytest.FixtureRequest, api: ModuleType) -> None:
    """One attempt of ours is one request on the wire."""
    asker = request.getfixturevalue(f"{kind}_asker")
    asker.server.always = lambda received: api.failing(500)

    asker.ask(attempts=1)

    assert len(asker.server.posts) == 1


def test_base_urls_are_those_of_the_vendors() -> None:
    """Without a setting, and the environment has no say in it."""
    from evalkit.engines.servers.settings import ServerSettings

    assert ServerSettings.of(Engine("a", "anthropic")).base_url == "https://api.anthropic.com"
    assert ServerSettings.of(Engine("o", "openai")).base_url == "https://api.openai.com/v1"
    assert ServerSettings.of(Engine("o", "openai", (("base_url", "http://localhost:1/v1/"),))).is_local
