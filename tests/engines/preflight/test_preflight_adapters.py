"""Whether an adapter belongs to its base: planted faults and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.preflight import Finding, checks_of
from evalkit.target import Adapter

FIRST = "base_model.model.model.layers.0"


@pytest.mark.parametrize("kind", ["fp32", "nf4", "int8"])
def test_a_sound_adapter_passes_every_check(clinic: Any, base: Path, tuned: Adapter, kind: str) -> None:
    """Each check says what it saw, also where the base is quantised."""
    target = clinic.target(base, tuned, kind)

    findings = clinic.found(target, loaded=True)

    assert tuple(findings) == checks_of(target)
    moved = findings.pop("logits")
    assert (moved.level, moved.sentence.rpartition(" ")[0]) == ("pass", "The adapter 'red' moves the logits by up to")
    assert {finding.level for finding in findings.values()} == {"pass"}
    assert [finding.sentence for finding in findings.values()] == [
        "The 12 tensors of adapter 'red' have the shapes of 'sound'.",
        "All 12 tensors of adapter 'red' have their module (down_proj, q_proj, v_proj).",
        "None of the 6 lora_B of adapter 'red' is zero.",
        "The 319 tokens fit into the 320 rows of the embeddings.",
        "The model 'sound' has a chat template.",
        "The chat template ends an answer with '<end_of_turn>' (id 4), a stop token.",
        "The chat template of 'sound' puts a system text in a turn of its own.",
    ]


def test_the_demos_adapters_pass(clinic: Any) -> None:
    """What evalkit ships must not be refused by it."""
    demo = Path(__file__).parents[3] / "fixtures" / "demo"
    for name in ("steady", "eager", "looping"):
        findings = clinic.found(
            clinic.target(demo / "base", clinic.adapter(demo / "adapters" / name), "nf4"), loaded=True
        )
        assert {finding.level for finding in findings.values()} == {"pass"}, findings


def test_a_bare_model_is_looked_at_for_its_tokens_and_template(clinic: Any, base: Path) -> None:
    """There is no adapter to look at, and nothing that needs weights."""
    assert tuple(clinic.found(clinic.target(base))) == ("tokens", "template", "ends", "system")


def test_an_adapter_of_a_wider_base(
    clinic: Any, base: Path, build_model: Callable[..., Path], build_adapter: Callable[..., Path], tmp_path: Path,
    chat_templates: dict[str, str],
) -> None:  # fmt: skip
    """Shapes tell that it was made for another model, which its config names."""
    wide = build_model(tmp_path / "wide", "llama", chat_templates["with_system"], hidden_size=96)
    wrong = clinic.adapter(build_adapter(tmp_path / "wrong", wide, 1))

    assert clinic.failed(clinic.found(clinic.target(base, wrong))) == {
        "base": f"The adapter 'wrong' was made for another base ('{wide}'): 6 of its 12 tensors have other shapes "
        "than 'sound' needs (first: model.layers.0.mlp.down_proj.lora_B.weight is 96 × 4, wanted is 64 × 4). "
        "Name the model it was trained on."
    }


def test_an_adapter_of_a_deeper_base(
    clinic: Any, base: Path, build_model: Callable[..., Path], build_adapter: Callable[..., Path], tmp_path: Path,
    chat_templates: dict[str, str],
) -> None:  # fmt: skip
    """Its shapes fit and its third layer has no place, which peft would pass over with a warning at most."""
    deep = build_model(tmp_path / "deep", "llama", chat_templates["with_system"], num_hidden_layers=3)
    wrong = clinic.adapter(build_adapter(tmp_path / "wrong", deep, 1))

    findings = clinic.found(clinic.target(base, wrong))

    assert clinic.failed(findings) == {
        "modules": "6 of the 18 tensors of adapter 'wrong' have no module in 'sound' (first: "
        "model.layers.2.mlp.down_proj.lora_A.weight), so they would be left out without a word. "
        "Name the model it was trained on."
    }
    assert findings["base"].level == "warn"


def test_another_name_of_the_base_is_a_warning(clinic: Any, base: Path, tuned: Adapter) -> None:
    """A base may have been moved or renamed: shapes and modules decide."""
    clinic.edit(Path(tuned.location) / "adapter_config.json", base_model_name_or_path="some/other-model")

    finding = clinic.found(clinic.target(base, tuned))["base"]

    assert (finding.level, finding.sentence) == (
        "warn",
        "The adapter 'red' names the base 'some/other-model' in its adapter_config.json, and this is 'sound'; its "
        "shapes fit. Make sure that the two are the same weights.",
    )


def test_target_modules_that_are_not_there(clinic: Any, base: Path, tuned: Adapter) -> None:
    """None of them: refused with the names that the base has. One of them: a warning."""
    config = Path(tuned.location) / "adapter_config.json"
    clinic.edit(config, target_modules=["query_key_value"])
    none = clinic.found(clinic.target(base, tuned))
    clinic.edit(
        Path(tuned.location) / "adapter_config.json", target_modules=["q_proj", "v_proj", "down_proj", "c_attn"]
    )
    one = clinic.found(clinic.target(base, tuned))

    sentence = clinic.failed(none)["modules"]
    assert sentence.startswith("The adapter 'red' cannot be put on 'sound': NoMatchingPeftModuleError: Target modules")
    assert sentence.endswith(
        " Its target modules are query_key_value, and the base's are called act_fn, down_proj, embed_tokens, "
        "gate_proj, input_layernorm, k_proj, lm_head, norm and 6 more. Name the model it was trained on."
    )
    assert none["base"] == Finding(
        "base", "skip", "No tensor of adapter 'red' has a place in 'sound', so no shape can be compared."
    )
    assert (one["modules"].level, one["modules"].sentence) == (
        "warn",
        "The adapter 'red' names target modules that 'sound' does not have: c_attn. Every tensor of its file has a "
        "place; make sure that this is the model it was trained on.",
    )


def test_missing_modules(clinic: Any, base: Path, tuned: Adapter) -> None:
    """A module that the config names and the file lacks would keep its random start."""
    clinic.edit(
        Path(tuned.location) / "adapter_config.json", target_modules=["q_proj", "v_proj", "down_proj", "k_proj"]
    )

    assert clinic.failed(clinic.found(clinic.target(base, tuned))) == {
        "modules": "The file of adapter 'red' lacks 4 of the 16 tensors that its adapter_config.json names (first: "
        "model.layers.0.self_attn.k_proj.lora_A.weight). Copy it again, or take the modules that were not trained out "
        "of target_modules."
    }


def test_an_untrained_adapter(clinic: Any, base: Path, build_adapter: Callable[..., Path], tmp_path: Path) -> None:
    """Every lora_B is zero, as it was before training."""
    zero = clinic.adapter(build_adapter(tmp_path / "zero", base, 1, scale=0.0))

    assert clinic.failed(clinic.found(clinic.target(base, zero))) == {
        "lora_b": "The adapter 'zero' was never trained: every lora_B (6) is zero, so its answers would be the base's. "
        "Name a checkpoint that was saved after training."
    }


def test_a_partly_trained_adapter(clinic: Any, base: Path, tuned: Adapter) -> None:
    """Modules that training did not reach are told."""
    clinic.rewrite(Path(tuned.location), lambda tensors: tensors[f"{FIRST}.self_attn.q_proj.lora_B.weight"].zero_())

    finding = clinic.found(clinic.target(base, tuned))["lora_b"]

    assert (finding.level, finding.sentence) == (
        "warn",
        f"1 of the 6 lora_B of adapter 'red' are zero (first: {FIRST}.self_attn.q_proj.lora_B.weight): nothing was "
        "learned there. Make sure that training reached these modules.",
    )


def test_weights_that_are_no_numbers(clinic: Any, base: Path, tuned: Adapter) -> None:
    """Training that diverged leaves NaN in the file."""
    clinic.rewrite(
        Path(tuned.location), lambda tensors: tensors[f"{FIRST}.self_attn.q_proj.lora_A.weight"].fill_(float("nan"))
    )

    assert clinic.failed(clinic.found(clinic.target(base, tuned))) == {
        "lora_b": "The adapter 'red' holds weights that are not numbers (NaN or infinite) in 1 of its 12 tensors. Take "
        "an earlier checkpoint."
    }
