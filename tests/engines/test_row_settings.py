"""Every setting of a decoding works for its own row, beside rows with other settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evalkit.engines.local.batches import Row
from evalkit.engines.local.drafting import Draft
from evalkit.generation import Failure, Generation, Request
from evalkit.probe import Message
from evalkit.target import Decoding, Model, Quantisation, Target


def by_generate(asking: Any, texts: list[str], new: int, **options: Any) -> list[tuple[int, ...]]:
    """What ``generate`` with its own processors gives each prompt alone."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    folder = asking.models["llama"]
    words, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder).eval()
    model.generation_config = GenerationConfig()
    config = GenerationConfig(do_sample=False, max_new_tokens=new, eos_token_id=[1, 4], pad_token_id=0, **options)
    found = []
    for text in texts:
        messages = [{"role": "user", "content": text}]
        ids = torch.tensor([words.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)])
        output = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
        found.append(tuple(output[0, ids.shape[1] :].tolist()))
    return found


@pytest.mark.parametrize(
    ("decoding", "options"),
    [
        ({"repetition_penalty": 1.4}, {"repetition_penalty": 1.4}),
        ({"no_repeat_ngram": 1}, {"no_repeat_ngram_size": 1}),
        ({"no_repeat_ngram": 2}, {"no_repeat_ngram_size": 2}),
        ({"min_new_tokens": 30}, {"min_new_tokens": 30}),
        (
            {"logit_bias": ((50, 9.0), (60, -3.0), (70, 8.5))},
            {"sequence_bias": [[[50], 9.0], [[60], -3.0], [[70], 8.5]]},
        ),
        ({"banned": tuple(range(100, 320))}, {"bad_words_ids": [[token] for token in range(100, 320)]}),
    ],
    ids=["repetition", "ngram1", "ngram2", "min_new", "bias", "banned"],
)
def test_a_setting_does_what_transformers_does_with_it(
    decoding: dict[str, Any], options: dict[str, Any], asking: Any, prompts: list[str]
) -> None:
    """Rows with it have the tokens of ``generate`` with it, rows beside them those of ``generate`` without."""
    target, texts = asking.target(), prompts[24:32]
    shaped = [asking.request(target, text, max_new_tokens=32, **decoding) for text in texts]
    plain = [asking.request(target, text, max_new_tokens=32) for text in texts]

    replies = [reply.token_ids for reply in asking.answers(asking.engine(), [*shaped, *plain])]

    assert replies[:8] == by_generate(asking, texts, 32, **options)
    assert replies[8:] == by_generate(asking, texts, 32)
    assert replies[:8] != replies[8:]


def test_penalties_of_the_answer_count_the_answer_alone(asking: Any, prompts: list[str]) -> None:
    """A presence penalty is taken once for a token that has come, a frequency penalty each time; the prompt is free."""
    import torch

    from evalkit.engines.local.choosing import choose

    settings = Decoding(presence_penalty=1.0, frequency_penalty=0.5)
    row = Row("a", _request(settings), (0, 1), "none")
    draft = Draft(row, frozenset(), str, 0.0)
    chosen = []
    for _ in range(6):
        token = choose(torch.tensor([[3.0, 2.9, 0.1, 0.0]]), [draft], 0.0)[0].token
        chosen.append(token)
        draft.push(token, 0.0)

    assert chosen == [0, 1, 0, 1, 0, 1]
    assert draft.seen == {0: 3, 1: 3}
    changes: tuple[dict[str, Any], ...] = ({}, {"presence_penalty": 2.0}, {"frequency_penalty": 2.0})
    base = [asking.request(asking.target(), text, max_new_tokens=60, logit_bias=((50, 4.0),)) for text in prompts[:5]]
    requests = [replace(item, decoding=replace(item.decoding, **change)) for change in changes for item in base]
    texts = asking.texts(asking.engine(), requests)
    assert len({tuple(texts[start : start + 5]) for start in (0, 5, 10)}) == 3


def test_a_banned_text_never_stands_in_the_answer(asking: Any, prompts: list[str]) -> None:
    """However it is cut into tokens; other answers stay as they are, greedy and sampled."""
    target = asking.target()
    for sampling in ({}, {"temperature": 1.0, "seed": 3}):
        plain = asking.answers(asking.engine(), [asking.request(target, text, **sampling) for text in prompts[:4]])
        taken = tuple(reply.text[2:4] for reply in plain)
        requests = [
            asking.request(target, text, banned=(part,), **sampling)
            for text, part in zip(prompts[:4], taken, strict=True)
        ]

        replies = asking.answers(asking.engine(), [*requests, asking.request(target, prompts[0], **sampling)])

        assert [part in reply.raw_text for part, reply in zip(taken, replies, strict=False)] == [False] * 4
        assert [reply.token_ids[0] for reply in replies[:4]] == [reply.token_ids[0] for reply in plain]
        assert replies[4].token_ids == plain[0].token_ids


