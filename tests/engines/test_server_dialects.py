"""The dialects of OpenAI's API: completions, log-probabilities, adapters, and what servers do not know."""

from __future__ import annotations

import math
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.engines.servers.openai_logprobs import scored
from evalkit.generation import Failure, Request
from evalkit.probe import Message
from evalkit.target import Adapter

if TYPE_CHECKING:
    from conftest import Asker

PLAIN: dict[str, Any] = {"api": "completions"}
FORMED: dict[str, Any] = {
    **PLAIN, "rendering": (("answer", "A:"), ("assistant", "A: {text}\n"), ("user", "Q: {text}\n")),
}  # fmt: skip
SCORING: dict[str, Any] = {**PLAIN, "logprobs": True}


def asked(asker: Asker, request: Request, **settings: Any) -> Any:
    """The one reply to a request whose engine has these settings."""
    engine = asker.named(**settings)
    (reply,) = asker.ask(replace(request, target=replace(request.target, engine=engine)), **settings)
    return reply


def talk(asker: Asker) -> Request:
    messages = (Message("user", "One {text}?"), Message("assistant", "One."), Message("user", "Two?"))
    return replace(asker.request(system="Count."), messages=(Message("system", "Count."), *messages))


def test_a_base_model_goes_on_with_a_text(openai_asker: Asker, api: ModuleType) -> None:
    """A single message is sent as it is; the answer is what comes after it."""
    openai_asker.server.script(api.ok(" there was a king.", stop="length"))

    reply = asked(openai_asker, openai_asker.request("Once upon a time"), **PLAIN)

    (received,) = openai_asker.server.posts
    assert received.path == "/v1/completions"
    assert received.body == {
        "model": "judge-1", "prompt": "Once upon a time", "max_tokens": 64, "temperature": 0.0,
    }  # fmt: skip
    assert (reply.text, reply.finish, reply.system_placement) == (" there was a king.", "length", "none")


@pytest.mark.parametrize(
    ("settings", "prompt"),
    [
        (PLAIN, "Count.\n\nOne {text}?\n\nOne.\n\nTwo?"),
        (FORMED, "Count.\n\nQ: One {text}?\nA: One.\nQ: Two?\nA:"),
    ],
)
def test_a_conversation_as_one_text(openai_asker: Asker, settings: dict[str, Any], prompt: str) -> None:
    """Blank lines between messages, or the forms that the engine declares; what users write is never a form."""
    reply = asked(openai_asker, talk(openai_asker), **settings)

    assert openai_asker.server.posts[0].body["prompt"] == prompt
    assert reply.system_placement == "user_turn"


def test_settings_that_change_the_text_are_part_of_identity(openai_asker: Asker) -> None:
    """The others are not."""
    request = openai_asker.request()
    settings = [
        {}, PLAIN, FORMED, {"logprobs": True}, {"takes": (("top_k", "top_k"),)}, {"leave_out": ("seed",)},
    ]  # fmt: skip
    facts = []
    for changes in settings:
        target = replace(request.target, engine=openai_asker.named(**changes))
        facts.append(openai_asker.engine().identity_facts(target))

    assert len(set(facts)) == len(settings)
    same = replace(request.target, engine=openai_asker.named(attempts=2, api="chat"))
    assert openai_asker.engine().identity_facts(same) == facts[0]


def test_an_adapter_is_a_model_name(openai_asker: Asker) -> None:
    """vLLM's way unless set; SGLang's as the base with the adapter behind it. Identity knows it."""
    request = openai_asker.request()
    target = replace(request.target, adapters=(Adapter("logos", "logos-v21", False, "logos-v21"),))

    asked(openai_asker, replace(request, target=target))
    asked(openai_asker, replace(request, target=target), adapter_model="{model}:{adapter}")

    assert [one.body["model"] for one in openai_asker.server.posts] == ["logos-v21", "judge-1:logos-v21"]
    assert dict(openai_asker.engine().identity_facts(target))["model"] == "logos-v21"


def test_an_adapter_that_may_be_ignored(openai_asker: Asker) -> None:
    """A server that lists other models may answer without it; that is said once."""
    openai_asker.server.models = ["judge-1", "tuned-7"]
    request = openai_asker.request()

    def on(name: str) -> Request:
        return replace(request, target=replace(request.target, adapters=(Adapter(name, name, False, name),)))

    openai_asker.ask(on("tuned-7"), on("logos"), on("logos"), request)

    assert openai_asker.budget.sentences() == [
        f"Server 'srv' ({openai_asker.base_url}) does not list 'logos' among its models (judge-1, tuned-7). Some "
        "servers ignore a name that they do not know and answer without the adapter: compare its answers with those of "
        "grader alone."
    ]
    assert [one.path for one in openai_asker.server.received if one.method == "GET"] == ["/v1/models"] * 2


