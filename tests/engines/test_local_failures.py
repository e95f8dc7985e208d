"""What goes wrong stays with the row, the batch or the weights it belongs to, and says so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import EngineError
from evalkit.generation import Failure, Generation
from evalkit.target import Adapter


def failing_forward(engine: Any, target: Any, fails: Callable[[Any], Exception | None]) -> list[tuple[int, int]]:
    """Plants errors in the loaded model's ``forward``; gives the list of shapes of ids it was called with."""
    engine.load(target, ())
    network = engine._loaded[target.weights].weights.model
    real, shapes = network.forward, []

    def forward(**options: Any) -> Any:
        ids = options["input_ids"]
        shapes.append(tuple(ids.shape))
        error = fails(ids)
        if error is not None:
            raise error
        return real(**options)

    network.forward = forward
    return shapes


def test_out_of_memory_halves_what_runs_together(asking: Any, prompts: list[str]) -> None:
    """Rows that do not fit together wait again and run in halves, and the texts are those of the whole batch."""
    import torch

    target = asking.target()
    requests = [asking.request(target, text) for text in prompts[:8]]
    expected = asking.texts(asking.engine(), requests)
    engine = asking.engine()
    shapes = failing_forward(
        engine, target, lambda ids: torch.OutOfMemoryError("CUDA out of memory") if ids.shape[0] > 2 else None
    )

    assert asking.texts(engine, requests) == expected
    starts = [rows for rows, width in shapes if width > 1]
    assert starts[:3] == [8, 4, 2]
    assert max(rows for rows, width in shapes if width == 1) == 2


def test_running_out_of_memory_half_way_loses_no_row(asking: Any, prompts: list[str]) -> None:
    """Memory that runs out while rows decode sends them back to wait; every one is answered as if nothing had been."""
    import torch

    target = asking.target()
    requests = [asking.request(target, text) for text in prompts[:8]]
    expected = asking.texts(asking.engine(), requests)
    engine, calls = asking.engine(), []

    def fails(ids: Any) -> Exception | None:
        calls.append(ids.shape)
        return torch.OutOfMemoryError("CUDA out of memory") if len(calls) == 5 else None

    failing_forward(engine, target, fails)

    assert asking.texts(engine, requests) == expected
    assert max(shape[0] for shape in calls[5:]) == 4


def test_memory_that_only_newcomers_lack_leaves_the_others_running(asking: Any, prompts: list[str]) -> None:
    """Rows that do not fit beside those that decode wait until there is room; the others lose nothing."""
    import torch

    target = asking.target()
    requests = [asking.request(target, text, max_new_tokens=4 + 4 * index) for index, text in enumerate(prompts[:8])]
    expected = asking.texts(asking.engine(), requests)
    engine, calls = asking.engine(max_batch_rows=4), []

    def fails(ids: Any) -> Exception | None:
        calls.append(tuple(ids.shape))
        joins = [shape for shape in calls if shape[1] > 1]
        return torch.OutOfMemoryError("CUDA out of memory") if ids.shape[1] > 1 and len(joins) == 2 else None

    failing_forward(engine, target, fails)

    assert asking.texts(engine, requests) == expected
    second = [index for index, shape in enumerate(calls) if shape[1] > 1][1]
    assert calls[second + 1] == (3, 1)


