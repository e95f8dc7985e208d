"""Where arithmetic of another order might take another token, a row decides by itself, or says how often that was."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines.local import loaded
from evalkit.engines.local.near_ties import EXACT, is_exact, noise_of
from evalkit.target import Quantisation

pytestmark = pytest.mark.slow

PLANTED = 2e-3
"""Noise as a share of a logit, far above that of fp32, so that a few hundred tokens meet it."""


@contextmanager
def noisy(engine: Any, target: Any) -> Iterator[None]:
    """Inside, logits of several rows are off by up to PLANTED, otherwise for every batch; a row alone gives its own."""
    import torch

    engine.load(target, ())
    network = engine._loaded[target.weights].weights.model
    real = network.forward
    calls: list[int] = []

    def forward(**options: Any) -> Any:
        output = real(**options)
        rows = options["input_ids"].shape[0]
        if rows > 1:
            calls.append(rows)
            noise = torch.Generator().manual_seed(len(calls) * 100 + rows)
            off = torch.rand(output.logits.shape, generator=noise) * 2 - 1
            output.logits = output.logits * (1 + PLANTED * off)
        return output

    network.forward = forward
    yield
    network.forward = real


def texts(asking: Any, requests: list[Any], rows: int, plant: bool) -> list[Any]:
    engine = asking.engine(max_batch_rows=rows)
    if not plant:
        return list(asking.answers(engine, requests))
    with noisy(engine, requests[0].target):
        return list(asking.answers(engine, requests))


@pytest.mark.parametrize("decoding", [{}, {"temperature": 1.2, "top_p": 0.9, "top_k": 50, "min_p": 0.01}])
def test_planted_noise_flips_texts_unless_the_guard_is_on(
    decoding: dict[str, float], asking: Any, prompts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the guard noisy batches change some texts; with it none, greedy or sampled, at any batch size."""
    requests = [
        asking.request(asking.target(), text, seed=index if decoding else None, max_new_tokens=24, **decoding)
        for index, text in enumerate(prompts)
    ]
    expected = [reply.token_ids for reply in texts(asking, requests, 1, plant=False)]

    monkeypatch.setattr(loaded, "noise_of", lambda quantisation, dtype: 0.0)
    unguarded = [reply.token_ids for reply in texts(asking, requests, 8, plant=True)]
    monkeypatch.setattr(loaded, "noise_of", lambda quantisation, dtype: 3 * PLANTED)
    guarded = [texts(asking, requests, rows, plant=True) for rows in (4, 32)]

    assert unguarded != expected
    for replies in guarded:
        assert [reply.token_ids for reply in replies] == expected
        assert any(dict(reply.facts).get("near_tie") for reply in replies)


def twins(folder: Path, source: Path) -> Path:
    """A copy of the model in which tokens 20 to 150 have the logits of the tokens 150 above them, exactly."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(source, folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"][170:300] = tensors["lm_head.weight"][20:150]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_exact_ties_are_decided_by_the_row_alone(asking: Any, prompts: list[str], tmp_path: Path) -> None:
    """Two tokens with one logit: the row is done again as ``generate`` does it, and says so."""
    folder = twins(tmp_path / "twins", asking.models["llama"])
    requests = [asking.request(asking.target(folder), text) for text in prompts[:10]]

    alone = asking.answers(asking.engine(one_by_one=True), requests)
    together = asking.answers(asking.engine(), requests)

    assert [reply.token_ids for reply in together] == [reply.token_ids for reply in alone]
    facts = [dict(reply.facts) for reply in together]
    assert sum("redone_alone" in fact for fact in facts) >= 5
    assert all(fact["near_tie"] >= 1 and fact["batch_rows"] == 1 for fact in facts if "redone_alone" in fact)


def test_coarse_arithmetic_counts_near_ties_and_repeats_nothing(
    asking: Any, prompts: list[str], tmp_path: Path
) -> None:
    """In bf16, fp16 and quantised weights the count is recorded with the answer."""
    folder = twins(tmp_path / "twins", asking.models["llama"])
    for kind in ("bf16", "fp16", "nf4", "int8"):
        requests = [asking.request(asking.target(folder, kind=kind), text) for text in prompts[:6]]

        facts = [dict(reply.facts) for reply in asking.answers(asking.engine(), requests)]

        assert sum(fact.get("near_tie", 0) for fact in facts) >= 6, kind
        assert not any("redone_alone" in fact for fact in facts), kind


@pytest.mark.parametrize(
    ("kind", "dtype", "noise", "exact"),
    [("fp32", "fp32", EXACT, True), ("bf16", "bf16", 2**-7, False), ("fp16", "fp16", 2**-10, False),
     ("nf4", "fp32", EXACT, False), ("nf4", "bf16", 2**-7, False), ("int8", "fp32", 2**-7, False)],
)  # fmt: skip
def test_noise_follows_what_is_computed(kind: Any, dtype: str, noise: float, exact: bool) -> None:
    """fp32 alone is repeated; int8 counts as coarse whatever it is computed in."""
    quantisation = Quantisation(kind, kind)

    assert (noise_of(quantisation, dtype), is_exact(quantisation)) == (noise, exact)


@pytest.fixture(scope="module")
def drawn() -> Callable[..., tuple[int, bool]]:
    """The token that a row of logits gives at a point, and whether noise could have changed it."""
    import torch

    from evalkit.engines.local.sampling import draw
    from evalkit.target import Decoding

    def drawn(logits: list[float], point: float, noise: float = 1e-3, **decoding: float) -> tuple[int, bool]:
        settings = Decoding(**{"temperature": 1.0, **decoding})  # type: ignore[arg-type]
        tokens, near = draw(torch.tensor([logits]), [settings], [point], torch.tensor([noise]))
        return int(tokens[0]), bool(near[0])

    return drawn


@pytest.mark.parametrize(
    ("logits", "point", "decoding", "expected"),
    [
        ([0.0, 0.0], 0.25, {}, (0, False)),
        ([0.0, 0.0], 0.4999, {}, (0, True)),
        ([0.0, 0.0], 0.5001, {}, (1, True)),
        ([0.0, 0.0], 0.0, {}, (0, False)),
        ([0.0, 0.0], 0.99999, {}, (1, False)),
        # the third token is only just dropped, so that it may hold a third of the whole
        ([1.0, 1.0, 0.9999], 0.3, {"top_k": 2}, (0, True)),
        ([1.0, 1.0, 0.5], 0.3, {"top_k": 2}, (0, False)),
        ([2.0, 1.0, 1.0001], 0.1, {"top_k": 2}, (0, False)),
        ([1.0, 1.0, 0.9999], 0.3, {"top_p": 0.6}, (0, True)),
        ([3.0, 0.0, -3.0], 0.3, {"top_p": 0.6}, (0, False)),
        ([1.0, 1.0, 0.0], 0.3, {"min_p": 0.36787944}, (0, True)),
        ([1.0, 1.0, 0.0], 0.2, {"min_p": 0.8}, (0, False)),
    ],
)
def test_a_draw_near_a_bound_or_a_cut_is_a_near_tie(
    logits: list[float], point: float, decoding: dict[str, float], expected: tuple[int, bool],
    drawn: Callable[..., tuple[int, bool]],
) -> None:  # fmt: skip
    """Near a token's own bounds, or where tokens that a filter keeps or drops by a hair could move them."""
    assert drawn(logits, point, **decoding) == expected
