"""The local engine answers as transformers does alone, whatever else is in the batch."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from evalkit.generation import Failure, Generation
from evalkit.probe import Message
from evalkit.target import Adapter


def alone(folder: Path, ids: list[int], max_new_tokens: int, model: Any) -> list[int]:
    """What plain ``generate`` gives for one prompt."""
    import torch
    from transformers import GenerationConfig

    model.generation_config = GenerationConfig()
    config = GenerationConfig(do_sample=False, max_new_tokens=max_new_tokens, eos_token_id=[1, 4], pad_token_id=0)
    output = model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), generation_config=config)
    return list(output[0, len(ids) :].tolist())


@pytest.mark.parametrize("name", ["llama", "gemma"])
def test_greedy_text_in_batches_is_that_of_generate_alone(name: str, asking: Any, prompts: list[str]) -> None:
    """Mixed lengths in one batch give every row the tokens it has alone, and the set holds many distinct ones."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = asking.models[name]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    requests = [asking.request(asking.target(name), prompt) for prompt in prompts]

    replies = asking.answers(asking.engine(), requests)

    for prompt, reply in zip(prompts, replies, strict=True):
        messages = [{"role": "user", "content": prompt}]
        ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        assert ids.count(2) == 1
        assert list(reply.token_ids) == alone(folder, ids, 12, model)
        assert reply.prompt_tokens == len(ids)
    assert len({token for reply in replies for token in reply.token_ids}) >= 20


def test_soft_capping_is_what_the_comparison_notices(asking: Any, prompts: list[str]) -> None:
    """Without soft-capping the same weights answer otherwise, so an engine that drops it would be caught."""
    from transformers import AutoModelForCausalLM

    folder = asking.models["gemma"]
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", attn_logit_softcapping=None)
    replies = asking.answers(asking.engine(), [asking.request(asking.target("gemma"), text) for text in prompts[:8]])
    engine_ids = [list(reply.token_ids) for reply in replies]

    loaded = asking.engines[-1]._loaded[asking.target("gemma").weights]
    renderer = loaded.weights.renderer
    uncapped = [alone(folder, list(renderer.prompt_ids((("user", text),))), 12, model) for text in prompts[:8]]

    assert loaded.weights.attention == "eager"
    assert engine_ids != uncapped


def test_sampled_text_depends_on_the_row_alone(asking: Any, prompts: list[str]) -> None:
    """Batches of 1, 8 and 32 and a shuffled plan give the same sampled texts; another sample or seed gives others."""
    target = asking.target()
    options = {"temperature": 1.3, "top_p": 0.95, "top_k": 80, "min_p": 0.01}
    requests = [asking.request(target, text, seed=index % 3, **options) for index, text in enumerate(prompts)]
    order = list(range(len(requests)))
    random.Random(5).shuffle(order)

    by_size = [asking.texts(asking.engine(max_batch_rows=rows), requests) for rows in (1, 8, 32)]
    shuffled = asking.texts(asking.engine(max_batch_rows=8), [requests[index] for index in order])
    others = [
        asking.texts(asking.engine(), [asking.request(target, text, seed=seed, sample=sample, **options)])[0]
        for text in prompts[:4]
        for seed, sample in ((11, 0), (11, 1), (12, 0))
    ]

    assert by_size[0] == by_size[1] == by_size[2]
    assert shuffled == [by_size[0][index] for index in order]
    assert len(set(others)) == len(others)


def test_a_greedy_row_is_untouched_by_sampled_neighbours(asking: Any, prompts: list[str]) -> None:
    """Settings are the row's own: greedy text is the same beside rows with temperature, penalty and stop strings."""
    target = asking.target()
    greedy = [asking.request(target, text) for text in prompts[:6]]
    wild = [
        asking.request(target, text, seed=3, temperature=2.0, repetition_penalty=1.5, stop=("the",), max_new_tokens=5)
        for text in prompts[6:12]
    ]

    assert asking.texts(asking.engine(), [*greedy, *wild])[:6] == asking.texts(asking.engine(), greedy)


def test_repetition_penalty_is_that_of_transformers(asking: Any, prompts: list[str]) -> None:
    """A penalised row in a padded batch gives the tokens of transformers' own penalty at batch 1."""
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    requests = [asking.request(asking.target(), text, repetition_penalty=1.4) for text in prompts[:6]]
    engine = asking.engine()
    replies = asking.answers(engine, requests)
    renderer = engine._loaded[asking.target().weights].weights.renderer
    model = AutoModelForCausalLM.from_pretrained(asking.models["llama"]).eval()
    model.generation_config = GenerationConfig()
    config = GenerationConfig(do_sample=False, max_new_tokens=12, eos_token_id=[1, 4], pad_token_id=0)
    config.repetition_penalty = 1.4

    for text, reply in zip(prompts, replies, strict=False):
        ids = torch.tensor([renderer.prompt_ids((("user", text),))])
        output = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
        assert list(reply.token_ids) == output[0, ids.shape[1] :].tolist()


