"""Adapters of one base: mixed in a batch, grouped where peft cannot mix, refused where they do nothing."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.generation import Failure, Generation
from evalkit.target import Adapter


def copied(adapter: Adapter, place: Path, name: str, **config: Any) -> Adapter:
    """A copy of an adapter with some of its config changed."""
    shutil.copytree(adapter.location, place / name)
    file = place / name / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **config}))
    return Adapter(name, str(place / name), True, name)


def only_reason(asking: Any, adapter: Adapter, model: str | Path = "llama") -> str:
    """Why a row with this adapter fails, while the bare base beside it answers."""
    base, tuned = asking.answers(
        asking.engine(),
        [asking.request(asking.target(model), "one"), asking.request(asking.target(model, adapter), "one")],
    )
    assert isinstance(base, Generation)
    assert isinstance(tuned, Failure)
    return tuned.reason


def test_mixed_adapters_answer_as_each_alone(asking: Any, adapters: dict[str, Adapter], prompts: list[str]) -> None:
    """Base and all kinds of adapters in one plan, on one loaded base, give the texts of separate engines."""
    targets = [asking.target(), *(asking.target(adapter=adapters[name]) for name in ("red", "blue", "dora", "head"))]
    plan = [[asking.request(target, text) for text in prompts[:8]] for target in targets]
    engine = asking.engine()

    mixed = asking.texts(engine, [request for group in plan for request in group])
    apart = [text for group in plan for text in asking.texts(asking.engine(), group)]

    assert mixed == apart
    assert len({tuple(mixed[start : start + 8]) for start in range(0, 40, 8)}) == 5
    assert len(engine._loaded) == 1


def test_plain_adapters_and_the_base_share_a_batch(asking: Any, adapters: dict[str, Adapter]) -> None:
    """peft mixes plain LoRA rows in one batch; DoRA and trained modules run in batches of their own."""
    names = (None, "red", "blue", "dora", "head")
    requests = [asking.request(asking.target(adapter=adapters[name] if name else None), "one two") for name in names]

    replies = asking.answers(asking.engine(), requests)

    assert [dict(reply.facts)["batch_rows"] for reply in replies] == [3, 3, 3, 1, 1]


def test_an_adapter_really_is_the_sum_of_base_and_lora(asking: Any, adapters: dict[str, Adapter]) -> None:
    """The engine's text under an adapter is that of peft's own merged model."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, GenerationConfig

    engine = asking.engine()
    (reply,) = asking.answers(engine, [asking.request(asking.target(adapter=adapters["red"]), "the rain in Spain")])
    prompt = engine._loaded[asking.target().weights].weights.renderer.prompt_ids((("user", "the rain in Spain"),))
    base = AutoModelForCausalLM.from_pretrained(asking.models["llama"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        merged = PeftModel.from_pretrained(base, adapters["red"].location).merge_and_unload()
    merged.generation_config = GenerationConfig()
    config = GenerationConfig(do_sample=False, max_new_tokens=12, eos_token_id=[1, 4], pad_token_id=0)
    ids = torch.tensor([prompt])

    output = merged.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)

    assert list(reply.token_ids) == output[0, len(prompt) :].tolist()


def test_an_adapter_whose_lora_b_is_zero_is_refused(
    asking: Any, build_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    """An untrained adapter changes nothing, and its rows say so instead of repeating the base."""
    folder = build_adapter(tmp_path / "zero", asking.models["llama"], 1, scale=0.0)

    assert only_reason(asking, Adapter("zero", str(folder), True, "out/zero")) == (
        "Adapter 'out/zero' changes nothing: every lora_B is zero. Was it saved before training?"
    )


def test_an_adapter_with_nan_is_refused(asking: Any, build_adapter: Callable[..., Path], tmp_path: Path) -> None:
    """Weights that are not numbers never reach a generation."""
    folder = build_adapter(tmp_path / "nan", asking.models["llama"], 1, scale=float("nan"))

    assert only_reason(asking, Adapter("nan", str(folder), True, "nan")) == (
        "Adapter 'nan' holds weights that are not numbers (NaN or infinite)."
    )


def test_an_adapter_of_another_base_is_refused(
    asking: Any,
    build_model: Callable[..., Path],
    build_adapter: Callable[..., Path],
    tmp_path: Path,
    chat_templates: Any,
) -> None:
    """Other shapes and other layers are both noticed, first adapter or later, and the base still answers."""
    wide = build_model(tmp_path / "wide", "llama", chat_templates["turns"], hidden_size=96)
    deep = build_model(tmp_path / "deep", "llama", chat_templates["turns"], num_hidden_layers=3)
    wrong_shape = Adapter("wide", str(build_adapter(tmp_path / "a", wide, 1)), True, "wide")
    wrong_depth = Adapter("deep", str(build_adapter(tmp_path / "b", deep, 1)), True, "deep")

    shape = only_reason(asking, wrong_shape)
    depth = only_reason(asking, wrong_depth)

    assert shape.startswith("Adapter 'wide' does not fit this base: ")
    assert "size mismatch" in shape
    assert depth == (
        "Adapter 'deep' was made for another base: 6 of its tensors have no place here (first: "
        "base_model.model.model.layers.2.mlp.down_proj.lora_A.weight)."
    )


@pytest.mark.parametrize("first", ["bad", "good"])
def test_a_refused_adapter_leaves_no_trace(
    first: str, asking: Any, adapters: dict[str, Adapter], tmp_path: Path, prompts: list[str]
) -> None:
    """Whether it came first or later, an adapter that does not fit changes neither the base nor the others."""
    bad = copied(adapters["red"], tmp_path, "bad", target_modules=["no_such_module"])
    good = [asking.target(), asking.target(adapter=adapters["red"])]
    order = [asking.target(adapter=bad), *good] if first == "bad" else [*good, asking.target(adapter=bad)]
    expected = [asking.texts(asking.engine(), [asking.request(target, prompts[7])])[0] for target in good]

    replies = asking.answers(asking.engine(), [asking.request(target, prompts[7]) for target in order])

    texts = [reply.raw_text for reply in replies if isinstance(reply, Generation)]
    (failure,) = [reply for reply in replies if isinstance(reply, Failure)]
    assert texts == expected
    assert failure.reason.startswith(
        "Adapter 'bad' does not fit this base: NoMatchingPeftModuleError: Target modules {'no_such_module'}"
    )


def test_adapters_that_would_change_the_base_are_refused(
    asking: Any, adapters: dict[str, Adapter], tmp_path: Path
) -> None:
    """PiSSA and trained biases rewrite the shared base, prompt tuning does not run here: each has its sentence."""
    pissa = copied(adapters["red"], tmp_path, "pissa", init_lora_weights="pissa")
    bias = copied(adapters["red"], tmp_path, "bias", bias="all")
    prompt = copied(adapters["red"], tmp_path, "prompt")
    (tmp_path / "prompt" / "adapter_config.json").write_text(
        json.dumps({"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 4, "task_type": "CAUSAL_LM"})
    )

    assert only_reason(asking, pissa) == (
        "Adapter 'pissa' was started with init_lora_weights='pissa', which rewrites the base for every other target. "
        "Convert it to a plain LoRA with peft's save_pretrained(path_initial_model_for_weight_conversion=...)."
    )
    assert only_reason(asking, bias) == (
        "Adapter 'bias' trains the base's biases or repeats its layers, which would change the base for every other "
        "target. Merge it into a model of its own and name that as the target's model."
    )
    assert only_reason(asking, prompt) == (
        "Adapter 'prompt' is of kind PROMPT_TUNING, which the local engine does not run. Use a LoRA-like adapter."
    )


def test_an_incomplete_adapter_is_refused(asking: Any, adapters: dict[str, Adapter], tmp_path: Path) -> None:
    """A target module without weights in the file would keep its random start, so the adapter is refused."""
    config = {"target_modules": ["q_proj", "v_proj", "down_proj", "k_proj"]}
    partial = copied(adapters["red"], tmp_path, "partial", **config)

    assert only_reason(asking, partial) == (
        "Adapter 'partial' is incomplete: 4 tensors are missing (first: "
        "base_model.model.model.layers.0.self_attn.k_proj.lora_A.evalkit0000.weight)."
    )


def test_an_unreadable_adapter_config_is_a_sentence(asking: Any, adapters: dict[str, Adapter], tmp_path: Path) -> None:
    """A config that peft cannot use fails the adapter's rows and names the file."""
    odd = copied(adapters["red"], tmp_path, "odd", peft_type="NO_SUCH_TYPE")

    assert only_reason(asking, odd).startswith("Adapter 'odd': adapter_config.json cannot be used: ")


def test_peft_missing_is_said(asking: Any, adapters: dict[str, Adapter], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without peft the base still answers and the adapter's rows name the package to install."""
    monkeypatch.setattr("evalkit.engines.local.adapters.find_spec", lambda name: None)

    assert only_reason(asking, adapters["red"]) == (
        "Adapter 'red' needs the package 'peft'. Install it with: pip install 'pytest-evalkit[local]'"
    )


def test_an_adapter_retrained_during_the_run_is_refused(
    asking: Any, adapters: dict[str, Adapter], build_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    """What is loaded must be what was identified; a file that changed in between fails its rows."""
    moving = copied(adapters["red"], tmp_path, "moving")
    target = asking.target(adapter=moving)
    engine = asking.engine()
    engine.identity_facts(target)
    build_adapter(Path(moving.location), asking.models["llama"], 99)

    replies = asking.answers(engine, [asking.request(target, "one")])

    assert replies == [
        Failure(
            "Adapter 'moving' changed on disk during the run, so its answers would be filed under other weights. "
            "Start the run again."
        )
    ]


def test_retraining_an_adapter_changes_its_identity(
    asking: Any, adapters: dict[str, Adapter], build_adapter: Callable[..., Path], tmp_path: Path
) -> None:
    """The same folder with new weights gives new facts in the next run, whatever its name and size."""
    moving = copied(adapters["red"], tmp_path, "moving")
    target = asking.target(adapter=moving)
    before = asking.engine().identity_facts(target)
    build_adapter(Path(moving.location), asking.models["llama"], 99)

    after = asking.engine().identity_facts(target)

    assert dict(before)["weights"] == dict(after)["weights"]
    assert dict(before)["adapters"] != dict(after)["adapters"]
    assert asking.engine().identity_facts(replace(target, adapters=(replace(moving, name="x"),))) == after