def test_penalties_and_biases_are_sent(openai_asker: Asker) -> None:
    """Under the API's names, and only where they are set."""
    asked(openai_asker, openai_asker.request(decoding={
        "presence_penalty": 0.5, "frequency_penalty": -0.25, "logit_bias": ((17, 2.0), (4, -100.0)),
    }))  # fmt: skip

    body = openai_asker.server.posts[0].body
    assert (body["presence_penalty"], body["frequency_penalty"]) == (0.5, -0.25)
    assert body["logit_bias"] == {"17": 2.0, "4": -100.0}


def test_what_a_server_takes_beyond_the_api(openai_asker: Asker) -> None:
    """Where the engine says so, under the server's own name, and per request."""
    takes = (("min_p", "min_p"), ("repetition_penalty", "repeat_penalty"), ("top_k", "top_k"))
    request = openai_asker.request(decoding={"temperature": 0.7, "top_k": 9, "repetition_penalty": 1.2})

    asked(openai_asker, request, takes=takes)

    body = openai_asker.server.posts[0].body
    assert {name: body.get(name) for name in ("top_k", "min_p", "repeat_penalty", "repetition_penalty")} == {
        "top_k": 9, "min_p": None, "repeat_penalty": 1.2, "repetition_penalty": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Unrecognized request argument supplied: seed", "type": "invalid_request_error"}},
        {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
        {"object": "error", "message": "body.seed: unknown field"},
        {"error": "seed is not supported", "error_type": "validation"},
    ],
    ids=["openai", "fastapi", "vllm", "tgi"],
)
@pytest.mark.parametrize("status", [400, 422])
def test_an_unknown_field_is_named_with_the_setting_that_leaves_it_out(
    openai_asker: Asker, api: ModuleType, body: dict[str, Any], status: int
) -> None:
    """In whatever form the server complains; with the setting it is sent no more."""
    openai_asker.server.script(api.failing(status, body=body))
    request = openai_asker.request(decoding={"temperature": 0.5, "seed": 3}, seed=3)

    refused = asked(openai_asker, request)
    answered = asked(openai_asker, request, leave_out=("seed",))

    assert isinstance(refused, Failure)
    assert refused.reason.startswith(f"Server 'srv' ({openai_asker.base_url}) refused: HTTP {status}: ")
    assert refused.reason.endswith(
        "If it does not know seed, have it left out: leave_out: [seed] of the engine in fixtures/targets.yaml."
    )
    assert ["seed" in one.body for one in openai_asker.server.posts] == [True, False]
    assert answered.text == "Fine."


def test_a_limit_is_never_to_be_left_out(openai_asker: Asker, api: ModuleType) -> None:
    """A complaint about it names the decoding."""
    openai_asker.server.script(api.failing(400, "max_tokens is too large: 64"))

    reply = asked(openai_asker, openai_asker.request())

    assert reply.reason == (
        f"Server 'srv' ({openai_asker.base_url}) refused: HTTP 400: max_tokens is too large: 64. Change what it names: "
        "the model grader, its decoding, or its sampling, thinking, structured."
    )


def test_a_reply_without_usage(openai_asker: Asker, api: ModuleType) -> None:
    """Its tokens are not known, which its facts say."""
    openai_asker.server.script(api.ok("Fine.", tells_usage=False))

    reply = asked(openai_asker, openai_asker.request())

    assert (reply.text, reply.prompt_tokens, reply.new_tokens) == ("Fine.", 0, 0)
    assert dict(reply.facts)["usage"] == "not reported"


@pytest.mark.parametrize("field", ["stop_reason", "matched_stop"])
@pytest.mark.parametrize(("found", "finish"), [("END", "stop_string"), (None, "stop"), (128009, "stop")])
def test_a_stop_text_is_told_from_the_models_own_end(
    openai_asker: Asker, api: ModuleType, field: str, found: object, finish: str
) -> None:
    """By the field in which vLLM or SGLang names it; a token's id is the model's own end."""
    choice = {"message": {"role": "assistant", "content": "So."}, "finish_reason": "stop", field: found}
    openai_asker.server.script(api.ok(changes={"choices": [choice]}))

    reply = asked(openai_asker, openai_asker.request(decoding={"stop": ("END",)}))

    assert reply.finish == finish