def test_a_cache_that_broke_while_it_grew_starts_its_rows_again(
    asking: Any, prompts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory that runs out while the cache moves leaves it in pieces; every row of it is run again."""
    from evalkit.engines.local import arena

    target = asking.target()
    requests = [asking.request(target, text, max_new_tokens=4 + 4 * index) for index, text in enumerate(prompts[:8])]
    expected = asking.texts(asking.engine(), requests)
    moves: list[int] = []
    real = arena._moved
    monkeypatch.setattr(arena, "ROOM", 2)

    def fails(*arguments: Any) -> Any:
        moves.append(1)
        if len(moves) == 6:
            raise MemoryError
        return real(*arguments)

    monkeypatch.setattr(arena, "_moved", fails)

    assert asking.texts(asking.engine(max_batch_rows=4), requests) == expected
    assert len(moves) > 6


def test_a_tie_that_cannot_be_broken_is_that_rows_failure(
    asking: Any, prompts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in a row's own pass sends it to run by itself, and if it fails there too, it alone fails."""
    from evalkit.engines.local import generating, loaded

    target = asking.target()
    requests = [asking.request(target, text) for text in prompts[:4]]
    expected = asking.texts(asking.engine(), requests)
    monkeypatch.setattr(loaded, "noise_of", lambda quantisation, dtype: 1e-2)
    calls: list[int] = []

    def fails(*arguments: Any) -> Any:
        calls.append(1)
        raise ValueError("planted")

    monkeypatch.setattr(generating, "lone_logits", fails)
    replies = asking.answers(asking.engine(), requests)

    failed = [reply for reply in replies if isinstance(reply, Failure)]
    assert calls
    assert {reply.reason for reply in failed} == {"Generation failed: ValueError: planted"}
    assert failed
    assert [reply.raw_text for reply in replies if isinstance(reply, Generation)] == [
        text for text, reply in zip(expected, replies, strict=True) if isinstance(reply, Generation)
    ]


def test_what_does_not_fit_alone_is_a_failure_with_its_size(asking: Any, prompts: list[str]) -> None:
    """One row too large for the memory fails with its size; the shorter one is answered."""
    target = asking.target()
    engine = asking.engine()
    failing_forward(
        engine,
        target,
        lambda ids: RuntimeError("DefaultCPUAllocator: can't allocate memory") if ids.shape[1] > 60 else None,
    )

    short, long = asking.answers(engine, [asking.request(target, text) for text in (prompts[0], prompts[-1])])

    assert isinstance(short, Generation)
    tokens = int(long.reason.split()[6])
    assert tokens > 60
    assert long == Failure(
        f"Out of memory: a prompt of {tokens} tokens with up to 12 new ones does not fit alone. Shorten the prompt, "
        "lower max_new_tokens or use a smaller quantisation."
    )


def test_one_poisonous_row_is_one_failure(asking: Any, prompts: list[str]) -> None:
    """An error in a batch is found by running its rows alone; the others keep their texts."""
    target = asking.target()
    requests = [asking.request(target, text) for text in prompts[:6]]
    expected = asking.texts(asking.engine(), requests)
    engine = asking.engine()
    engine.load(target, ())
    poison = list(engine._loaded[target.weights].weights.renderer.prompt_ids((("user", prompts[3]),)))
    failing_forward(
        engine,
        target,
        lambda ids: ValueError("planted") if any(row[-len(poison) :] == poison for row in ids.tolist()) else None,
    )

    replies = asking.answers(engine, requests)

    assert replies[3] == Failure("Generation failed: ValueError: planted")
    assert [reply.raw_text for index, reply in enumerate(replies) if index != 3] == expected[:3] + expected[4:]


def test_a_failed_mixed_batch_leaves_no_hook_behind(
    asking: Any, adapters: dict[str, Adapter], prompts: list[str]
) -> None:
    """After an error in a mixed batch the rows run by adapter, and later batches are as if nothing had been."""
    targets = [asking.target(), asking.target(adapter=adapters["red"])]
    requests = [asking.request(target, text) for target in targets for text in prompts[:3]]
    expected = asking.texts(asking.engine(), requests)
    engine = asking.engine()
    engine.load(targets[0], (targets[1].adapters,))
    network = engine._loaded[targets[0].weights].weights.model
    forward, calls = network.forward, []

    def fail_once(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("planted")
        return forward(*args, **options)

    network.forward = fail_once
    replies = asking.answers(engine, requests)

    assert [reply.raw_text for reply in replies] == expected
    assert [dict(reply.facts)["batch_rows"] for reply in replies] == [3] * 6


def test_logits_that_are_no_numbers_are_a_failure(asking: Any, tmp_path: Path) -> None:
    """A model that gives NaN is not answered with the token that argmax of NaN happens to be."""
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "nan"
    shutil.copytree(asking.models["llama"], folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"][5, :] = float("nan")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    replies = asking.answers(asking.engine(), [asking.request(asking.target(folder), "one")])

    assert replies == [Failure("The model's logits are not numbers (NaN). Use fp32 or bf16, or check the weights.")]


def test_the_pulse_hears_of_every_token_and_of_loading(asking: Any, prompts: list[str]) -> None:
    """Loading pulses with 0, generation with the new tokens since the last call; the sum is the tokens generated."""
    heard: list[int] = []
    engine = asking.engine(pulse=lambda count: bool(heard.append(count)))
    engine.load(asking.target(), ())
    loading = list(heard)
    heard.clear()

    replies = asking.answers(engine, [asking.request(asking.target(), text, max_new_tokens=20) for text in prompts[:4]])

    assert len(loading) >= 3
    assert set(loading) == {0}
    assert sum(heard) == sum(reply.new_tokens for reply in replies)
    assert len(heard) >= 5


def test_a_true_pulse_drops_what_is_in_flight_and_no_more(asking: Any, prompts: list[str]) -> None:
    """Rows in flight are dropped without a reply; rows still queued are answered later."""
    stop = [False]
    engine = asking.engine(pulse=lambda count: stop[0], max_batch_rows=2)
    target = asking.target()
    engine.load(target, ())
    for index, text in enumerate(prompts[:3]):
        engine.submit(str(index), asking.request(target, text, max_new_tokens=40))

    stop[0] = True
    assert engine.step() == []
    stop[0] = False

    (answered,) = asking.stepped(engine, 1)
    assert answered[0] == "0"
    assert isinstance(answered[1], Generation)
    assert engine.step() == []


def test_loading_can_be_given_up(asking: Any) -> None:
    """A pulse that turns true while weights load leaves nothing loaded, and a later step starts again."""
    stop = [True]
    engine = asking.engine(pulse=lambda count: stop[0])
    engine.load(asking.target(), ())
    engine.submit("a", asking.request(asking.target(), "one"))

    assert engine.step() == []
    stop[0] = False

    assert [name for name, _ in asking.stepped(engine, 1)] == ["a"]


def test_a_cancelled_request_gets_no_reply(asking: Any, prompts: list[str]) -> None:
    """Cancelled before its batch or while it runs, a request is not answered; its neighbours are."""
    during: list[Any] = []
    engine = asking.engine(pulse=lambda count: bool(count and during and during.pop()()))
    target = asking.target()
    for name, text in zip("abc", prompts, strict=False):
        engine.submit(name, asking.request(target, text))
    engine.cancel("a")
    during.append(lambda: engine.cancel("b"))

    assert [name for name, _ in asking.stepped(engine, 1)] == ["c"]
    assert engine.step() == []


def test_other_weights_are_freed_only_when_none_of_their_rows_wait(asking: Any) -> None:
    """Loading a second model keeps the first while it has rows, and frees it once it has none."""
    engine = asking.engine()
    first, second = asking.target(), asking.target("gemma")
    engine.load(first, ())
    engine.submit("a", asking.request(first, "one"))

    engine.load(second, ())
    assert set(engine._loaded) == {first.weights, second.weights}

    assert [name for name, _ in asking.stepped(engine, 1)] == ["a"]
    engine._free([second.weights])
    engine.load(second, ())
    assert set(engine._loaded) == {second.weights}


def test_loading_twice_loads_once(asking: Any) -> None:
    """``load`` is idempotent, and ``close`` can be called twice."""
    engine = asking.engine()
    engine.load(asking.target(), ())
    loaded = engine._loaded[asking.target().weights]

    engine.load(asking.target(), ())

    assert engine._loaded[asking.target().weights] is loaded
    engine.close()
    engine.close()
    assert engine._loaded == {}


def test_weights_that_cannot_be_loaded_fail_load_and_every_row(asking: Any, tmp_path: Path) -> None:
    """``load`` raises the sentence, and rows submitted all the same fail with it."""
    target = asking.target(tmp_path / "nowhere")
    engine = asking.engine()
    sentence = f"Model 'nowhere': there is no folder {tmp_path / 'nowhere'}."

    with pytest.raises(EngineError) as caught:
        engine.load(target, ())
    assert str(caught.value) == sentence
    engine.submit("a", asking.request(target, "one"))
    assert engine.step() == [("a", Failure(sentence))]


def test_a_model_without_a_chat_template_is_refused(
    asking: Any, build_model: Callable[..., Path], tmp_path: Path
) -> None:
    """A base model without a chat template cannot hold a conversation, and says what to add."""
    with pytest.raises(EngineError) as caught:
        asking.engine().load(asking.target(build_model(tmp_path / "bare", "llama", None)), ())

    assert str(caught.value) == (
        "Model 'bare' has no chat template, so a conversation cannot be put to it. Add chat_template.jinja to its "
        "folder, or use the instruction-tuned model."
    )


def test_weights_that_lack_tensors_are_refused(asking: Any, tmp_path: Path) -> None:
    """transformers would fill what is missing with random numbers; evalkit names the first tensor instead."""
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "holes"
    shutil.copytree(asking.models["llama"], folder)
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(EngineError) as caught:
        asking.engine().load(asking.target(folder), ())
    assert str(caught.value) == (
        "Model 'holes': the files lack 1 of its tensors (first: model.layers.1.mlp.up_proj.weight), which would be "
        "random numbers. Download or copy them again."
    )


def test_a_config_transformers_does_not_know_is_a_sentence(asking: Any, tmp_path: Path) -> None:
    """Whatever a loader raises names the model and keeps the first line of the reason."""
    folder = tmp_path / "odd"
    shutil.copytree(asking.models["llama"], folder)
    (folder / "config.json").write_text('{"model_type": "no-such-type"}')

    with pytest.raises(EngineError, match=r"^Model 'odd' cannot be loaded: ValueError: .*no-such-type.*$"):
        asking.engine().load(asking.target(folder), ())
