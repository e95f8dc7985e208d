"""bitsandbytes on CPU: every quantisation loads, answers, carries adapters and changes the identity."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import EngineError, MissingPackage
from evalkit.target import Adapter


@pytest.mark.parametrize(
    ("kind", "options"),
    [("nf4", {}), ("nf4", {"double_quant": True, "compute_dtype": "bf16"}), ("fp4", {}), ("int8", {}), ("bf16", {})],
    ids=["nf4", "nf4-double-bf16", "fp4", "int8", "bf16"],
)
def test_a_quantised_base_answers_with_adapters(
    kind: str, options: dict[str, Any], asking: Any, adapters: dict[str, Adapter], prompts: list[str]
) -> None:
    """The base and two adapters answer in one batch, unlike each other, and the weights really are quantised."""
    targets = [asking.target(adapter=adapter, kind=kind, **options) for adapter in (None, *list(adapters.values())[:2])]
    requests = [asking.request(target, text) for target in targets for text in prompts[3:7]]
    engine = asking.engine()

    texts = asking.texts(engine, requests)

    assert len({tuple(texts[start : start + 4]) for start in (0, 4, 8)}) == 3
    assert any(texts)
    layer = engine._loaded[targets[0].weights]._rack.network.get_base_model().model.layers[0].mlp.gate_proj
    expected = {"int8": "Linear8bitLt", "bf16": "Linear"}.get(kind, "Linear4bit")
    assert type(layer).__name__ == expected
    assert str(layer.weight.dtype) == {"int8": "torch.int8", "bf16": "torch.bfloat16"}.get(kind, "torch.uint8")


def test_quantised_adapters_mixed_answer_as_each_alone(
    asking: Any, adapters: dict[str, Adapter], prompts: list[str]
) -> None:
    """In nf4 too, a mixed batch gives the texts of separate engines."""
    targets = [asking.target(adapter=adapter, kind="nf4") for adapter in (None, adapters["red"], adapters["blue"])]
    plan = [[asking.request(target, text) for text in prompts[:4]] for target in targets]

    mixed = asking.texts(asking.engine(), [request for group in plan for request in group])

    assert mixed == [text for group in plan for text in asking.texts(asking.engine(), group)]


def test_int8_does_not_flood_the_log(asking: Any, caplog: pytest.LogCaptureFixture) -> None:
    """bitsandbytes warns at every int8 product of an fp32 model; the host's log stays quiet."""
    with caplog.at_level(logging.INFO):
        asking.texts(asking.engine(), [asking.request(asking.target(kind="int8"), "one two")])

    assert [record for record in caplog.records if record.name.startswith("bitsandbytes")] == []


def test_each_quantisation_option_is_in_the_identity(asking: Any) -> None:
    """Kind, compute dtype, double quantisation and the int8 threshold each give other facts."""
    engine = asking.engine()
    options: list[dict[str, Any]] = [
        {"kind": "fp32"}, {"kind": "bf16"}, {"kind": "fp16"}, {"kind": "nf4"}, {"kind": "fp4"}, {"kind": "int8"},
        {"kind": "nf4", "double_quant": True}, {"kind": "nf4", "compute_dtype": "bf16"},
        {"kind": "int8", "int8_threshold": 0.0},
    ]  # fmt: skip

    found = {engine.identity_facts(asking.target(**option)) for option in options}

    assert len(found) == len(options)


def test_options_of_other_kinds_are_not_in_the_identity(asking: Any) -> None:
    """What cannot change the text does not ask the model again: fp32 has no threshold and no double quantisation."""
    engine = asking.engine()

    plain, odd = (
        engine.identity_facts(asking.target(**options))
        for options in ({}, {"double_quant": True, "int8_threshold": 1.0})
    )

    assert plain == odd


def test_compute_dtype_of_unquantised_weights_is_refused(asking: Any) -> None:
    """bf16 weights that compute in fp32 would not be what their label says."""
    with pytest.raises(EngineError) as caught:
        asking.engine().identity_facts(asking.target(kind="bf16", compute_dtype="fp32"))

    assert str(caught.value) == (
        "Quantisation 'bf16': bf16 computes in bf16; found compute_dtype 'fp32', which only nf4, fp4 and int8 take."
    )