def test_arguments_that_are_an_object(openai_asker: Asker, api: ModuleType) -> None:
    """Some servers send a tool's arguments as they are and not as their JSON."""
    call = {"type": "function", "function": {"name": "answer", "arguments": {"verdict": "pass"}}}
    choice = {"message": {"content": None, "tool_calls": [call]}, "finish_reason": "tool_calls"}
    openai_asker.server.script(api.ok(changes={"choices": [choice]}))

    assert asked(openai_asker, openai_asker.request()).text == '{"verdict": "pass"}'


def test_logprobs_of_an_answer(openai_asker: Asker, api: ModuleType) -> None:
    """From chat and from completions; none where the server gives none, and none asked for unless set."""
    tokens = [{"token": "So", "logprob": -0.5}, {"token": ".", "logprob": -0.25}]
    choice = {"message": {"content": "So."}, "finish_reason": "stop", "logprobs": {"content": tokens}}
    openai_asker.server.script(api.ok(changes={"choices": [choice]}), api.ok("So it is."), api.ok(), api.ok())

    chat = asked(openai_asker, openai_asker.request(), logprobs=True)
    text = asked(openai_asker, openai_asker.request(), **SCORING)
    silent = asked(openai_asker, openai_asker.request(), logprobs=True)
    unasked = asked(openai_asker, openai_asker.request())

    assert [one.body.get("logprobs") for one in openai_asker.server.posts] == [True, 1, True, None]
    assert (chat.logprobs, text.logprobs) == ((-0.5, -0.25), (-1.0, -1.0, -1.0))
    assert (silent.logprobs, unasked.logprobs) == ((), ())


def test_a_continuation_is_scored(openai_asker: Asker, api: ModuleType) -> None:
    """Its tokens alone, and not the one that the server adds."""
    openai_asker.server.script(api.ok(" wanted by nobody"))
    request = openai_asker.request("The capital of France is", kind="score", continuation=" Paris or Lyon")

    reply = asked(openai_asker, request, **SCORING)

    assert (reply.text, reply.finish, reply.logprobs) == (" Paris or Lyon", "scored", (-1.0, -1.0, -1.0))
    assert openai_asker.server.posts[0].body == {
        "model": "judge-1", "prompt": "The capital of France is Paris or Lyon", "max_tokens": 1, "temperature": 0.0,
        "echo": True, "logprobs": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("continuation", "echo", "why"),
    [
        (" Paris", False, "it echoes no text with log-probabilities: this server cannot score"),
        ("land", True, "one of its tokens is part prompt and part continuation: begin the continuation elsewhere"),
    ],
)
def test_a_score_that_cannot_be_had(
    openai_asker: Asker, api: ModuleType, continuation: str, echo: bool, why: str
) -> None:
    """llama.cpp ignores echo; and a tokenizer may join the ends. No number is made up, and nobody asks again."""
    changes = {} if echo else {"choices": [{"text": " Paris", "logprobs": {"content": []}}]}
    openai_asker.server.script(api.ok(" and", changes=changes))

    reply = asked(openai_asker, openai_asker.request("Fin", kind="score", continuation=continuation), **SCORING)

    assert isinstance(reply, Failure)
    assert reply.reason == (f"Server 'srv' ({openai_asker.base_url}) refused: a reply without a score ({why}).")
    assert len(openai_asker.server.posts) == 1


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        {},
        {"text_offset": [0, 3], "token_logprobs": [None]},
        {"text_offset": [], "token_logprobs": []},
        {"text_offset": [None], "token_logprobs": [None]},
        {"text_offset": [1], "token_logprobs": [-1.0]},
        {"text_offset": [0, 1], "token_logprobs": [None, None]},
    ],
)
def test_no_score_is_made_of_what_is_no_score(logprobs: Any) -> None:
    """Whatever the reply holds."""
    assert isinstance(scored({"text": "ab", "logprobs": logprobs}, "a", "b"), str)


def test_a_score_is_a_sum_of_numbers() -> None:
    """Whole numbers count as numbers."""
    found = scored({"text": "abc", "logprobs": {"text_offset": [0, 1, 2], "token_logprobs": [None, 0, -2]}}, "a", "bc")

    assert not isinstance(found, str)
    assert math.fsum(found) == -2.0