def test_lengths_and_stop_strings_are_per_row(asking: Any, prompts: list[str]) -> None:
    """In one batch each row ends at its own limit or its own stop string, and says which."""
    target = asking.target()
    plain = asking.answers(asking.engine(), [asking.request(target, prompts[5], max_new_tokens=20)])[0]
    stop = plain.text[4:7]
    requests = [
        asking.request(target, prompts[5], max_new_tokens=20),
        asking.request(target, prompts[5], max_new_tokens=3),
        asking.request(target, prompts[5], max_new_tokens=20, stop=("never to be seen", stop)),
    ]

    full, short, stopped = asking.answers(asking.engine(), requests)

    assert full.token_ids == plain.token_ids
    assert (short.token_ids, short.finish, short.new_tokens) == (plain.token_ids[:3], "length", 3)
    assert (stopped.finish, stopped.text) == ("stop_string", plain.text[: plain.text.index(stop)])
    assert stopped.raw_text.startswith(stopped.text + stop)
    assert stopped.new_tokens < full.new_tokens
    assert [reply.facts for reply in (full, short, stopped)] == [full.facts] * 3
    assert 0 < full.first_token_s <= stopped.total_s <= full.total_s


def test_an_end_token_closes_the_text_and_stays_in_the_raw_text(asking: Any, prompts: list[str]) -> None:
    """``text`` has no closing end token, ``raw_text`` has it; special tokens inside stay visible in both."""
    requests = [asking.request(asking.target(), text, max_new_tokens=60) for text in prompts]
    sampled = [asking.request(asking.target(), text, seed=1, temperature=3.0, max_new_tokens=60) for text in prompts]

    replies = asking.answers(asking.engine(), [*requests, *sampled])

    stopped = [reply for reply in replies if reply.finish == "stop"]
    assert stopped
    for reply in stopped:
        assert reply.token_ids[-1] in (1, 4)
        assert reply.raw_text in (reply.text + "<eos>", reply.text + "<end_of_turn>")
    assert any("<bos>" in reply.text or "<start_of_turn>" in reply.text for reply in replies)


@pytest.mark.parametrize(("name", "placement"), [("llama", "system_role"), ("gemma", "user_turn")])
def test_the_condition_is_placed_where_the_template_allows(name: str, placement: str, asking: Any) -> None:
    """A system text goes into the system role, or in front of the first user turn, and the reply says which."""
    requests = [asking.request(asking.target(name, system=system), "one two") for system in (None, "the rain")]

    naked, conditioned = asking.answers(asking.engine(), requests)

    assert (naked.system_placement, conditioned.system_placement) == ("none", placement)
    assert conditioned.prompt_tokens > naked.prompt_tokens
    assert conditioned.token_ids != naked.token_ids


def test_what_is_too_long_is_a_failure_with_the_numbers(asking: Any) -> None:
    """A prompt that does not fit with its answer is refused, never clipped; its neighbour is answered."""
    target = asking.target()
    prompt = " ".join(["cat"] * 180)
    long, fitting = asking.answers(
        asking.engine(),
        [asking.request(target, prompt, max_new_tokens=100), asking.request(target, "cat", max_new_tokens=100)],
    )

    tokens = 256 - 100 + 1
    assert isinstance(fitting, Generation)
    assert isinstance(long, Failure)
    assert long.reason.startswith("The prompt has ")
    found = int(long.reason.split()[3])
    assert found >= tokens
    assert long.reason == (
        f"The prompt has {found} tokens and max_new_tokens is 100: {found + 100} together, and the model holds 256. "
        "Shorten the prompt or lower max_new_tokens."
    )


def test_a_conversation_the_template_refuses_is_a_failure(asking: Any) -> None:
    """A system message in the middle, which this template does not know, fails alone and says so."""
    target = asking.target("gemma")
    odd = asking.request(target, "one")
    broken = type(odd)(target, (Message("user", "one"), Message("user", "\ud800")), odd.decoding)

    good, bad = asking.answers(asking.engine(), [odd, broken])

    assert isinstance(good, Generation)
    assert isinstance(bad, Failure)
    assert bad.reason.startswith("The chat template of 'gemma' refuses the conversation: ")


def test_facts_beside_an_answer_say_what_made_it(asking: Any) -> None:
    """Versions, device, dtype, threads, attention and batch size are recorded, sorted by name."""
    (reply,) = asking.answers(asking.engine(), [asking.request(asking.target(), "one")])

    names = [name for name, _ in reply.facts]
    assert names == sorted(names)
    assert names == [
        "attention", "batch_rows", "bitsandbytes", "device", "dtype", "peft", "threads", "torch", "transformers",
    ]  # fmt: skip
    assert {"attention": "sdpa", "batch_rows": 1, "device": "cpu", "dtype": "fp32", "threads": 1}.items() <= dict(
        reply.facts
    ).items()


def test_engine_needs_no_torch_until_it_loads(asking: Any, adapters: dict[str, Adapter]) -> None:
    """Making the engine and knowing a target's identity facts imports neither torch nor transformers nor peft."""
    script = f"""
import sys
from pathlib import Path
from evalkit.engines.table import create
from evalkit.target import Adapter, Engine, Model, Quantisation, Target
engine = create(Engine("local", "local", (("device", "cpu"),)), lambda count: False, Path({str(asking.root)!r}))
model = Model("m", {str(asking.models["llama"])!r}, True, "m")
adapter = Adapter("a", {adapters["red"].location!r}, True, "a")
assert len(engine.identity_facts(Target(model, Quantisation("nf4", "nf4"), (adapter,)))) == 8
assert engine.step() == []
engine.close()
print(sorted({{"torch", "transformers", "peft", "bitsandbytes", "pydantic", "numpy"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