def test_bitsandbytes_missing_is_said(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quantisation without its package names both."""
    monkeypatch.setattr("evalkit.engines.local.weights.find_spec", lambda name: None)

    with pytest.raises(MissingPackage) as caught:
        asking.engine().load(asking.target(kind="nf4"), ())
    assert str(caught.value) == (
        "Quantisation 'nf4' needs the package 'bitsandbytes'. Install it with: pip install 'pytest-evalkit[local]'"
    )


@pytest.mark.parametrize("size", [100, 96])
def test_odd_layer_sizes_answer_in_four_bits(
    size: int, asking: Any, build_model: Callable[..., Path], chat_templates: dict[str, str], tmp_path: Path
) -> None:
    """bitsandbytes' own kernel for avx512_bf16, which needs multiples of 64 and 32, is not used."""
    folder = build_model(tmp_path / "odd", "llama", chat_templates["turns"], intermediate_size=size)

    assert asking.texts(asking.engine(), [asking.request(asking.target(folder, kind="nf4"), "one")])


@pytest.mark.parametrize("kind", ["nf4", "fp4"])
def test_four_bits_compute_in_the_dtype_that_is_asked_for(kind: str, asking: Any) -> None:
    """On every CPU fp32 means fp32: the logits are those of the dequantised weights, and no weight is repacked."""
    import torch
    from bitsandbytes.functional import dequantize_4bit

    engine = asking.engine()
    target = asking.target(kind=kind)
    asking.texts(engine, [asking.request(target, "one two")])
    layer = engine._loaded[target.weights].weights.model.model.layers[0].mlp.gate_proj
    x = torch.randn(3, layer.in_features, generator=torch.Generator().manual_seed(1))

    expected = x @ dequantize_4bit(layer.weight.data, layer.weight.quant_state).T

    assert torch.allclose(layer(x), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["nf4", "fp4", "int8"])
def test_dora_is_what_peft_means_by_it_on_quantised_weights(
    kind: str, asking: Any, adapters: dict[str, Adapter]
) -> None:
    """Reading a base layer's weights, as DoRA does at every step, neither breaks the layer nor reads them wrongly."""
    from evalkit.engines.local.adapters import AdapterRack

    engine = asking.engine()
    target = asking.target(adapter=adapters["dora"], kind=kind, int8_threshold=0.0)
    first = asking.texts(engine, [asking.request(target, "one two"), asking.request(asking.target(kind=kind), "x")])
    rack: AdapterRack = engine._loaded[target.weights]._rack

    assert asking.texts(engine, [asking.request(target, "one two")]) == first[:1]
    layer = rack.network.get_base_model().model.layers[0].self_attn.q_proj
    magnitude = layer.lora_magnitude_vector["evalkit0000"].weight
    norm = _weights(layer).add(layer.get_delta_weight("evalkit0000")).norm(dim=1)
    with rack.applied(["evalkit0000"]):
        assert _answer(layer).allclose(_expected(layer, magnitude / norm), atol=0.1)


def _weights(layer: Any) -> Any:
    from peft.utils.integrations import dequantize_bnb_weight

    base = layer.get_base_layer()
    return dequantize_bnb_weight(base.weight, state=getattr(base, "state", None)).float()


def _inputs(layer: Any) -> Any:
    import torch

    return torch.randn(2, layer.in_features, generator=torch.Generator().manual_seed(2))


def _answer(layer: Any) -> Any:
    return layer(_inputs(layer))


def _expected(layer: Any, scale: Any) -> Any:
    """W' x with W' = m (W + BA) / |W + BA| (Liu et al. 2024)."""
    return _inputs(layer) @ (_weights(layer).add(layer.get_delta_weight("evalkit0000")) * scale[:, None]).T


def test_int8_rows_stand_alone_with_threshold_zero(asking: Any, prompts: list[str]) -> None:
    """Without outlier columns, which are found over the whole batch, a row's neighbours do not touch its text."""
    target = asking.target(kind="int8", int8_threshold=0.0)
    requests = [asking.request(target, text) for text in prompts[:16]]

    together, alone = (asking.texts(asking.engine(max_batch_rows=rows), requests) for rows in (16, 1))

    assert together == alone


def test_the_threshold_is_told_in_the_provenance(asking: Any) -> None:
    """An int8 answer says whether its row could depend on its neighbours."""
    targets = [asking.target(kind="int8", int8_threshold=threshold) for threshold in (0.0, 6.0)]

    replies = asking.answers(asking.engine(), [asking.request(target, "one") for target in targets])

    assert [dict(reply.facts)["int8_threshold"] for reply in replies] == [
        "0.0: rows stand alone", "6.0: a row's text may depend on its neighbours",
    ]  # fmt: skip
