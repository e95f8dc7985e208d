"""The local engine on a CUDA device; docs/gpu.md says what was seen of it."""

from __future__ import annotations

from typing import Any

import pytest

from evalkit.engines.local.facts import may_have_cuda
from evalkit.target import Adapter

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not may_have_cuda(), reason="no CUDA device: this test shows the local engine on one"),
]


@pytest.mark.parametrize("kind", ["fp32", "bf16", "fp16", "nf4", "fp4", "int8"])
def test_every_quantisation_answers_on_cuda_with_adapters(
    kind: str, asking: Any, adapters: dict[str, Adapter], prompts: list[str]
) -> None:
    """Base and adapters answer in one plan, unlike each other, and the facts name the device."""
    targets = [asking.target(adapter=adapter, kind=kind) for adapter in (None, *adapters.values())]
    requests = [asking.request(target, text) for target in targets for text in prompts[:6]]

    replies = asking.answers(asking.engine(device="cuda"), requests)

    texts = [reply.raw_text for reply in replies]
    assert len({tuple(texts[start : start + 6]) for start in range(0, len(texts), 6)}) == len(targets)
    assert {dict(reply.facts)["device"] for reply in replies}.isdisjoint({"cpu"})


@pytest.mark.parametrize("merged", [False, True], ids=["beside", "merged"])
@pytest.mark.parametrize("kind", ["fp32", "bf16", "fp16", "nf4", "fp4", "int8"])
def test_stacked_and_merged_adapters_answer_on_cuda(
    kind: str, merged: bool, asking: Any, adapters: dict[str, Adapter], prompts: list[str]
) -> None:
    """Two adapters on a row answer unlike each alone, and leave the base's texts as they were."""
    red, blue, dora = (adapters[name] for name in ("red", "blue", "dora"))
    base = asking.target(kind=kind, int8_threshold=0.0)
    targets = [
        asking.target(adapter=chosen, kind=kind, int8_threshold=0.0, merged=merged)
        for chosen in ((red,), (red, blue), (dora, blue))
    ]
    engine = asking.engine(device="cuda")
    bare = [asking.request(base, text) for text in prompts[:4]]
    before = asking.texts(engine, bare)

    found = [asking.texts(engine, [asking.request(target, text) for text in prompts[:4]]) for target in targets]

    assert len({tuple(texts) for texts in [before, *found]}) == 4
    assert asking.texts(engine, bare) == before


@pytest.mark.parametrize("kind", ["nf4", "fp4"])
def test_double_quantisation_answers_on_cuda(kind: str, asking: Any, prompts: list[str]) -> None:
    """The scales have scales of their own, and every row is answered."""
    target = asking.target(kind=kind, double_quant=True)

    assert len(asking.texts(asking.engine(device="cuda"), [asking.request(target, text) for text in prompts[:4]])) == 4


def test_a_planted_limit_halves_batches_on_cuda(asking: Any, prompts: list[str]) -> None:
    """What does not fit at once is answered in smaller batches."""
    requests = [asking.request(asking.target(), text, max_new_tokens=60) for text in prompts[:32]]

    replies = asking.answers(asking.engine(device="cuda", memory_limit_mib=2), requests)

    assert max(dict(reply.facts)["batch_rows"] for reply in replies) < 32


def test_the_estimate_is_what_cuda_holds(asking: Any) -> None:
    """Within 20 % of what torch has taken, which it takes in blocks of 512 bytes."""
    import torch

    engine = asking.engine(device="cuda")
    before = torch.cuda.memory_allocated()
    engine.load(asking.target(), ())
    estimated = engine._loaded[asking.target().weights].weights.memory.weights

    assert torch.cuda.memory_allocated() - before == pytest.approx(estimated, rel=0.2)


def test_a_model_larger_than_one_gpu_is_spread(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With two devices and weights that would fill the first, accelerate places the layers."""
    import torch

    if torch.cuda.device_count() < 2:
        pytest.skip("one CUDA device: this test shows a model on two")
    target = asking.target()
    expected = asking.texts(asking.engine(device="cuda"), [asking.request(target, "one two")])
    monkeypatch.setattr("evalkit.engines.local.memory.SHARE_FOR_WEIGHTS", 0.0)
    engine = asking.engine(device="cuda")

    assert asking.texts(engine, [asking.request(target, "one two")]) == expected
    assert len(set(engine._loaded[target.weights].weights.model.hf_device_map.values())) > 1


def test_sampled_text_on_cuda_depends_on_the_row_alone(asking: Any, prompts: list[str]) -> None:
    """Batches of 1 and 32 give the same sampled texts in fp32."""
    requests = [asking.request(asking.target(), text, seed=4, temperature=1.2, top_p=0.9) for text in prompts]

    one, many = (asking.texts(asking.engine(device="cuda", max_batch_rows=rows), requests) for rows in (1, 32))

    assert one == many