def test_texts_stand_for_their_tokens(asking: Any) -> None:
    """A text that is one token, alone or after a space, is biased in both forms; others are refused with their size."""
    from evalkit.engines.local.biases import biases

    engine = asking.engine()
    engine.load(asking.target(), ())
    renderer = engine._loaded[asking.target().weights].weights.renderer
    (spaced,) = renderer.plain_ids(" the")[:1]
    word = renderer.text((spaced,)).strip()
    unspaced = renderer.plain_ids(word)
    both = {spaced: 3.0, **({unspaced[0]: 2.0} if len(unspaced) == 1 else {})}

    assert renderer.text((spaced,)) == f" {word}"
    found = biases(Decoding(logit_bias=((word, 2.0), (spaced, 1.0))), renderer, 320)
    assert found == tuple(sorted(both.items()))
    count = len(renderer.plain_ids("cathedral"))
    assert biases(Decoding(logit_bias=(("cathedral", 2.0),)), renderer, 320) == Failure(
        f"logit_bias: 'cathedral' is {count} tokens of this model and must be one. Name token ids, or use banned."
    )
    assert biases(Decoding(banned=(5000,)), renderer, 320) == Failure(
        "There is no token 5000: this model's ids end at 319."
    )


def test_a_decoding_that_bans_everything_is_a_failure(asking: Any) -> None:
    """Nothing is left to choose, and the row says so; its neighbour is answered."""
    target = asking.target()
    requests = [asking.request(target, "one", banned=tuple(range(320))), asking.request(target, "one")]

    refused, answered = asking.answers(asking.engine(), requests)

    assert refused == Failure("No token is left to choose: the decoding bans every one. Take out some bans.")
    assert isinstance(answered, Generation)


def _request(decoding: Decoding) -> Request:
    target = Target(Model("m", "/m", True, "m"), Quantisation("fp32", "fp32"))
    return Request(target, (Message("user", "x"),), decoding)


def _draft(**decoding: Any) -> Draft:
    """A row whose tokens are characters; ``$`` ends an answer."""
    row = Row("a", _request(Decoding(**decoding)), (), "none")
    return Draft(row, frozenset({ord("$")}), lambda ids: "".join(map(chr, ids)), 0.0)


def _written(text: str, **decoding: Any) -> tuple[str | None, str, int]:
    """How the answer ended, its text and its number of tokens, when the model goes on with ``text`` for ever."""
    draft = _draft(max_new_tokens=400, **decoding)
    for character in text * 400:
        draft.push(ord(character), 0.0)
        if draft.finish is not None:
            break
    answer = draft.generation(())
    return answer.finish, answer.text, answer.new_tokens


@pytest.mark.parametrize(
    ("text", "decoding", "expected"),
    [
        ("ab$", {}, ("stop", "ab", 3)),
        ("ab$", {"min_new_tokens": 2}, ("stop", "ab", 3)),
        ("abSTOPc", {"stop": ("STOP",)}, ("stop_string", "ab", 6)),
        ("abSTOPcd", {"stop": ("STOP",), "min_new_tokens": 9}, ("stop_string", "abSTOPcdab", 14)),
        ("ab", {"stop": ("z",)}, ("length", "ab" * 200, 400)),
    ],
)
def test_what_ends_an_answer(text: str, decoding: dict[str, Any], expected: tuple[str, str, int]) -> None:
    """End tokens, stop strings and the length, none of the first two before ``min_new_tokens``."""
    assert _written(text, **decoding) == expected


@pytest.mark.parametrize(
    ("text", "tokens", "period"),
    [("a", 64, 1), ("ab", 64, 2), ("round and round ", 64, 16), ("".join(map(chr, range(100, 150))), 200, 50)],
)
def test_an_exact_cycle_ends_an_answer_that_asks_for_it(text: str, tokens: int, period: int) -> None:
    """At least 64 tokens and four turns; the record says how long the cycle is. Unasked, the answer goes on."""
    assert _written(text, stop_on_cycle=True)[::2] == ("cycle", tokens)
    assert _written(text)[0] == "length"
    draft = _draft(max_new_tokens=400, stop_on_cycle=True)
    for character in text * 100:
        if draft.finish is None:
            draft.push(ord(character), 0.0)
    assert dict(draft.generation(()).facts)["cycle_tokens"] == period


def test_what_only_nearly_repeats_is_no_cycle() -> None:
    """One other token in every turn, or a cycle longer than 64 tokens."""
    numbered = "".join(f"item {number}, " for number in range(60))
    assert _written(numbered, stop_on_cycle=True)[0] == "length"
    assert _written("".join(map(chr, range(100, 170))), stop_on_cycle=True)[0] == "length"


def test_a_looping_model_is_stopped_by_the_engine(asking: Any, prompts: list[str]) -> None:
    """A row that is pushed into a cycle ends as ``cycle``; the text up to there is that of the row that goes on."""
    target = asking.target()
    pushed = {"logit_bias": ((50, 100.0),), "max_new_tokens": 90}
    requests = [asking.request(target, prompts[0], **pushed, stop_on_cycle=stops) for stops in (True, False)]

    stopped, endless = asking.answers(asking.engine(), requests)

    assert (stopped.finish, stopped.new_tokens, dict(stopped.facts)["cycle_tokens"]) == ("cycle", 64, 1)
    assert (endless.finish, endless.new_tokens) == ("length", 90)
    assert endless.raw_text.startswith(stopped.raw_text)
    assert stopped.text == stopped.raw_text
