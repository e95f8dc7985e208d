"""bitsandbytes on CPU: every quantisation loads, answers, carries adapters and changes the identity."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines.local.facts import cpu_four_bit_path
from evalkit.errors import EngineError, MissingPackage
from evalkit.target import Adapter, Quantisation


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


@pytest.mark.parametrize(("size", "layer"), [(100, "gate_proj is 64 by 100"), (96, "down_proj is 96 by 64")])
@pytest.mark.skipif(
    cpu_four_bit_path(Quantisation("nf4", "nf4"), "cpu") != "avx512_bf16", reason="the kernel of avx512_bf16 CPUs only"
)
def test_odd_layer_sizes_are_refused_in_four_bits(
    size: int, layer: str, asking: Any, build_model: Callable[..., Path], chat_templates: dict[str, str], tmp_path: Path
) -> None:
    """The CPU kernel's bare assertions are a sentence at load, with the layer's name."""
    folder = build_model(tmp_path / "odd", "llama", chat_templates["turns"], intermediate_size=size)

    with pytest.raises(EngineError) as caught:
        asking.engine().load(asking.target(folder, kind="nf4"), ())
    assert str(caught.value) == (
        f"Model 'odd' cannot run in 4 bits on this CPU: model.layers.0.mlp.{layer}, and bitsandbytes needs multiples "
        "of 64 and 32 there. Use int8, bf16 or fp32."
    )
