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


def test_sampled_text_on_cuda_depends_on_the_row_alone(asking: Any, prompts: list[str]) -> None:
    """Batches of 1 and 32 give the same sampled texts in fp32."""
    requests = [asking.request(asking.target(), text, seed=4, temperature=1.2, top_p=0.9) for text in prompts]

    one, many = (asking.texts(asking.engine(device="cuda", max_batch_rows=rows), requests) for rows in (1, 32))

    assert one == many
