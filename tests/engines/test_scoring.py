"""A score request is answered with the log-probability of each token of its continuation."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines.local import scoring
from evalkit.generation import Failure, Generation
from evalkit.store.generations import GenerationStore
from evalkit.target import Adapter


def scoring_requests(asking: Any, target: Any, prompts: list[str]) -> list[Any]:
    """Each prompt with a continuation of another length."""
    plain = [asking.request(target, text) for text in prompts]
    return [
        replace(request, kind="score", continuation=" ".join(["rain in Spain"] * (1 + index % 4)))
        for index, request in enumerate(plain)
    ]


def by_hand(folder: Path, adapter: Adapter | None, engine: Any, request: Any) -> list[float]:
    """One pass of transformers over prompt and continuation."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    renderer = engine._loaded[request.target.weights].weights.renderer
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter.location).eval()
    messages = (("user", request.messages[0].content),)
    prompt = list(renderer.prompt_ids(messages))
    wanted = list(renderer.continuation_ids(messages, request.continuation))
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt + wanted])).logits[0].log_softmax(dim=-1)
    return [float(logits[len(prompt) + place - 1, token]) for place, token in enumerate(wanted)]


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")
@pytest.mark.parametrize("name", ["llama", "gemma"])
def test_scores_are_those_of_one_plain_pass(
    name: str, asking: Any, adapters: dict[str, Adapter], prompts: list[str]
) -> None:
    """Rows of all lengths, base and adapter in one batch, beside rows that generate."""
    tuned = adapters["red"] if name == "llama" else None
    targets = [asking.target(name), asking.target(name, tuned)] if tuned else [asking.target(name)]
    requests = [request for target in targets for request in scoring_requests(asking, target, prompts[:9])]
    engine = asking.engine()

    replies = asking.answers(engine, [*requests, asking.request(targets[0], prompts[0])])

    assert isinstance(replies[-1], Generation)
    assert replies[-1].logprobs == ()
    for request, reply in zip(requests, replies, strict=False):
        adapter = request.target.adapters[0] if request.target.adapters else None
        assert reply.logprobs == pytest.approx(by_hand(asking.models[name], adapter, engine, request), abs=1e-4)
        assert (reply.text, reply.finish, reply.new_tokens) == (request.continuation, "scored", 0)
        assert len(reply.token_ids) == len(reply.logprobs) > 1


def test_scores_are_the_same_in_any_batch(asking: Any, prompts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one, together, shuffled, and in parts where the logits of all would be too many."""
    requests = scoring_requests(asking, asking.target(), prompts[:12])
    order = list(range(12))
    random.Random(4).shuffle(order)

    def scores(engine: Any, asked: list[Any]) -> list[Any]:
        return [pytest.approx(reply.logprobs, abs=1e-4) for reply in asking.answers(engine, asked)]

    together = [reply.logprobs for reply in asking.answers(asking.engine(), requests)]

    assert together == scores(asking.engine(one_by_one=True), requests)
    assert [together[index] for index in order] == scores(asking.engine(), [requests[index] for index in order])
    monkeypatch.setattr(scoring, "MOST_LOGITS", 320 * 40)
    assert together == scores(asking.engine(), requests)


def test_a_continuation_is_joined_as_the_tokenizer_joins_it(asking: Any) -> None:
    """Its tokens are those that follow the prompt's in the whole text."""
    engine = asking.engine()
    engine.load(asking.target(), ())
    renderer = engine._loaded[asking.target().weights].weights.renderer
    messages = (("user", "the rain"),)

    joined = renderer.continuation_ids(messages, "in Spain")

    assert renderer.text((*renderer.prompt_ids(messages), *joined)).endswith("assistant\nin Spain")
    assert renderer.continuation_ids(messages, "") == ()


def test_what_cannot_be_scored_is_a_failure(asking: Any, prompts: list[str]) -> None:
    """Nothing to score, or more than the model holds; the neighbour is scored."""
    (plain,) = scoring_requests(asking, asking.target(), prompts[:1])
    empty, long = replace(plain, continuation=""), replace(plain, continuation="cat " * 300)

    engine = asking.engine()
    nothing, too_long, fine = asking.answers(engine, [empty, long, plain])

    assert nothing == Failure("There is nothing to score: the continuation has no tokens.")
    prompt, tokens = fine.prompt_tokens, int(too_long.reason.split()[9].rstrip(":"))
    assert too_long == Failure(
        f"The prompt has {prompt} tokens and the continuation has {tokens}: {prompt + tokens} together, and the model "
        "holds 256. Shorten the prompt."
    )


def test_a_pass_that_fails_costs_no_other_row_its_score(asking: Any, prompts: list[str]) -> None:
    """An error in a batch of scores is found row by row."""
    requests = scoring_requests(asking, asking.target(), prompts[:4])
    engine = asking.engine()
    engine.load(asking.target(), ())
    weights = engine._loaded[asking.target().weights].weights
    poison = list(weights.renderer.prompt_ids((("user", prompts[2]),)))
    real = weights.model.forward

    def forward(**options: Any) -> Any:
        if any(str(poison)[1:-1] in str(row) for row in options["input_ids"].tolist()):
            raise ValueError("planted")
        return real(**options)

    weights.model.forward = forward
    replies = asking.answers(engine, requests)

    assert replies[2] == Failure("Generation failed: ValueError: planted")
    assert all(reply.logprobs for index, reply in enumerate(replies) if index != 2)


def test_scores_are_stored_with_the_answer(asking: Any, tmp_path: Path, prompts: list[str]) -> None:
    """What the store gives back has the same log-probabilities."""
    (request,) = scoring_requests(asking, asking.target(), prompts[:1])
    (reply,) = asking.answers(asking.engine(), [request])
    store = GenerationStore.open(tmp_path / "store.sqlite3")

    store.put([("id", request, reply)], "run")
    found = store.find(["id"])["id"]
    store.close()

    assert (found.logprobs, found.token_ids, found.finish) == (reply.logprobs, reply.token_ids, "scored")
